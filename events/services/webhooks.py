"""Webhooks: creating, changing and deleting them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from events.filters import FILTERS_MAX, check_filter
from events.models import Attempt, Subscriber, Webhook
from events.services.arranging import begin_to_arrange
from events.services.custom_headers import masked_headers, seal_headers
from events.services.switching import before_switching_on, switch_off, switch_on
from events.services.taking_back import take_back
from events.signing import make_secret, shown_secret
from fastgen_backend import vault
from fastgen_backend.errors import DomainError, FieldError, InvalidInput, NotFound
from fastgen_backend.origin import Origin
from fastgen_backend.targets import check_url, is_same_origin
from fastgen_backend.time_limits import unlimited

CONCURRENCY_MAX = 100
RATE_MAX = 1000
BOTH_SIGN = timedelta(hours=24)  # after a rotation, as Standard Webhooks advises
SUBSCRIBER_FIELDS = {"filters", "max_concurrency", "rate_per_second"}


class SecretsNotAllowed(DomainError):
    """Tokens and links go only where someone who may see them sends them."""

    status = 403
    code = "secrets-not-allowed"
    title = "These credentials may not send secrets anywhere"
    field = "includeSecrets"


class NewWebhook(NamedTuple):
    """A webhook and its secret, `whsec_…`, told this once."""

    webhook: Webhook
    secret: str


def read_webhook(webhook_id: UUID) -> Webhook:
    """One webhook with its subscriber; raises `NotFound`."""
    webhook = Webhook.objects.select_related("subscriber").filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFound("There is no such webhook.")
    return webhook


def create_webhook(
    *,
    url: str,
    filters: list[str],
    origin: Origin,
    may_see_secrets: bool,
    description: str = "",
    mode: str = Webhook.Mode.PARALLEL,
    max_concurrency: int = 10,
    rate_per_second: int | None = None,
    headers: Mapping[str, str] | None = None,
    include_secrets: bool | None = None,
) -> NewWebhook:
    """Subscribe `url` to the events that `filters` name; its share begins with what happens from now on.

    `include_secrets` is on by default for who may see secrets. Raises `InvalidInput` or `SecretsNotAllowed`.
    """
    subscriber = Subscriber(
        kind=Subscriber.Kind.WEBHOOK, filters=filters, max_concurrency=max_concurrency, rate_per_second=rate_per_second
    )
    _check(url, subscriber)
    sealed_headers = seal_headers(headers or {})
    if include_secrets and not may_see_secrets:
        raise SecretsNotAllowed("Only credentials with the scope events:secrets may switch includeSecrets on.")
    secret = make_secret()
    with transaction.atomic():
        subscriber.save(force_insert=True)
        webhook = Webhook.objects.create(
            subscriber=subscriber,
            url=url,
            description=description,
            mode=mode,
            sealed_headers=sealed_headers,
            include_secrets=may_see_secrets if include_secrets is None else include_secrets,
            sealed_secret=vault.encrypt(secret),
            made_by=origin.actor,
        )
    return NewWebhook(webhook, shown_secret(secret))


def change_webhook(*, webhook_id: UUID, changes: dict[str, Any], may_see_secrets: bool) -> Webhook:
    """Change what `changes` names: url, description, mode, include_secrets, filters, max_concurrency, enabled, headers
    or rate_per_second.

    Switched on again, or at another URL, it is healthy anew. Switched on, it gets what it was still promised; what it
    missed is kept as its `outages`.
    Raises `NotFound`, `InvalidInput`, or `SecretsNotAllowed` where secrets would go somewhere else than whoever may see
    them decided.
    """
    with transaction.atomic():
        if changes.get("enabled"):
            before_switching_on()
        webhook = _locked(webhook_id)
        subscriber, mode, url = webhook.subscriber, webhook.mode, webhook.url
        for name, value in changes.items():
            _guard_secrets(webhook, name, value, may_see_secrets)
        written = {"sealed_headers", *changes} - {"enabled", "headers"}
        if changes.get("url", url) != url:
            webhook.failing_since, webhook.failures, webhook.open_until = None, 0, None  # it failed elsewhere
            written |= {"failing_since", "failures", "open_until"}
        for name in changes.keys() - {"enabled", "headers"}:
            setattr(subscriber if name in SUBSCRIBER_FIELDS else webhook, name, changes[name])
        _check(webhook.url, subscriber)
        _set_headers(webhook, changes.get("headers"), moves=not is_same_origin(url, webhook.url))
        subscriber.save(update_fields=sorted(SUBSCRIBER_FIELDS))
        webhook.save(update_fields=sorted(written - SUBSCRIBER_FIELDS))  # all else is for others to write
        if webhook.mode != mode:
            begin_to_arrange(webhook)
        _switch(webhook, changes.get("enabled", subscriber.enabled))
    return webhook


def rotate_secret(*, webhook_id: UUID) -> NewWebhook:
    """Give a webhook a new secret, told this once; for 24 hours the one before signs beside it.

    So a receiver that knows either verifies every call meanwhile. Rotated again within that time, the older of both
    is dropped at once: there are never more than two. Raises `NotFound`.
    """
    secret = make_secret()
    sealed = vault.encrypt(secret)
    with transaction.atomic():
        webhook = _locked(webhook_id)
        webhook.retired_secret, webhook.sealed_secret = webhook.sealed_secret, sealed
        webhook.retired_until = timezone.now() + BOTH_SIGN
        webhook.save(update_fields=["sealed_secret", "retired_secret", "retired_until"])
    return NewWebhook(webhook, shown_secret(secret))


def delete_webhook(*, webhook_id: UUID) -> None:
    """Delete a webhook and everything it was promised. Raises `NotFound`.

    It is switched off first and what it was promised deleted in bites, lest the sequencer, and on SQLite whoever
    writes, wait for a long log. Killed amid them, it is off, and can be deleted again.
    """
    with transaction.atomic():
        webhook = _locked(webhook_id)
        _switch(webhook, enabled=False)
    take_back(webhook.subscriber)
    with transaction.atomic(), unlimited():  # it may have been switched on meanwhile
        webhook = _locked(webhook_id)
        subscriber = webhook.subscriber
        list(webhook.trials.select_for_update().values_list("pk"))  # none is finished between its attempts and itself
        for deliveries in (subscriber.deliveries, subscriber.finished_deliveries, webhook.trials):
            Attempt.objects.filter(delivery_id__in=deliveries.values_list("pk", flat=True)).delete()
        subscriber.delete()


def _locked(webhook_id: UUID) -> Webhook:
    """The webhook, its subscriber locked against the sequencer and the workers."""
    subscriber = Subscriber.objects.select_for_update().filter(pk=webhook_id, kind=Subscriber.Kind.WEBHOOK).first()
    if subscriber is None:
        raise NotFound("There is no such webhook.")
    webhook = Webhook.objects.get(pk=webhook_id)
    webhook.subscriber = subscriber
    return webhook


def _guard_secrets(webhook: Webhook, name: str, value: Any, may_see_secrets: bool) -> None:
    if may_see_secrets:
        return
    switches_on = name == "include_secrets" and value and not webhook.include_secrets
    redirects = webhook.include_secrets and (
        (name == "url" and value != webhook.url) or (name == "filters" and value != webhook.subscriber.filters)
    )
    if switches_on or redirects:
        raise SecretsNotAllowed(
            "While includeSecrets is on, only credentials with the scope events:secrets may change url or events; "
            "likewise to switch it on."
        )


def _set_headers(webhook: Webhook, headers: Mapping[str, str] | None, *, moves: bool) -> None:
    """Seal new headers. Those there are don't follow a URL to another host: they may be secrets of the first."""
    if headers is None and moves:
        headers = masked_headers(webhook.sealed_headers)
    if headers is not None:
        webhook.sealed_headers = seal_headers(headers, None if moves else webhook.sealed_headers)


def _switch(webhook: Webhook, enabled: bool) -> None:
    subscriber = webhook.subscriber
    if subscriber.enabled == enabled:
        return
    if enabled:
        switch_on(webhook)
    else:
        switch_off(webhook, reason=Webhook.SWITCHED_OFF)
    subscriber.enabled = enabled


def _check(url: str, subscriber: Subscriber) -> None:
    errors: list[FieldError] = []
    try:
        check_url(url)
    except DomainError as refusal:
        errors += refusal.errors
    filters, rate = subscriber.filters, subscriber.rate_per_second
    if not 1 <= len(filters) <= FILTERS_MAX:
        errors.append(FieldError("/events", "invalid", f"Name from 1 to {FILTERS_MAX} event filters, such as auth.*."))
    for index, text in enumerate(filters):
        try:
            check_filter(text, field=f"events/{index}")
        except DomainError as refusal:
            errors += refusal.errors
    if not 1 <= subscriber.max_concurrency <= CONCURRENCY_MAX:
        detail = f"From 1 to {CONCURRENCY_MAX} deliveries may be under way at once."
        errors.append(FieldError("/maxConcurrency", "invalid", detail))
    if rate is not None and not 1 <= rate <= RATE_MAX:
        detail = f"From 1 to {RATE_MAX} deliveries may begin in a second; null sets no limit."
        errors.append(FieldError("/ratePerSecond", "invalid", detail))
    if errors:
        raise InvalidInput(errors)
