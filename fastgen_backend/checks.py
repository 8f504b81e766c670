"""System checks: settings that are each fine and together are not."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def mail_leaves_a_public_installation(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Only on a loopback address may mail stay in the development inbox, where admins can read it."""
    if settings.IS_LOOPBACK or settings.EMAIL_URL_IS_SET:
        return []
    sentence = (
        f"BASE_URL is {settings.BASE_URL}, so EMAIL_URL has to say how mail is sent, "
        "such as smtp+tls://user:password@host:587."
    )
    return [Error(sentence, id="fastgen.E001")]
