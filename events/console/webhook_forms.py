"""The form of a webhook: where it is told, of what, and how."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.console.log_form import FAMILY_WORDS
from events.console.webhook_words import MODE_WORDS
from events.descriptions import described
from events.models import Webhook
from events.services.custom_headers import masked_headers
from events.services.webhooks import CONCURRENCY_MAX, RATE_MAX
from fastgen_backend.forms import MISSING, PlainForm
from fastgen_backend.limits import LONGEST_URL

EVERYTHING = "*"


class Url(forms.CharField):
    """An address as it was typed: what is wrong with it, the service says."""

    widget = forms.URLInput({"placeholder": "https://api.example.com/hooks", "spellcheck": "false"})

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


class WebhookForm(PlainForm):
    """`kinds` are filters that are ticked, `events` further ones, a line each."""

    url = Url(label=gettext_lazy("URL"), max_length=LONGEST_URL, error_messages=MISSING)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("For you and your colleagues."),
    )
    kinds = forms.MultipleChoiceField(required=False)
    events = forms.CharField(
        label=gettext_lazy("More filters"),
        required=False,
        widget=forms.Textarea({"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy("One on each line, such as custom.order_placed or custom.shop.*."),
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("Order"),
        choices=[(mode, words[0]) for mode, words in MODE_WORDS.items()],
        widget=forms.RadioSelect,
    )
    max_concurrency = forms.IntegerField(
        label=gettext_lazy("Calls at once"),
        help_text=gettext_lazy("From 1 to %(most)d. In order it is always one.") % {"most": CONCURRENCY_MAX},
    )
    rate_per_second = forms.IntegerField(
        label=gettext_lazy("Calls in a second"),
        required=False,
        help_text=gettext_lazy("From 1 to %(most)d; empty: no limit.") % {"most": RATE_MAX},
    )
    headers = forms.CharField(
        label=gettext_lazy("Headers of your own"),
        required=False,
        widget=forms.Textarea({"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One on each line, such as “Authorization: Bearer …”. Values are sealed, and shown as •••."
        ),
    )
    include_secrets = forms.BooleanField(
        label=gettext_lazy("Send tokens and links"),
        required=False,
        help_text=gettext_lazy(
            "A new webhook has it on: events about verification and password reset then carry live one-time links, and "
            "whoever has one comes into the account. Switch it off unless the receiver sends these mails itself. Links "
            "go by https only, or within this machine, and those of admins never leave."
        ),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choices: Any = self.fields["kinds"]
        choices.choices = [(filter, filter) for filter in TICKED]

    @property
    def reach(self) -> str:
        """Where the URL may lead."""
        if settings.WEBHOOK_ALLOW_PRIVATE_TARGETS:
            return _("Here it may be on this machine or a private network, as WEBHOOK_ALLOW_PRIVATE_TARGETS is on.")
        return _("It must be public.")

    @property
    def families(self) -> Iterator[dict[str, Any]]:
        """What can be ticked: each family, with its kinds."""
        ticked = set(self["kinds"].value() or ())
        for family, kinds in groupby(described(), key=lambda kind: kind.type.partition(".")[0]):
            listed = [kind for kind in kinds if kind.filter != f"{family}.*"]
            within = [{"kind": kind, "is_ticked": kind.filter in ticked} for kind in listed]
            yield {
                "filter": f"{family}.*",
                "words": FAMILY_WORDS.get(family, family),
                "is_ticked": f"{family}.*" in ticked,
                "kinds": within,
                "is_open": any(each["is_ticked"] for each in within),
            }

    @property
    def is_everything(self) -> bool:
        return EVERYTHING in (self["kinds"].value() or ())

    @property
    def modes(self) -> Iterator[dict[str, Any]]:
        """The orders, with what each means."""
        for mode, (word, text) in MODE_WORDS.items():
            yield {"mode": mode, "word": word, "text": text, "is_chosen": self["mode"].value() == mode}

    def clean_headers(self) -> dict[str, str]:
        """By name; of a name that stands twice the service will say so no more, so it is said here."""
        headers: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["headers"].splitlines()):
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not colon:
                raise forms.ValidationError(
                    _("A header is “Name: value”; “%(name)s” has no colon.") % {"name": name[:80]}
                )
            if name.lower() in map(str.lower, headers):
                raise forms.ValidationError(_("The header “%(name)s” stands there twice.") % {"name": name[:80]})
            headers[name] = value
        return headers

    def changes(self) -> dict[str, Any]:
        """All of it, by the names that services use. Lines come first: refusals count them."""
        said = dict(self.cleaned_data)
        lines = [line.strip() for line in said.pop("events").splitlines() if line.strip()]
        ticked = said.pop("kinds")
        covered = {kind for kind in ticked if any(_covers(other, kind) for other in ticked)}
        return {**said, "filters": list(dict.fromkeys([*lines, *(kind for kind in ticked if kind not in covered)]))}

    @classmethod
    def values_of(cls, webhook: Webhook) -> dict[str, Any]:
        """What the form of a webhook begins with."""
        subscriber = webhook.subscriber
        return {
            "url": webhook.url,
            "description": webhook.description,
            "kinds": [filter for filter in subscriber.filters if filter in TICKED],
            "events": "\n".join(filter for filter in subscriber.filters if filter not in TICKED),
            "mode": webhook.mode,
            "max_concurrency": subscriber.max_concurrency,
            "rate_per_second": subscriber.rate_per_second,
            "headers": _as_lines(masked_headers(webhook.sealed_headers)),
            "include_secrets": webhook.include_secrets,
        }


def _as_lines(headers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _covers(wide: str, narrow: str) -> bool:
    """Whether whatever the filter `narrow` names, another one that is wider names as well."""
    return wide != narrow and wide.endswith("*") and narrow.startswith(wide[:-1])


TICKED = [EVERYTHING, *dict.fromkeys(f"{kind.type.partition('.')[0]}.*" for kind in described())]
TICKED += [kind.filter for kind in described() if kind.filter not in TICKED]
