"""The console's lists: page by page from where the last one ended, however long they are."""

from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from django.db.models import QuerySet
from django.http import HttpRequest
from django.views.generic.base import TemplateView

from fastgen_backend.console import WHAT_DONE, AdminsOnly
from fastgen_backend.keyset import Row, rows_after

CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list; each address keeps what is asked for, and is empty where there is no such page."""

    rows: list[Row]
    first_url: str
    next_url: str


class ListPage(AdminsOnly, TemplateView):
    """A list whose rows are in the context's `page`; `?cursor=` says where it goes on.

    `order` names columns that together are unique, each with a minus where it runs backwards; where there is an index
    in this order, the last page is as quick as the first. `console/parts/pager.html` leads from page to page.
    """

    http_method_names = ["get", "head", "options"]
    order: ClassVar[tuple[str, ...]] = ("-id",)
    page_size: ClassVar[int] = 50

    def rows(self) -> QuerySet[Any]:
        """All rows of the list, in any order."""
        raise TypeError(f"{type(self).__name__} does not say what it lists.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **{"page": page_of(self.request, self.rows(), self.order, self.page_size), **kwargs}
        )


def page_of(request: HttpRequest, rows: QuerySet[Row], order: tuple[str, ...], size: int = 50) -> Page[Row]:
    """The page of `rows` that the request's `cursor` begins, in this order; raises `InvalidInput` for a wrong one."""
    cursor = request.GET.get(CURSOR, "")
    found, following = rows_after(cursor, rows, order=order, limit=size)
    first_url = _address(request, "") if cursor else ""
    return Page(found, first_url, _address(request, following) if following else "")


def _address(request: HttpRequest, cursor: str) -> str:
    """This page's address with another cursor, or none."""
    asked = request.GET.copy()
    asked.pop(WHAT_DONE, None)
    asked.pop(CURSOR, None)
    if cursor:
        asked[CURSOR] = cursor
    return f"{request.path}?{asked.urlencode()}" if asked else request.path
