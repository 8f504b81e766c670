"""Limits, kept in the database so that all processes share them, counted on the account and on the client's address.

Accounts that anybody can name count by `email_key`, whether they exist or not, so that a limit tells nothing; addresses
count by /64 where IPv6. Keys are hashed: the table holds no one's address.
"""

import hashlib
import ipaddress
import math
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Case, F, When
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages.errors import LoginThrottled, PasswordLoginOff
from authpages.models import KnownDevice, Throttle
from fastgen_backend.errors import TooManyRequests
from fastgen_backend.retention import BITE, delete_some

FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 900
HOUR = timedelta(hours=1)
REFUSALS_PER_ADDRESS_PER_HOUR = 60
ACCOUNTS_AT_AN_ADDRESS = 10  # that use up what people who are logged in may be asked there
QUIET = timedelta(days=90)  # without a failure, then the worker forgets those before


@dataclass(frozen=True, slots=True)
class Limit:
    """So many times an hour for one subject, an account or an address."""

    name: str
    times: int
    subject: str

    @property
    def key(self) -> str:
        return _key(self.name, self.subject)


def sign_up_limits(ip_address: str | None) -> list[Limit]:
    return [Limit("sign-up", settings.SIGNUPS_PER_ADDRESS_PER_HOUR, network_of(ip_address))]


def authorization_limits(ip_address: str | None, user_id: uuid.UUID | None) -> list[Limit]:
    """Of what apps ask of people: each is kept as a row, and anyone can ask. Who is logged in has their own limit."""
    times, network = settings.AUTHORIZATIONS_PER_ADDRESS_PER_HOUR, network_of(ip_address)
    if user_id is None:
        return [Limit("authorization", times, network)]
    of_all = Limit("authorization-of-all", ACCOUNTS_AT_AN_ADDRESS * times, network)
    return [Limit("authorization-of", times, str(user_id)), of_all]


def refusal_limits(ip_address: str | None) -> list[Limit]:
    """Of refused redirects that are noted: each is a row, or counts up one, and room is made by those counts."""
    return [Limit("refused-redirect", REFUSALS_PER_ADDRESS_PER_HOUR, network_of(ip_address))]


def mail_limits(kind: str, email_key: str, ip_address: str | None) -> list[Limit]:
    return [
        Limit(f"mail-{kind}-from", settings.MAILS_PER_ADDRESS_PER_HOUR, network_of(ip_address)),
        Limit(f"mail-{kind}", settings.MAILS_PER_ACCOUNT_PER_HOUR, email_key),
    ]


def sent_mail_limits(kind: str, email_key: str) -> list[Limit]:
    """Of mails that someone else has sent to the account, by what they do as well; its owner's own count apart."""
    return [Limit(f"mail-{kind}-sent", settings.MAILS_PER_ACCOUNT_PER_HOUR, email_key)]


def client_limits(client_id: str, ip_address: str | None) -> list[Limit]:
    """Of wrong secrets of an app; the right one, of 256 bits, is never refused, so nobody can shut an app out."""
    subject = f"{client_id} {network_of(ip_address)}"
    return [Limit("client-secret", settings.CLIENT_FAILURES_PER_ADDRESS_PER_HOUR, subject)]


def count(limits: Iterable[Limit]) -> None:
    """Count one use of each limit, in turn; raises `TooManyRequests` at the first that is used up.

    Those after it are not counted: where an address comes first, one that is over its limit uses up no account's; where
    an account does, it uses up no more of its address's than it may itself. Outside of any transaction.
    """
    if not settings.THROTTLES:
        return
    now = timezone.now()
    used_up = next((limit for limit in limits if _count_one(limit, now) > limit.times), None)
    if used_up:
        over = Throttle.objects.values_list("forgotten_at", flat=True).get(key=used_up.key)
        wait = max(1, _seconds_until(over, now))
        raise TooManyRequests(_("That was too often; please wait a while and try again."), retry_after=wait)


def uncount(limits: Iterable[Limit]) -> None:
    """Take one use of each limit back: what was counted did not come to pass."""
    keys = [limit.key for limit in limits]
    Throttle.objects.filter(key__in=keys, count__gt=0).update(count=F("count") - 1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A password that is tried: on which account, whether it exists or not, from where and, if known, on which device.

    Failures count in a row on the account. A browser that is known for the account has a row of its own instead
    (OWASP, “Slow down online guessing attacks with device cookies”): its owner comes in whatever strangers try
    elsewhere, and whoever stole its cookie may guess no more than they.
    """

    email_key: str
    ip_address: str | None
    device_id: uuid.UUID | None = None

    @property
    def counter(self) -> str:
        return _key("login-device", str(self.device_id)) if self.device_id else self.account

    @property
    def account(self) -> str:
        return _key("login", self.email_key)

    @property
    def address(self) -> Limit:
        return Limit("login-from", settings.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR, network_of(self.ip_address))


@dataclass(frozen=True, slots=True)
class Standing:
    """How an attempt stands that may be made now: the failures in a row before it, and the rows its success ends.

    `guesses` are all rows in a row that it found, which another password ends.
    """

    failures: int = 0
    counters: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()

    @property
    def follows_many_failures(self) -> bool:
        """Whether there were so many that it may be a guess that was right; the owner has a mind to know."""
        return self.failures >= settings.LOGIN_FREE_FAILURES


def check_login(attempt: Attempt, *, lock: bool = False) -> Standing:
    """Raise `LoginThrottled` or `PasswordLoginOff` while attempts like this one must wait.

    With `lock`, inside a transaction, attempts of one row are told their answer one after the other, so that guesses
    sent at once are counted like any others. Rows are locked in the order in which failures are counted, the address's
    last, so that of two that meet one waits. One from a known device ends the account's row too, as long as that makes
    nobody wait: what strangers slip in between an owner's logins does not add up, and a real attack is never let go.
    """
    if not settings.THROTTLES:
        return Standing()
    if lock:
        _lock(attempt.counter)
    found = Throttle.objects.select_for_update() if lock else Throttle.objects.all()
    keys = {attempt.counter, attempt.account, attempt.address.key}
    address_last = Case(When(key=attempt.address.key, then=1), default=0)
    rows = {row.key: row for row in found.filter(key__in=keys).order_by(address_last, "key")}
    own, account = rows.get(attempt.counter), rows.get(attempt.account)
    if own and own.count >= settings.LOGIN_MAX_FAILURES:
        raise PasswordLoginOff
    now = timezone.now()
    waiting = [own] if attempt.device_id else [own, rows.get(attempt.address.key)]
    if wait := max((_seconds_until(row.blocked_until, now) for row in waiting if row), default=0):
        raise LoginThrottled(_("Too many failed attempts; please wait %(s)d seconds.") % {"s": wait}, retry_after=wait)
    ended = {own, account if account and account.count < settings.LOGIN_FREE_FAILURES else None}
    counters, guesses = (tuple(row.key for row in some if row) for some in (ended, {own, account}))
    return Standing(own.count if own else 0, counters, guesses)


def count_failed_login(attempt: Attempt) -> None:
    """Count a failure on the address, per hour, and in a row on the account or the known device. In a transaction.

    A device on which one row grew as long as may be is no known one any more.
    """
    if not settings.THROTTLES:
        return
    now = timezone.now()
    failures = _count_in_a_row(attempt.counter, now)
    address = attempt.address
    if _count_one(address, now) > address.times:
        Throttle.objects.filter(key=address.key).update(blocked_until=F("forgotten_at"))
    counter = Throttle.objects.filter(key=attempt.counter)
    if attempt.device_id and failures >= settings.LOGIN_MAX_FAILURES:
        counter.delete()
        KnownDevice.objects.filter(pk=attempt.device_id).delete()
    elif failures >= settings.LOGIN_FREE_FAILURES:
        doublings = min(failures - settings.LOGIN_FREE_FAILURES, 20)
        wait = min(FIRST_WAIT_SECONDS * 2**doublings, LONGEST_WAIT_SECONDS)
        counter.update(blocked_until=now + timedelta(seconds=wait))


def forget_failures(standing: Standing) -> None:
    """An attempt succeeded: the rows that stood against it are over."""
    _delete(standing.counters)


def forget_guesses(standing: Standing) -> None:
    """Another password was set by who knew the one before: every row of guesses that was found is over.

    Only these, which are locked: to lock another, now that the account is, could meet who waits the other way round.
    """
    _delete(standing.guesses)


def failed_logins(email_key: str) -> Throttle | None:
    """The failures in a row on this account, and until when they make the next attempt wait; None without any."""
    return Throttle.objects.filter(key=_key("login", email_key)).first() if settings.THROTTLES else None


def failed_logins_on(device_ids: Iterable[uuid.UUID]) -> list[Throttle]:
    """The failures in a row on each of these known devices, of those that have any."""
    keys = [Attempt("", None, device_id).counter for device_id in device_ids]
    return list(Throttle.objects.filter(key__in=keys)) if settings.THROTTLES and keys else []


def forget_failed_logins(email_key: str, device_ids: Iterable[uuid.UUID] = ()) -> None:
    """A reset succeeded, or an admin says so: the account's row of failures is over, and those of its devices.

    In a transaction, which takes their locks in the order of `check_login`.
    """
    attempts = [Attempt(email_key, None, device_id) for device_id in (None, *device_ids)]
    found = Throttle.objects.select_for_update().filter(key__in=[attempt.counter for attempt in attempts])
    Throttle.objects.filter(key__in=list(found.order_by("key").values_list("key", flat=True))).delete()


def delete_forgotten(at_once: int = BITE) -> None:
    """Delete what counts no more, in small transactions; what someone counts on just now is left for the next time."""
    forgotten = Throttle.objects.filter(forgotten_at__lte=timezone.now()).order_by("forgotten_at")
    while delete_some(forgotten, at_once):
        pass


def network_of(ip_address: str | None) -> str:
    """Whom an address stands for: itself, or its /64 where IPv6, which is what one customer of a provider gets."""
    if not ip_address:
        return "unknown"
    address = ipaddress.ip_address(ip_address)
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def _count_one(limit: Limit, now: datetime) -> int:
    """One more use, in a window that begins with the first; answers how many that makes. One atomic statement."""
    over, start = (connection.ops.adapt_datetimefield_value(moment) for moment in (now + HOUR, now))
    return _upsert(
        "INSERT INTO authpages_throttle (key, count, forgotten_at) VALUES (%s, 1, %s) ON CONFLICT (key) DO UPDATE SET "
        "count = CASE WHEN authpages_throttle.forgotten_at > %s THEN authpages_throttle.count + 1 ELSE 1 END, "
        "blocked_until = CASE WHEN authpages_throttle.forgotten_at > %s THEN authpages_throttle.blocked_until END, "
        "forgotten_at = CASE WHEN authpages_throttle.forgotten_at > %s THEN authpages_throttle.forgotten_at "
        "ELSE excluded.forgotten_at END RETURNING count",
        [limit.key, over, start, start, start],
    )


def _count_in_a_row(key: str, now: datetime) -> int:
    """One more failure, remembered for 90 days; one too many, until it is forgotten on purpose."""
    forgotten = connection.ops.adapt_datetimefield_value(now + QUIET)
    return _upsert(
        "INSERT INTO authpages_throttle (key, count, forgotten_at) VALUES (%s, 1, %s) ON CONFLICT (key) DO UPDATE SET "
        "count = authpages_throttle.count + 1, "
        "forgotten_at = CASE WHEN authpages_throttle.count + 1 < %s THEN excluded.forgotten_at END RETURNING count",
        [key, forgotten, settings.LOGIN_MAX_FAILURES],
    )


def _delete(keys: Collection[str]) -> None:
    if keys:
        Throttle.objects.filter(key__in=keys).delete()


def _lock(key: str) -> None:
    """Hold off other transactions that ask for this, until the caller's ends; SQLite has one at a time anyway.

    Not a lock on the row: before the first failure there is none.
    """
    if connection.vendor == "postgresql":
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _upsert(statement: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0])


def _seconds_until(moment: datetime | None, now: datetime) -> int:
    return max(0, math.ceil((moment - now).total_seconds())) if moment else 0


def _key(name: str, subject: str) -> str:
    return f"{name}:{hashlib.sha256(subject.encode('utf-8', 'surrogatepass')).hexdigest()[:48]}"
