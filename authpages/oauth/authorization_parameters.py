"""What an app may write into an authorization request (OpenID Connect Core, 3.1.2.1), and what it means.

Refusals are in ASCII and in English: they travel in an address, to the app's developer.
"""

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oidc.core.errors import (
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)
from django.http import QueryDict

from authpages.id_tokens import read_hint, was_our_hint
from authpages.models.apps import LONGEST_NONCE
from authpages.oauth.provider import Asked
from authpages.services.authorization import Wanted, max_age_of, prompts_of
from fastgen_backend.limits import LONGEST_EMAIL

PROMPTS = ("none", "login", "consent", "select_account", "create")  # the last: Initiating User Registration 1.0
CHARACTERS = {"nonce": LONGEST_NONCE, "scope": 1000, "prompt": 200, "ui_locales": 200, "acr_values": 500}
CHECKED = ("response_type", "response_mode", "prompt", "max_age", "scope", "nonce", "state")
FOR_THE_PERSON = ("login_hint", "ui_locales")
KEPT = ("client_id", "redirect_uri", *CHECKED, "code_challenge", "code_challenge_method", *FOR_THE_PERSON)
SENT_ON = (*KEPT, "id_token_hint")
LONGEST_STATE = 2000  # characters, as are the following
LONGEST_HINT = 8000
LONGEST_REQUEST = 16_000  # of all that is sent on, encoded: Django leads to no longer address
VISIBLE = re.compile(r"[ -~]*", re.ASCII)  # VSCHAR of RFC 6749, appendix A
DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)


class AuthorizationParameters:
    """An extension of the grant: all that is wrong with a request of an app that people may be sent back to."""

    def __call__(self, grant: Any) -> None:
        """Before PKCE and scope, because what is not understood at all is to be told first."""
        grant.register_hook("before_validate_authorization_request_payload", self.check)

    def check(self, grant: Any, redirect_uri: str) -> None:
        asked: Asked = grant.request
        asked.refuse_repeated()
        _refuse_what_is_not_supported(asked)
        for name, rule in RULES.items():
            value = asked.payload.data.get(name)
            if value and (reason := rule(value)):
                raise InvalidRequestError(reason)
        if len(urlencode(parameters_to_send_on(asked))) > LONGEST_REQUEST:
            raise InvalidRequestError("The parameters are too long, all together.")
        asked.person = _person_meant_by(asked)


def state_of(asked: Asked) -> str:
    """What goes back to the app as it came; nothing where it is not good, or stands twice."""
    states = asked.payload.datalist.get("state", [])
    return states[0] if len(states) == 1 and not RULES["state"](states[0]) else ""


def parameters_to_keep(asked: Asked) -> dict[str, str]:
    """What of a request is kept while the person logs in; beside it, of an ID token, only whom it is about."""
    return {name: value for name, value in parameters_to_send_on(asked).items() if name in KEPT}


def parameters_to_send_on(asked: Asked) -> dict[str, str]:
    """What of a request matters to us."""
    sent = {name: asked.payload.data.get(name, "") for name in SENT_ON}
    if len(sent["login_hint"]) > LONGEST_EMAIL or not sent["login_hint"].isprintable():
        sent["login_hint"] = ""
    return {name: value for name, value in sent.items() if value}


def kept_parameters(parameters: dict[str, str]) -> QueryDict:
    """The same, as a request has them."""
    query = QueryDict(mutable=True)
    query.update(parameters)
    return query


def wanted_by(asked: Asked, redirect_uri: str) -> Wanted:
    """What a request that was found good asks for."""
    sent = asked.payload.data
    return Wanted(
        app=asked.client.app,
        redirect_uri=redirect_uri,
        scope=asked.scope,
        nonce=sent.get("nonce", ""),
        code_challenge=sent["code_challenge"],
        prompts=prompts_of(sent),
        max_age=max_age_of(sent),
        person=asked.person,
    )


def _refuse_what_is_not_supported(asked: Asked) -> None:
    sent = asked.payload.data
    if sent.get("request"):
        raise RequestNotSupportedError("Send the parameters as they are, not in a request object.")
    if sent.get("request_uri"):
        raise RequestURINotSupportedError("Send the parameters as they are, not by request_uri.")
    if sent.get("registration"):
        raise RegistrationNotSupportedError("Apps are registered in the console or by the REST API.")
    if not sent.get("response_type"):
        raise InvalidRequestError("Send response_type=code.")
    if sent["response_type"] != "code":
        raise OAuth2Error("There is response_type code alone, with PKCE.", error="unsupported_response_type")


def _person_meant_by(asked: Asked) -> uuid.UUID | None:
    """Whom the app means by an ID token that it has of them; None for whoever it is.

    A hint that is none would be as good as any person, where the app means one (Core, 3.1.2.1), so it is refused. But
    one by a key that was taken back is nothing an app could do about: it is as if there were none.
    """
    sent = asked.payload.data.get("id_token_hint", "")
    fits = 0 < len(sent) <= LONGEST_HINT
    hint = read_hint(sent) if fits else None
    if hint and hint.app_id == asked.client.app.pk:
        return hint.user_id
    if sent and (hint or not fits or not was_our_hint(sent)):
        raise InvalidRequestError("The id_token_hint is no ID token that we issued to this app.")
    return None


def _why_not_a_state(value: str) -> str:
    if len(value) <= LONGEST_STATE and VISIBLE.fullmatch(value):
        return ""
    return f"The state may have {LONGEST_STATE} printable characters of ASCII at most."


def _why_not_a_mode(value: str) -> str:
    return "" if value == "query" else "There is response_mode query alone."


def _why_not_prompts(value: str) -> str:
    prompts = value.split(" ")
    if any(each not in PROMPTS for each in prompts):
        return f"A prompt is one or some of: {', '.join(PROMPTS)}."
    return "The prompt none stands alone." if "none" in prompts and len(prompts) > 1 else ""


def _why_not_an_age(value: str) -> str:
    return "" if DIGITS.fullmatch(value) else "The max_age is a number of seconds, 0 or more."


def _within(name: str) -> Callable[[str], str]:
    """The rule for a parameter that is a text of bounded length."""

    def why_not(value: str) -> str:
        if len(value) <= CHARACTERS[name] and value.isprintable():
            return ""
        return f"The {name} may have {CHARACTERS[name]} printable characters at most."

    return why_not


RULES: dict[str, Callable[[str], str]] = {
    **{name: _within(name) for name in CHARACTERS},
    "state": _why_not_a_state,
    "response_mode": _why_not_a_mode,
    "prompt": _why_not_prompts,
    "max_age": _why_not_an_age,
}
