"""Columns of secrets, so that everything that was ever sealed can be found."""

from typing import Any

from django.db import models


class SealedField(models.BinaryField):  # type: ignore[type-arg]  # not at run time
    """Bytes that the vault sealed: `reencrypt` seals them anew. To the database they are bytes like any others."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", args, kwargs
