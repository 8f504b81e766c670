"""What the installation as a whole remembers."""

from django.db import models

from fastgen_backend.sealed import SealedField


class Installation(models.Model):
    """One row: a value sealed with SECRET_KEY, so that a start with another key is noticed at once."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    check_value = SealedField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_installation")]

    def __str__(self) -> str:
        return "installation"
