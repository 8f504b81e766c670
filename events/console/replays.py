"""Replays in the console: choosing what is told once more, counted first; and how far one is."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import TemplateView

from events.console.log_form import Moment
from events.console.webhook_page import WebhookPart
from events.models import Replay
from events.services.replay_ranges import Wanted, measure
from events.services.replays import RATE_MAX, cancel_replay, pause_replay, read_replay, resume_replay, start_replay
from fastgen_backend.console import console_origin, go_on
from fastgen_backend.console_lists import page_of
from fastgen_backend.errors import FieldError, NotFound
from fastgen_backend.forms import FormPage, PlainForm

KIND_WORDS = {
    Replay.Kind.RANGE: _("A time"),
    Replay.Kind.MISSED: _("What it missed while it was disabled"),
    Replay.Kind.DEAD_LETTERS: _("Its dead letters"),
}
NAMES = {"/from": "/begin", "/to": "/end"}
REPLAYS = 20  # on a page
ACTIONS = {"pause": pause_replay, "resume": resume_replay, "cancel": cancel_replay}


class ReplayForm(PlainForm):
    """What is told once more, and how fast. `begin` and `end` are what the API calls `from` and `to`."""

    kind = forms.ChoiceField(
        label=_("What"), choices=[(kind.value, words) for kind, words in KIND_WORDS.items()], initial=Replay.Kind.RANGE
    )
    begin = Moment(_("From (UTC)"))
    end = Moment(_("To (UTC)"))
    events = forms.CharField(
        label=_("Only these"),
        required=False,
        widget=forms.Textarea({"rows": 2, "spellcheck": "false"}),
        help_text=_("Filters, one on each line; empty: all that it subscribes to."),
    )
    rate_per_second = forms.IntegerField(
        label=_("Events in a second"),
        required=False,
        initial=50,
        help_text=_("At most %(most)d, beside what happens meanwhile; empty: no limit.") % {"most": RATE_MAX},
    )

    def blame(self, error: FieldError) -> None:
        super().blame(error._replace(pointer=NAMES.get(error.pointer, error.pointer)))

    def wanted(self) -> Wanted:
        """What is asked for; the questions about a time are of a time alone."""
        said = self.cleaned_data
        if said["kind"] != Replay.Kind.RANGE:
            return Wanted(kind=said["kind"])
        lines = [line.strip() for line in said["events"].splitlines() if line.strip()]
        return Wanted(kind=said["kind"], begin=said["begin"], end=said["end"], filters=lines)


class NewReplayPage(WebhookPart, FormPage):
    """Counts first, and begins when the count was seen: `start` among the buttons that were pressed. Below the form are
    the replays there were.
    """

    template_name = "events/replay_new.html"
    form_class = ReplayForm

    def get_initial(self) -> dict[str, Any]:
        kind = self.request.GET.get("kind", "")
        return {"kind": kind if kind in Replay.Kind.values else Replay.Kind.RANGE, "rate_per_second": 50}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = page_of(self.request, Replay.objects.filter(webhook=self.webhook), order=("-id",), size=REPLAYS)
        lines = [{"replay": each, "kind": KIND_WORDS[Replay.Kind(each.kind)]} for each in page.rows]
        return super().get_context_data(**{"page": page, "lines": lines, **kwargs})

    def form_valid(self, form: Any) -> HttpResponse:
        wanted = form.wanted()
        if "start" not in self.request.POST:
            extent = measure(self.webhook, wanted)
            return self.render_to_response(self.get_context_data(form=form, extent=extent))
        rate = form.cleaned_data["rate_per_second"]
        origin = console_origin(self.request)
        replay = start_replay(webhook_id=self.webhook.pk, wanted=wanted, origin=origin, rate_per_second=rate)
        return go_on(self.request, reverse("console-webhooks-replay", args=[self.webhook.pk, replay.pk]))


class ReplayPage(WebhookPart, TemplateView):
    """How far it is; POST with an `action` pauses, resumes or cancels it."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "events/replay.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        replay = self._replay()
        if act := ACTIONS.get(request.POST.get("action", "")):
            act(replay_id=replay.pk)
        return go_on(request, request.path)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        replay = self._replay()
        shown = {"replay": replay, "kind": KIND_WORDS[Replay.Kind(replay.kind)]}
        return super().get_context_data(**{**kwargs, **shown})

    def _replay(self) -> Replay:
        replay = read_replay(self.kwargs["replay"])
        if replay.webhook_id != self.kwargs["id"]:
            raise NotFound(gettext("This webhook has no such replay."))
        return replay
