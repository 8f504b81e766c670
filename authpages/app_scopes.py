"""What the scopes that apps ask for let them learn, in the words of the person they learn it of."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, Promise] = {
    "openid": _("Recognise you when you come back"),
    "profile": _("See your name and your language"),
    "email": _("See your e-mail address, and whether it is verified"),
    "roles": _("See which roles you have"),
    "offline_access": _("Stay connected while you are away"),
}


def words_of(scope: str) -> list[Promise]:
    """A line for each that there is; who asks for nothing still recognises people."""
    asked = {"openid", *scope.split()}
    return [words for name, words in WORDS.items() if name in asked]
