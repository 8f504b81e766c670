"""What a call to a webhook looks like, for people who read the delivery log: all of it but its secrets."""

from dataclasses import dataclass
from typing import Any

from events.envelope import MASK, envelope
from events.services.custom_headers import masked_headers
from events.services.delivery_log import LoggedDelivery
from events.services.sending import HEADERS
from events.signing import signed_headers


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A POST to `url`; `body` is the envelope with its secrets masked, as its JSON would be read."""

    url: str
    headers: dict[str, str]
    body: dict[str, Any]


def shown_request(delivery: LoggedDelivery) -> ShownRequest:
    """The call as it was last made, or will first be; each attempt has its own time, and so its own signature.

    The signature is masked: whoever had it could send the same call again, for as long as receivers take it for new.
    """
    event, webhook = delivery.event, delivery.webhook
    last = delivery.attempts[-1] if delivery.attempts else None
    signed = signed_headers(event.public_id, int(last.at.timestamp()) if last else 0, b"", keys=[])
    signed |= {"webhook-signature": f"v1,{MASK}"}
    if last is None:
        del signed["webhook-timestamp"]  # it is made when the call is
    return ShownRequest(
        url=last.url if last and last.url else webhook.url,
        headers=HEADERS | masked_headers(webhook.sealed_headers) | signed,
        body=envelope(event) | ({"test": True} if delivery.is_test else {}),
    )
