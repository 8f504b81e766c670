"""What happens to accounts. Sent inside the transaction of the change; every signal carries `user` and `origin`.

Beside them: `email_verification_requested` and `password_reset_requested` carry `link` (the OneTimeLink) and `token`,
`login_failed` carries `email`, `user` (or None) and `reason`; `session_ended` and `token_reused` carry `session`, the
latter the `app` that sent the token too, or None; `user_updated` carries `changed`, the names of the fields that have
other values now; `login_after_failures` carries `failures`, how many there were in a row; `app_authorized` and
`app_revoked` carry `app` and `scope`, in OAuth's words.
"""

from django.dispatch import Signal

user_signed_up = Signal()
sign_up_repeated = Signal()
user_created = Signal()
user_updated = Signal()
user_blocked = Signal()
user_unblocked = Signal()
user_deleted = Signal()
user_logged_in = Signal()
user_logged_out = Signal()
login_failed = Signal()
login_after_failures = Signal()
new_device = Signal()
email_verification_requested = Signal()
email_verified = Signal()
password_reset_requested = Signal()
password_reset = Signal()
password_changed = Signal()
session_ended = Signal()
token_reused = Signal()
app_authorized = Signal()
app_revoked = Signal()
