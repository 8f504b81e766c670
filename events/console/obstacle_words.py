"""Why somebody can't sign in, in plain words, each with the buttons that mend it."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from authpages.models import User
from authpages.services.sign_in_obstacles import Obstacle, SignInObstacle, sign_in_obstacles


@dataclass(frozen=True, slots=True)
class Mending:
    """A button; `is_post` where it does something at once, else it leads to a page."""

    label: str
    url: str
    is_post: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """`kind` is that of a notice: `bad` keeps them out, `warn` may."""

    kind: str
    title: str
    text: str
    mendings: tuple[Mending, ...] = ()


def obstacles_of(person: User) -> list[Told]:
    """Everything that stands in the person's way, what weighs most first; empty where a login would succeed."""
    return [_tell(person, obstacle) for obstacle in sign_in_obstacles(person)]


def _tell(person: User, obstacle: SignInObstacle) -> Told:
    reset = Mending(_("Send a reset mail"), _address("send-reset", person))
    lift = Mending(_("Lift the throttle"), _address("lift-throttle", person))
    failures = ngettext("%(count)d wrong password in a row.", "%(count)d wrong passwords in a row.", obstacle.failures)
    guessed = failures % {"count": obstacle.failures}
    match obstacle.kind:
        case Obstacle.BLOCKED:
            unblock = Mending(_("Unblock"), _address("unblock", person))
            return Told("bad", _("They are blocked"), _("No login succeeds until they are unblocked."), (unblock,))
        case Obstacle.EMAIL_UNVERIFIED:
            text = _("The settings let in only people whose address is verified.")
            mark = Mending(_("Mark as verified"), _address("verify", person))
            mail = Mending(_("Send a verification mail"), _address("send-verification", person))
            return Told("bad", _("Their address is not verified"), text, (mail, mark))
        case Obstacle.NO_PASSWORD:
            text = _("A reset mail lets them choose one; or set one for them.")
            own = Mending(_("Set a password"), reverse("console-users-password", args=[person.pk]), is_post=False)
            return Told("bad", _("They have no password"), text, (reset, own))
        case Obstacle.PASSWORD_LOGIN_OFF:
            text = _(
                "Login by password is off until they reset it, or you lift this; a right one from a device of theirs "
                "still counts."
            )
            return Told("bad", _("Too many wrong passwords"), f"{guessed} {text}", (reset, lift))
        case Obstacle.THROTTLED:
            return Told("warn", _("They have to wait"), f"{guessed} {_wait_of(obstacle)}", (lift, reset))
        case Obstacle.WRONG_PASSWORD:
            text = (
                _("In a browser of theirs; they may try again now.")
                if obstacle.on_device
                else _("They may try again now.")
            )
            return Told("warn", _("Wrong passwords were tried"), f"{guessed} {text}", (reset, lift))
        case Obstacle.PAGES_OFF:
            settings = Mending(_("Open the settings"), reverse("console-settings"), is_post=False)
            text = _("/login answers 404; your app can still log people in over REST.")
            return Told("warn", _("The hosted pages are off"), text, (settings,))


def _wait_of(obstacle: SignInObstacle) -> str:
    if obstacle.on_device:
        text = _("The next try in a browser of theirs is refused until %(time)s UTC, with the right password, too.")
    else:
        text = _("The next try is refused until %(time)s UTC; a right password from a device of theirs still counts.")
    return text % {"time": f"{obstacle.until:%Y-%m-%d %H:%M:%S}" if obstacle.until else ""}


def _address(action: str, person: User) -> str:
    return reverse(f"console-users-{action}", args=[person.pk])
