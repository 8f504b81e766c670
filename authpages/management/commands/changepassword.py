"""`manage.py changepassword`: a new password for whoever nobody else can let in, such as the only admin."""

import warnings
from argparse import ArgumentParser
from getpass import GetPassWarning, getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authpages.addresses import is_usable
from authpages.models import User
from authpages.services.user_changes import change_user
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import COMMAND_LINE
from fastgen_backend.startup import check_installation


class Command(BaseCommand):
    help = (
        "Sets somebody's password, an admin's too; it is asked for twice and not shown. Every session of theirs ends, "
        "links that were mailed to them work no more, and the failures of logins are forgotten."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address of the account")

    def handle(self, *args: Any, **options: Any) -> None:
        check_installation()
        email = options["email"]
        user = User.objects.by_email(email).first() if is_usable(email) else None
        if user is None:
            raise CommandError("There is no account with this address.")
        password = _ask(f"New password for {user.email}: ")
        if _ask("The same again: ") != password:
            raise CommandError("The two passwords differ. Nothing was changed.")
        try:
            change_user(user_id=user.pk, changes={"password": password}, origin=COMMAND_LINE)
        except DomainError as refusal:
            raise CommandError(f"{refusal.detail} Nothing was changed.") from None
        self.stdout.write(f"The password of {user.email} is changed, and every session of theirs has ended.")


def _ask(prompt: str) -> str:
    """What is typed, unseen; raises `CommandError` where it would be seen, or nobody is there to type."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)
            return getpass(prompt)
    except (GetPassWarning, EOFError):
        raise CommandError("A password is typed at a terminal; there is none here. Nothing was changed.") from None
