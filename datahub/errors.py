"""Every refusal of tables, columns and rows."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from fastgen_backend.errors import DomainError, FieldError, NotFound

SHOWN_MAX = 100  # of the rows that stand in the way


class Conflicting(DomainError):
    """Rows that are there stand in the way; the first 100 are named, `count` tells how many there are.

    A caller who must not know is told neither: then `count` is None.
    """

    status = 409
    code = "conflict"

    def __init__(self, detail: str, errors: Sequence[FieldError] = (), count: int | None = None) -> None:
        super().__init__(detail)
        self._errors = errors[:SHOWN_MAX]
        self.count = count

    @property
    def errors(self) -> Sequence[FieldError]:
        return self._errors

    @property
    def members(self) -> Mapping[str, int]:
        return {} if self.count is None else {"count": self.count}


class Unconvertible(Conflicting):
    code = "unconvertible"
    title = _("Some values can’t be converted")


class Duplicates(Conflicting):
    code = "duplicates"
    title = _("Some values stand more than once")


class MissingValues(Conflicting):
    code = "missing-values"
    title = _("Some rows have no value")


class UniqueConflict(Conflicting):
    code = "unique-conflict"
    title = _("There already is a row with this value")


class RowInUse(Conflicting):
    code = "row-in-use"
    title = _("Other rows refer to this one")


class KeyTaken(DomainError):
    status = 409
    code = "key-taken"
    title = _("This key is taken")
    field = "key"


class ColumnConverting(DomainError):
    status = 409
    code = "column-converting"
    title = _("This column is being converted")


class ColumnInUse(DomainError):
    status = 409
    code = "column-in-use"
    title = _("Access rules speak of this column")


class TableInUse(DomainError):
    status = 409
    code = "table-in-use"
    title = _("Columns of other tables refer to this table")


class TooManyColumns(DomainError):
    code = "too-many-columns"
    title = _("A table may have 400 columns")
    field = "columns"


class RowTooLarge(DomainError):
    code = "row-too-large"
    title = _("All the values of a row together are too large; shorten some texts")

    @staticmethod
    def is_meant_by(error: Exception) -> bool:
        """Whether this is PostgreSQL's program_limit_exceeded: it keeps 8 kB in the row itself."""
        return getattr(error.__cause__, "sqlstate", "") == "54000"


class TooManyAffected(DomainError):
    status = 409
    code = "too-many-affected"
    title = _("More rows than maxAffected match; nothing was deleted")


class RevisionConflict(DomainError):
    """What was to be changed is not what the caller saw; of several rows, `errors` names those."""

    status = 412
    code = "revision-conflict"
    title = _("The row was changed meanwhile")

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self._errors = errors

    @property
    def errors(self) -> Sequence[FieldError]:
        return self._errors


class AccessDenied(DomainError):
    status = 403
    code = "not-allowed"
    title = _("Not allowed")


class CallerMissing(DomainError):
    status = 401
    code = "not-authenticated"
    title = _("No credentials")


class TableBusy(DomainError):
    """Another change or a long read holds the table."""

    status = 503
    code = "table-busy"
    title = _("The table is busy")


class RowsTooLarge(DomainError):
    status = 409
    code = "rows-too-large"
    title = _("These rows are too large to be written at once")


class NotHidden(DomainError):
    status = 409
    code = "not-hidden"
    title = _("This column is not deleted")


class SeveralColumns(DomainError):
    status = 409
    code = "several-columns"
    title = _("Several deleted columns have this key")


class TargetGone(DomainError):
    status = 409
    code = "target-gone"
    title = _("The table that this column refers to is gone")


class KeyReused(DomainError):
    status = 409
    code = "idempotency-key-reused"
    title = _("This Idempotency-Key belongs to another request")


class AnswerTooLarge(DomainError):
    status = 409
    code = "answer-too-large"
    title = _("The answer is too large to be kept for this Idempotency-Key")


class NoSuchTable(NotFound):
    title = _("There is no such table")


class NoSuchColumn(NotFound):
    title = _("There is no such column")


class NoSuchRow(NotFound):
    title = _("There is no such row, or not for you")


class NoSuchImport(NotFound):
    title = _("There is no such import")


class ImportRunning(DomainError):
    status = 409
    code = "import-running"
    title = _("The import has not ended yet")


class ImportUndone(DomainError):
    status = 409
    code = "import-undone"
    title = _("The import was undone")


class NotMendable(DomainError):
    """What the file names is no more, so that its rows have no place to go."""

    status = 409
    code = "not-mendable"
    title = _("These rows can’t be taken in any more")


class BodyCutShort(DomainError):
    code = "body-cut-short"
    title = _("The body ended before its Content-Length")
