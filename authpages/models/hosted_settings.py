"""How the hosted pages look and behave."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from authpages.colours import from_hex, ink_on, to_hex
from fastgen_backend.limits import LONGEST_EMAIL, LONGEST_URL
from fastgen_backend.prepared import Prepared


class HostedAuthSettings(models.Model):
    """How the hosted pages look and behave: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    pages_enabled = models.BooleanField(default=True)
    callback_url = models.CharField(max_length=LONGEST_URL, blank=True)
    allowed_redirect_urls = models.JSONField(default=list)
    allowed_origins = models.JSONField(null=True)  # None: the origins of the URLs above
    allow_signups = models.BooleanField(default=True)
    require_verified_email = models.BooleanField(default=False)
    builtin_mailer = models.BooleanField(default=True)
    product_name = models.CharField(max_length=60, default="Fastgen")
    logo_url = models.CharField(max_length=LONGEST_URL, blank=True)
    logo = models.BinaryField(null=True)
    logo_type = models.CharField(max_length=20, blank=True)  # empty where there is no logo
    logo_version = models.CharField(max_length=16, blank=True)
    accent_color = models.CharField(max_length=7, default="#4f46e5")
    support_email = models.CharField(max_length=LONGEST_EMAIL, blank=True)
    terms_url = models.CharField(max_length=LONGEST_URL, blank=True)
    privacy_url = models.CharField(max_length=LONGEST_URL, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_hosted_auth_settings")]

    def __str__(self) -> str:
        return "hosted authentication settings"

    @property
    def accent_ink(self) -> str:
        """The colour of text on the accent."""
        return to_hex(ink_on(from_hex(self.accent_color)))

    @classmethod
    def load(cls) -> HostedAuthSettings:
        """The settings as they are now; the defaults where nobody has changed any. The logo's bytes stay behind."""
        return _the_row.first() or cls()


_the_row = Prepared(lambda: HostedAuthSettings.objects.defer("logo").filter(pk=1))
