"""The handlers that come with the product."""

from events import mailer

__all__ = ["mailer"]
