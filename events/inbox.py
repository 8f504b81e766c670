"""The development inbox: a mail backend that keeps the newest mails in the database instead of sending them."""

from collections.abc import Sequence
from email.mime.base import MIMEBase

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from events.models import InboxMail

KEPT = 500
LONGEST_SUBJECT = 998


class InboxBackend(BaseEmailBackend):
    """What `EMAIL_URL` unset stands for; the console shows the mails at `/console/inbox`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep the mails, forget all but the newest 500; answers how many were kept."""
        mails = [_to_keep(message) for message in email_messages if message.recipients()]
        with transaction.atomic():
            for mail in mails:
                mail.save(force_insert=True)
            forget_older_than_newest(KEPT)
        return len(mails)


def forget_older_than_newest(count: int) -> None:
    """Delete all but the newest `count` mails."""
    newest_first = InboxMail.objects.order_by("-pk").values_list("pk", flat=True)
    too_old = newest_first[count : count + 1].first()
    if too_old is not None:
        InboxMail.objects.filter(pk__lte=too_old).delete()


def _to_keep(message: EmailMessage) -> InboxMail:
    return InboxMail(
        sender=message.from_email[:320],
        recipients=message.recipients(),
        subject=" ".join(str(message.subject).split())[:LONGEST_SUBJECT],
        text=str(message.body),
        html=_html_of(message),
    )


def _html_of(message: EmailMessage) -> str:
    """The HTML part, where there is one."""
    for part in getattr(message, "alternatives", []):
        content, kind = part
        if kind == "text/html" and not isinstance(content, MIMEBase):
            return str(content)
    return ""
