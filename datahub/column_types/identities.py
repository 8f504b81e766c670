"""Types that name something: uuid, relation."""

import json
import re
import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from datahub.column_types.column_type import MATCHING, BadOption, ColumnType, Unfit
from datahub.column_types.documents import items_of_list, list_of_text
from datahub.column_types.stored import ListField

RELATED_MAX = 1000
UUID_FORM = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class Identifier(ColumnType):
    """A UUID (RFC 9562)."""

    name = "uuid"
    operators = MATCHING

    def field(self) -> "models.Field[Any, Any]":
        return models.UUIDField(null=True)

    def read(self, value: Any) -> uuid.UUID:
        if type(value) is str and UUID_FORM.fullmatch(value):
            return uuid.UUID(value)
        raise Unfit(_("This must be a UUID such as 019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02."), "not-a-uuid")

    def show(self, value: uuid.UUID) -> str:
        return str(value)

    def parse(self, text: str) -> uuid.UUID:
        return self.read(text.strip())

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}


class Relation(Identifier):
    """The id of a row of another table, or of several: `{"table", "many", "onDelete"}`.

    `onDelete` tells what becomes of it when that row is deleted: `restrict` refuses that, `clear` takes it out here.
    """

    name = "relation"
    defaults = {"table": "", "many": False, "onDelete": "restrict"}

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.many = self.options["many"] is True
        if self.many:
            self.operators = frozenset({"contains", "isnull", "empty"})  # type: ignore[misc]  # as a list can
            self.is_sortable = False  # type: ignore[misc]

    def check_options(self) -> None:
        try:
            uuid.UUID(self.options["table"])
        except (ValueError, AttributeError, TypeError):
            raise BadOption("table", _("Name the table by its id or key.")) from None
        if type(self.options["many"]) is not bool:
            raise BadOption("many", _("This must be true or false."))
        if self.options["onDelete"] not in ("restrict", "clear"):
            raise BadOption("onDelete", _("This must be ‘restrict’ or ‘clear’."))

    def takes_all_of(self, older: ColumnType) -> bool:
        return all(self.options[option] == older.options[option] for option in ("table", "many"))

    @property
    def bytes_max(self) -> int:
        return super().bytes_max * (RELATED_MAX if self.many else 1)

    def index_flaw(self) -> str:
        return _("A relation to many rows can’t be indexed or unique.") if self.many else ""

    def field(self) -> "models.Field[Any, Any]":
        return ListField(null=True) if self.many else models.UUIDField(null=True)

    def read(self, value: Any) -> Any:
        if not self.many:
            return super().read(value)
        return items_of_list(value, lambda item: str(super(Relation, self).read(item)), most=RELATED_MAX)

    def show(self, value: Any) -> Any:
        return value if self.many else str(value)

    def parse(self, text: str) -> Any:
        return self.read(list_of_text(text)) if self.many else super().parse(text)

    def write(self, value: Any) -> str:
        return json.dumps(value) if self.many else str(value)

    def convert(self, value: Any, source: ColumnType) -> Any:
        """A list of one is one, and one a list."""
        if not self.many and isinstance(value, list) and len(value) == 1:
            return self.read(value[0])
        return super().convert(value, source)

    def operand(self, operator: str, value: Any) -> Any:
        found = super().read(value) if not self.many else Identifier({}).read(value)
        return str(found) if self.many else found

    def operand_from_text(self, operator: str, text: str) -> Any:
        return self.operand(operator, text.strip())

    def ids(self, value: Any) -> list[uuid.UUID]:
        """The rows that a kept value names."""
        return [uuid.UUID(each) for each in value] if self.many else [value]

    def schema(self) -> dict[str, Any]:
        one = {"type": "string", "format": "uuid"}
        return {"type": "array", "items": one, "maxItems": RELATED_MAX} if self.many else one
