"""What the worker does once a minute: forgetting what is of no more use, and letting keys follow each other."""

from authpages import throttles
from authpages.services.signing_keys import keep_signing_keys
from datahub.services import housekeeping
from events.services import leases, retention
from events.services.trials import forget_trials


def keep_house() -> None:
    """Delete expired secrets, old trials and throttles, and what the Datahub has done with; keep the signing keys."""
    leases.delete_expired_secrets()
    forget_trials()
    retention.forget_retired_secrets()
    throttles.delete_forgotten()
    keep_signing_keys()
    housekeeping.keep_house()
