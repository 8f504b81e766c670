"""Seals everything anew with the SECRET_KEY of today, so that older keys can be taken out of SECRET_KEY_FALLBACKS."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import models, transaction

from fastgen_backend.sealed import SealedField
from fastgen_backend.vault import is_of_today, reseal

AT_ONCE = 200  # rows in one transaction
PASSES_MAX = 10


@dataclass
class Resealed:
    """How many secrets were sealed anew, and which open with no key: `model id (column)`."""

    number: int = 0
    closed: list[str] = field(default_factory=list)


def reencrypt() -> Resealed:
    """Seal anew what an older key has sealed, in small transactions beside whatever else goes on.

    What is done stays done, so it can be stopped and begun again at any time. A secret that somebody writes meanwhile
    is left to them; that is why it goes over everything until it finds nothing more to do.
    """
    total = Resealed()
    for _pass in range(PASSES_MAX):
        found = _go_over_everything()
        total = Resealed(total.number + found.number, found.closed)
        if not found.number:
            break
    return total


def sealed_fields() -> Iterator[tuple[type[models.Model], SealedField]]:
    """Every column of secrets that there is."""
    for model in apps.get_models():
        for each in model._meta.concrete_fields:
            if isinstance(each, SealedField):
                yield model, each


def _go_over_everything() -> Resealed:
    total = Resealed()
    for model, column in sealed_fields():
        for rows in _batches(model, column.name):
            with transaction.atomic():
                for pk, sealed in rows:
                    _seal_anew(model, column.name, pk, sealed, total)
    return total


def _batches(model: type[models.Model], column: str) -> Iterator[list[tuple[Any, bytes]]]:
    """What an older key has sealed, or none, in the order of ids."""
    there = model._default_manager.exclude(**{column: None}).order_by("pk").values_list("pk", column)
    rows = list(there[:AT_ONCE])
    while rows:
        if old := [(pk, bytes(sealed)) for pk, sealed in rows if not is_of_today(bytes(sealed))]:
            yield old
        rows = list(there.filter(pk__gt=rows[-1][0])[:AT_ONCE])


def _seal_anew(model: type[models.Model], column: str, pk: Any, sealed: bytes, total: Resealed) -> None:
    try:
        anew = reseal(sealed)
    except InvalidToken:
        total.closed.append(f"{model._meta.label} {pk} ({column})")
        return
    total.number += model._default_manager.filter(pk=pk, **{column: sealed}).update(**{column: anew})
