"""The rejected rows of an import: a grid in which they are mended and taken in, and a file of them."""

import csv
import io
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView

from datahub.console.import_words import count_rejected
from datahub.console.imports import OneImportPage
from datahub.console.reject_grid import Grid, lines_of_file, typed
from datahub.services.imports.mending import can_be_mended, keep_cells, leave_out, mend_rows
from datahub.services.imports.plan import REJECTS_MAX
from fastgen_backend.redirects import SeeOther


class ImportRejectsPage(OneImportPage, TemplateView):
    """The rows, some on a page, with what is wrong; sends those that were changed, or all of the page.

    What was typed is kept before anything else is tried with it.
    """

    template_name = "datahub/import_rejects.html"
    http_method_names = ["get", "head", "post", "options"]
    body_limit_bytes: ClassVar[int] = settings.ROWS_LIMIT_BYTES

    @cached_property
    def after(self) -> int:
        return _number(self.request.GET.get("after"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        told = {
            "grid": Grid(self.found, self.after),
            "kept": count_rejected(self.found),
            "can_be_mended": can_be_mended(self.found),
            "after": self.after,
            "more_were_rejected": self.found.rejects.count() >= REJECTS_MAX,
            "kept_max": f"{REJECTS_MAX:,}",
            **self._outcome(),
        }
        return super().get_context_data(**{**told, **kwargs})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        id, sent = self.found.pk, request.POST
        changed = typed(self.found, sent, changed_only=True)
        keep_cells(id=id, rows=changed)
        if "leave_out" in sent:
            return self._again(out=leave_out(id=id, lines=[_number(sent["leave_out"])]))
        rows = typed(self.found, sent, changed_only=False) if sent.get("rows") == "all" else changed
        mended = mend_rows(id=id, rows=rows, origin=self.origin)
        return self._again(taken=mended.taken_in, left=mended.still_rejected)

    def _again(self, **outcome: int) -> HttpResponse:
        query = urlencode({**({"after": self.after} if self.after else {}), **outcome})
        return SeeOther(f"{reverse('console-datahub-import-rejects', args=[self.found.pk])}?{query}")

    def _outcome(self) -> dict[str, Any]:
        """What the form before did, in words."""
        said = self.request.GET
        taken, left, out = (_number(said.get(name)) for name in ("taken", "left", "out"))
        if "taken" not in said:
            words = ngettext("%(count)d row is left out.", "%(count)d rows are left out.", out) % {"count": out}
            return {"outcome": words if out else "", "outcome_mood": "good"}
        words = ngettext("%(count)d row went in.", "%(count)d rows went in.", taken) % {"count": taken}
        if left:
            still = ngettext("%(count)d still needs a look.", "%(count)d still need a look.", left)
            words = f"{words} {still % {'count': left}}"
        elif not taken:
            words = _("Nothing was changed, so nothing was tried.")
        return {"outcome": words, "outcome_mood": "warn" if left or not taken else "good"}


class RejectsFile(OneImportPage):
    """The rejected rows as CSV: their cells, their lines, and why."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> StreamingHttpResponse:
        response = StreamingHttpResponse(self._content(), content_type="text/csv; charset=utf-8")
        key = self.found.table.key if self.found.table else self.found.table_key
        response["Content-Disposition"] = f'attachment; filename="{key}-rejected.csv"'
        return response

    def _content(self) -> Iterator[bytes]:
        for line in lines_of_file(self.found):
            text = io.StringIO(newline="")
            csv.writer(text).writerow(line)
            yield text.getvalue().encode()


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else 0
