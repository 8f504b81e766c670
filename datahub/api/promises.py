"""Headers that protect a write. To pass over one would break what its sender relies on: it is kept, or refused."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.rest import Endpoint

_no_condition = gettext_lazy("The only condition of a write is If-Match with a row’s revision; leave this header out.")
PROMISES = {  # RFC 9110, 13.1, and the draft of the field Idempotency-Key
    "If-Match": gettext_lazy("Only single rows can be changed or deleted on a condition; leave this header out here."),
    "If-None-Match": _no_condition,
    "If-Unmodified-Since": _no_condition,
    "Idempotency-Key": gettext_lazy("Only rows that are created and imports can be repeated by a key; leave it out."),
}


class PromisingEndpoint(Endpoint):
    """An endpoint whose `obeys` names the methods that keep what a header asks for; every other write refuses it."""

    obeys: ClassVar[Mapping[str, Collection[str]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in SAFE_METHODS:
            return
        for name, detail in PROMISES.items():
            if name in request.headers and request.method not in self.obeys.get(name, ()):
                raise InvalidInput([FieldError(f"/{name}", "not-supported", str(detail))])
