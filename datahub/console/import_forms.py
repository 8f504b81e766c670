"""The forms of imports: the file that is sent, and what the columns of a new table are to be."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from django import forms
from django.conf import settings
from django.core.files import File
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datahub.column_types.numbers import SCALE_MAX
from datahub.console.type_words import TYPE_WORDS
from datahub.import_files import foreign_encoding
from datahub.models import Import
from datahub.services.imports.previews import Confirmed
from fastgen_backend.errors import DomainError, FieldError
from fastgen_backend.forms import PlainForm, sentence

FLAWS_SHOWN = 10
LOOKED_AT = 1_000_000  # bytes, for what encoding they are in
OBJECTS = frozenset([".ndjson", ".jsonl", ".json"])
TYPES = {name: word for name, word in TYPE_WORDS.items() if name not in {"choice", "multiChoice", "relation"}}
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class FileForm(PlainForm):
    """A file for a table that is there."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,  # what is wrong with it the service says
        max_length=200,
        widget=forms.FileInput({"accept": ".csv,.txt,.ndjson,.jsonl,.json,text/csv,application/x-ndjson"}),
        error_messages={"required": gettext_lazy("Choose a file.")},
    )

    def clean_file(self) -> "File[Any]":
        file: File[Any] = self.cleaned_data["file"]
        most = settings.IMPORT_LIMIT_BYTES
        if file.size is not None and file.size > most:
            raise forms.ValidationError(_("A file may have %(size)s at most.") % {"size": size_in_words(most)})
        if _begins_with(file, b"["):
            raise forms.ValidationError(
                _("This is a JSON array. NDJSON has one object on each line, and nothing around them.")
            )
        return file

    @property
    def format(self) -> str:
        """That of the file, by its name; by its beginning where the name says nothing."""
        file: File[Any] = self.cleaned_data["file"]
        suffix = PurePath(file.name or "").suffix.lower()
        is_ndjson = suffix in OBJECTS or (suffix not in {".csv", ".txt", ".tsv"} and _begins_with(file, b"{"))
        return str(Import.Format.NDJSON if is_ndjson else Import.Format.CSV)

    def refuse(self, error: DomainError) -> None:
        """Say at the file what no other field is to blame for."""
        self.refusal = error
        errors = list(error.errors) or [FieldError("", error.code, error.detail)]
        for each in errors[:FLAWS_SHOWN]:
            name = {"/name": "name", "/key": "key", "/table": "key"}.get(each.pointer, "file")
            self.add_error(name if name in self.fields else "file", sentence(each.detail))
        if more := len(errors[FLAWS_SHOWN:]):
            self.add_error("file", _("And %(count)d more.") % {"count": more})


class NewTableForm(FileForm):
    """A file for a new table."""

    name = forms.CharField(
        label=gettext_lazy("Name of the table"),
        help_text=gettext_lazy("Left empty: the name of the file."),
        required=False,
        widget=forms.TextInput(PLAIN),
    )
    key = forms.CharField(
        label=gettext_lazy("Key"),
        help_text=gettext_lazy("What the API calls it. Left empty: made from the name."),
        required=False,
        widget=forms.TextInput({**PLAIN, "autocapitalize": "none", "class": "mono"}),
    )
    field_order = ["file", "name", "key"]

    def clean_file(self) -> "File[Any]":
        """A few rows of bad bytes are kept apart; a file in another encoding is none of UTF-8 from its beginning on."""
        file = super().clean_file()
        if not _begins_as_utf8(file):
            raise forms.ValidationError(_("The file is not UTF-8; export it again as “CSV UTF-8”."))
        return file

    def clean(self) -> dict[str, Any]:
        file = self.cleaned_data.get("file")
        if file and not self.cleaned_data.get("name"):
            self.cleaned_data["name"] = PurePath(file.name).stem
        return self.cleaned_data


class ColumnsForm(PlainForm):
    """What a new table is to be: its name and key, and of each header of the file the column or nothing.

    The fields of a header are called by its place: `keep-3`, `name-3`, `type-3`, `scale-3`, `required-3`, `unique-3`.
    """

    name = forms.CharField(label=gettext_lazy("Name of the table"), required=False, widget=forms.TextInput(PLAIN))
    key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        widget=forms.TextInput({**PLAIN, "autocapitalize": "none", "class": "mono"}),
    )

    def __init__(
        self,
        *args: Any,
        headers: Sequence[str],
        columns: Sequence[Mapping[str, Any]],
        sample: Sequence[Sequence[str]],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._headers, self._columns, self._sample = headers, columns, sample
        for place, column in enumerate(columns):
            if "target" not in column:
                self._add_fields(place, column)

    def _add_fields(self, place: int, column: Mapping[str, Any]) -> None:
        says, header = self._says, self._headers[place]
        choices: list[tuple[str, str | Promise]] = list(TYPES.items())
        if column["choices"]:
            several = _("Choice of %(count)d") % {"count": len(column["choices"])}
            choices.insert(1, ("choice", several))
        self.fields |= {
            f"keep-{place}": forms.BooleanField(required=False, initial=True, widget=says(_("Import"), header)),
            f"name-{place}": forms.CharField(
                required=False, initial=column["name"], widget=forms.TextInput({**PLAIN, **_label(_("Name"), header)})
            ),
            f"type-{place}": forms.ChoiceField(
                choices=choices, initial=column["type"], widget=forms.Select(_label(_("Type"), header))
            ),
            f"scale-{place}": forms.IntegerField(
                required=False,
                min_value=0,
                max_value=SCALE_MAX,
                initial=column["options"].get("scale", 2),
                widget=forms.NumberInput(_label(_("Digits behind the point"), header)),
            ),
            f"required-{place}": forms.BooleanField(required=False, widget=says(_("Required"), header)),
            f"unique-{place}": forms.BooleanField(required=False, widget=says(_("Unique"), header)),
        }

    def _says(self, what: str, header: str) -> forms.CheckboxInput:
        return forms.CheckboxInput(_label(what, header))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Of each header its fields, or where else its cells go, and the first cells."""
        for place, (header, column) in enumerate(zip(self._headers, self._columns, strict=True)):
            cells = [row[place] for row in self._sample]
            row: dict[str, Any] = {"header": header, "place": place, "cells": cells, "target": column.get("target")}
            if "target" not in column:
                row |= {name: self[f"{name}-{place}"] for name in FIELDS}
                row["errors"] = [flaw for name in FIELDS for flaw in self[f"{name}-{place}"].errors]
            yield row

    def confirmed(self) -> list[Confirmed | None]:
        """The columns as they are wanted; None for those that are not."""
        given = self.cleaned_data
        return [
            Confirmed(
                name=given[f"name-{place}"],
                type=given[f"type-{place}"],
                scale=given[f"scale-{place}"],
                required=given[f"required-{place}"],
                unique=given[f"unique-{place}"],
            )
            if given.get(f"keep-{place}")
            else None
            for place in range(len(self._columns))
        ]

    def refuse(self, error: DomainError) -> None:
        """Say each flaw at the field that is to blame: `/columns/3/options/scale` is `scale-3`."""
        self.refusal = error
        for each in list(error.errors) or [FieldError("", error.code, error.detail)]:
            parts = each.pointer.strip("/").split("/")
            name = f"{parts[-1]}-{parts[1]}" if len(parts) > 2 else parts[0]
            if name not in self.fields and len(parts) > 2:
                name = f"type-{parts[1]}"
            self.add_error(name if name in self.fields else None, sentence(each.detail))


FIELDS = ("keep", "name", "type", "scale", "required", "unique")


def size_in_words(size: int) -> str:
    """In thousands of thousands, as limits are."""
    return f"{size // 1_000_000:,} MB"


def _label(what: str, header: str) -> dict[str, str]:
    return {"aria-label": _("%(what)s, column “%(header)s”") % {"what": what, "header": header}}


def _begins_as_utf8(file: "File[Any]") -> bool:
    """Whether most of the first lines that are not ASCII are UTF-8; UTF-16 is the service's, which knows it better."""
    file.seek(0)
    start: bytes = file.read(LOOKED_AT)
    file.seek(0)
    whole = start.splitlines()[: -1 if len(start) == LOOKED_AT else None]
    lines = [line for line in whole if not line.isascii()]
    return foreign_encoding(start) or 2 * sum(map(_is_utf8, lines)) >= len(lines)


def _is_utf8(line: bytes) -> bool:
    try:
        return bool(line.decode() or True)
    except UnicodeDecodeError:
        return False


def _begins_with(file: "File[Any]", what: bytes) -> bool:
    start: bytes = file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    return start.startswith(what)
