"""How the hosted pages look and behave."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from authpages.addresses import MAX_LENGTH
from fastgen_backend.prepared import Prepared


class HostedAuthSettings(models.Model):
    """How the hosted pages look and behave: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    pages_enabled = models.BooleanField(default=True)
    callback_url = models.CharField(max_length=2000, blank=True)
    allowed_redirect_urls = models.JSONField(default=list)
    allowed_origins = models.JSONField(null=True)  # None: the origins of the URLs above
    allow_signups = models.BooleanField(default=True)
    require_verified_email = models.BooleanField(default=False)
    builtin_mailer = models.BooleanField(default=True)
    product_name = models.CharField(max_length=60, default="Fastgen")
    logo_url = models.CharField(max_length=2000, blank=True)
    logo = models.BinaryField(null=True)
    logo_type = models.CharField(max_length=20, blank=True)
    accent_color = models.CharField(max_length=7, default="#4f46e5")
    support_email = models.CharField(max_length=MAX_LENGTH, blank=True)
    terms_url = models.CharField(max_length=2000, blank=True)
    privacy_url = models.CharField(max_length=2000, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_hosted_auth_settings")]

    def __str__(self) -> str:
        return "hosted authentication settings"

    @property
    def accent_ink(self) -> str:
        """White, or black where white would not reach 4.5:1 on the accent (WCAG 2.2, 1.4.3); one always does."""
        channels = [int(self.accent_color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "#ffffff" if 1.05 / (luminance + 0.05) >= 4.5 else "#000000"

    @classmethod
    def load(cls) -> HostedAuthSettings:
        """The settings as they are now; the defaults where nobody has changed any. The logo's bytes stay behind."""
        return _the_row.first() or cls()


_the_row = Prepared(lambda: HostedAuthSettings.objects.defer("logo").filter(pk=1))
