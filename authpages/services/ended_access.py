"""What to tell whoever comes with an access token that is good by itself, but stands for something that has ended."""

from django.utils import timezone
from django.utils.translation import gettext as _

from authpages.models import Session
from authpages.tokens import Claims


def why_ended(claims: Claims) -> str:
    """That the session has ended, or an app's access to it alone; and what to do. Asked once the token is refused."""
    if claims.session_id is None:
        return _("The app was deleted, or is asleep as who gave it its scopes is no admin now; see it in the console.")
    person = {"pk": claims.session_id, "user_id": claims.user_id}
    if claims.app_session_id and Session.objects.alive(timezone.now()).filter(**person).exists():
        return _("This app’s access was taken back, or given back, while the session goes on; begin the login anew.")
    return _("This session has ended; log in again.")
