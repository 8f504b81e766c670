"""Every setting, with its default; what differs between machines is an environment variable (see .env.example)."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from fastgen_backend.environment import (
    base_url,
    env,
    is_loopback,
    log_level,
    number,
    numbers,
    proxies,
    secret_key,
    switch,
)

BASE_DIR = Path(__file__).resolve().parent.parent
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")
VAR_DIR = BASE_DIR / "var"

# Where we are -------------------------------------------------------------------------------------------------------

DEBUG = switch("DEBUG", False)
BASE_URL = base_url(default="http://127.0.0.1:8000")
BASE_URL_IS_SET = bool(env.str("BASE_URL", default=""))
_host = urlsplit(BASE_URL).hostname or ""
IS_LOOPBACK = is_loopback(_host)
IS_HTTPS = BASE_URL.startswith("https://")
ALLOWED_HOSTS = [f"[{_host}]" if ":" in _host else _host]
if IS_LOOPBACK:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
TRUSTED_PROXIES = proxies("TRUSTED_PROXIES")

SECRET_KEY = secret_key(VAR_DIR / "secret_key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# The house ----------------------------------------------------------------------------------------------------------

ROOT_URLCONF = "fastgen_backend.urls"
WSGI_APPLICATION = "fastgen_backend.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "authpages.User"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # those that we have catalogues for, lest libraries answer in others
LOGIN_URL = "/login"
CONSOLE_LOGIN_URL = "/console/login"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "authpages",  # before Django's: of two commands with one name the first app's counts, and `changepassword` is ours
    "django.contrib.auth",  # for `createsuperuser`; accounts are our own
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "fastgen_backend",
    "datahub",
    "events",
]

MIDDLEWARE = [
    "fastgen_backend.response_headers.SecurityHeadersMiddleware",
    "fastgen_backend.requests.RequestMiddleware",
    "authpages.cors.CorsMiddleware",  # before all that may refuse
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "fastgen_backend.requests.LanguageMiddleware",
    "fastgen_backend.requests.BodyLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "authpages.browser_sessions.BrowserSessionMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 600

# The database -------------------------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{VAR_DIR / 'fastgen.sqlite3'}"
if not DATABASE_URL.startswith(("sqlite://", "postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must be a sqlite:// or postgres:// address; these two are supported.")
try:
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
except (ValueError, ImproperlyConfigured):
    raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:5432/name.") from None
if DATABASE_URL.startswith("sqlite://"):
    DATABASES["default"] |= {
        "ENGINE": "fastgen_backend.sqlite",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        },
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600  # `connections.close_if_dropped` looks whether one still stands
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 30,  # a server that is gone without a word is noticed within a minute
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,  # in milliseconds
        "options": "-c jit=off",  # compiling our short queries takes 150 ms
        "server_side_binding": True,
        "prepare_threshold": 2,  # the third use of a statement prepares it; after five more its plan is kept
    } | DATABASES["default"].get("OPTIONS", {})

# Processes ----------------------------------------------------------------------------------------------------------

WEB_PROCESSES = number("WEB_PROCESSES", min(os.cpu_count() or 1, 4), minimum=1, maximum=64)
WEB_THREADS = number("WEB_THREADS", 8, minimum=1, maximum=256)
WEB_STATEMENT_SECONDS = number("WEB_STATEMENT_SECONDS", 30, minimum=15, maximum=3600)  # more than waits for locks

# Passwords ----------------------------------------------------------------------------------------------------------

PASSWORD_HASHERS = ["authpages.passwords.Argon2idHasher"]
PASSWORD_MIN_LENGTH = number("PASSWORD_MIN_LENGTH", 8, minimum=8, maximum=64)  # NIST SP 800-63B-4, OWASP ASVS 6.2.1
ARGON2_MEMORY_KIB = number("ARGON2_MEMORY_KIB", 19456, minimum=8, maximum=2**22)  # the OWASP floor: 19 MiB, t=2, p=1
ARGON2_TIME_COST = number("ARGON2_TIME_COST", 2, minimum=1, maximum=100)
ARGON2_PARALLELISM = number("ARGON2_PARALLELISM", 1, minimum=1, maximum=16)
HASH_CONCURRENCY = number("HASH_CONCURRENCY", max(1, (os.cpu_count() or 1) // WEB_PROCESSES), minimum=1, maximum=256)

# Sessions, tokens, links --------------------------------------------------------------------------------------------

ACCESS_TOKEN_SECONDS = number("ACCESS_TOKEN_SECONDS", 900, minimum=30, maximum=86_400)
SESSION_DAYS = number("SESSION_DAYS", 100, minimum=1, maximum=3650)
SESSION_IDLE_DAYS = number("SESSION_IDLE_DAYS", 30, minimum=1, maximum=3650)
CONSOLE_SESSION_HOURS = number("CONSOLE_SESSION_HOURS", 12, minimum=1, maximum=720)
REFRESH_REPEAT_SECONDS = number("REFRESH_REPEAT_SECONDS", 10, maximum=60)
VERIFICATION_LINK_HOURS = number("VERIFICATION_LINK_HOURS", 24, minimum=1, maximum=168)
RESET_LINK_MINUTES = number("RESET_LINK_MINUTES", 60, minimum=5, maximum=1440)
SIGNING_KEY_DAYS = number("SIGNING_KEY_DAYS", 90, minimum=0, maximum=3650)  # 0: they are kept until somebody says so

# Throttles ----------------------------------------------------------------------------------------------------------

THROTTLES = switch("THROTTLES", True)
LOGIN_FREE_FAILURES = number("LOGIN_FREE_FAILURES", 10, minimum=1, maximum=100)
LOGIN_MAX_FAILURES = number("LOGIN_MAX_FAILURES", 100, minimum=2, maximum=100)  # NIST SP 800-63B-4 3.2.2
LOGIN_FAILURES_PER_ADDRESS_PER_HOUR = number("LOGIN_FAILURES_PER_ADDRESS_PER_HOUR", 100, minimum=1)
SIGNUPS_PER_ADDRESS_PER_HOUR = number("SIGNUPS_PER_ADDRESS_PER_HOUR", 30, minimum=1)
AUTHORIZATIONS_PER_ADDRESS_PER_HOUR = number("AUTHORIZATIONS_PER_ADDRESS_PER_HOUR", 600, minimum=1)
MAILS_PER_ACCOUNT_PER_HOUR = number("MAILS_PER_ACCOUNT_PER_HOUR", 5, minimum=1)
MAILS_PER_ADDRESS_PER_HOUR = number("MAILS_PER_ADDRESS_PER_HOUR", 30, minimum=1)
CLIENT_FAILURES_PER_ADDRESS_PER_HOUR = number("CLIENT_FAILURES_PER_ADDRESS_PER_HOUR", 30, minimum=1)

# Events -------------------------------------------------------------------------------------------------------------

WEBHOOK_ALLOW_PRIVATE_TARGETS = switch("WEBHOOK_ALLOW_PRIVATE_TARGETS", IS_LOOPBACK)
WEBHOOK_TIMEOUT_SECONDS = number("WEBHOOK_TIMEOUT_SECONDS", 15, minimum=1, maximum=60)
WEBHOOK_RETRY_SECONDS = numbers("WEBHOOK_RETRY_SECONDS", [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400])
WORKER_DATABASE_THREADS = number("WORKER_DATABASE_THREADS", 4, minimum=2, maximum=32)
WORKER_SENDS_AT_ONCE = number("WORKER_SENDS_AT_ONCE", 256, minimum=1, maximum=4096)

# Datahub ------------------------------------------------------------------------------------------------------------

COLUMN_RETENTION_DAYS = number("COLUMN_RETENTION_DAYS", 30, minimum=0, maximum=3650)

# Retention ----------------------------------------------------------------------------------------------------------

EVENT_RETENTION_DAYS = number("EVENT_RETENTION_DAYS", 365, minimum=1, maximum=36_500)
ATTEMPT_RETENTION_DAYS = number("ATTEMPT_RETENTION_DAYS", 30, minimum=1, maximum=36_500)
DEAD_LETTER_RETENTION_DAYS = number("DEAD_LETTER_RETENTION_DAYS", 90, minimum=1, maximum=36_500)
SESSION_RETENTION_DAYS = number("SESSION_RETENTION_DAYS", 30, minimum=1, maximum=36_500)
LINK_RETENTION_DAYS = number("LINK_RETENTION_DAYS", 7, minimum=1, maximum=36_500)

# Mail ---------------------------------------------------------------------------------------------------------------

EMAIL_URL_IS_SET = bool(env.str("EMAIL_URL", default=""))
if EMAIL_URL_IS_SET:
    try:
        vars().update(env.email_url("EMAIL_URL"))
    except (ValueError, KeyError, ImproperlyConfigured):
        raise ImproperlyConfigured("EMAIL_URL must look like smtp+tls://user:password@host:587.") from None
else:
    EMAIL_BACKEND = "events.inbox.InboxBackend"
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="") or f"no-reply@{'localhost' if IS_LOOPBACK else _host}"

# Browser security ---------------------------------------------------------------------------------------------------

_cookie_prefix = "__Host-" if IS_HTTPS else ""
CSRF_COOKIE_NAME = f"{_cookie_prefix}fastgen_csrf"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "fastgen_backend.problems.csrf_failure"
SESSION_COOKIE_NAME = f"{_cookie_prefix}fastgen_session"
CONSOLE_COOKIE_NAME = f"{_cookie_prefix}fastgen_console"
SHOWN_ONCE_COOKIE_NAME = f"{_cookie_prefix}fastgen_shown_once"
DEVICE_COOKIE_NAME = f"{_cookie_prefix}fastgen_device"
PENDING_VERIFICATION_COOKIE_NAME = f"{_cookie_prefix}fastgen_pending"
SESSION_COOKIE_SECURE = IS_HTTPS
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = switch("HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = False
SILENCED_SYSTEM_CHECKS = [
    "security.W001",  # SecurityMiddleware: SecurityHeadersMiddleware does its work, and the CSP
    "security.W002",  # X-Frame-Options: it is sent by the same middleware
    "security.W005",  # HSTS for subdomains is the owner's choice: HSTS_SUBDOMAINS
    "security.W021",  # HSTS preload likewise
]

# REST ---------------------------------------------------------------------------------------------------------------

BODY_LIMIT_BYTES = 1_000_000
ROWS_LIMIT_BYTES = 10_000_000
IMPORT_LIMIT_BYTES = 1_000_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = ROWS_LIMIT_BYTES  # of fields beside files; else BodyLimitMiddleware is there first
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a table has up to 400 columns, each with some fields
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "authpages.api.authentication.BearerAuthentication",
        "authpages.api.authentication.ConsoleAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["fastgen_backend.strict_json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "fastgen_backend.openapi.EndpointSchema",
    "EXCEPTION_HANDLER": "fastgen_backend.problems.exception_handler",
    "NON_FIELD_ERRORS_KEY": "",  # as a JSON Pointer to the whole; a member may have any other name
    "DEFAULT_VERSIONING_CLASS": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Fastgen backend",
    "VERSION": "1",
    "DESCRIPTION": (
        "Accounts, sessions, tables, webhooks and the system-event log.\n\n"
        "Apps log people in by OpenID Connect, whose endpoints stand beside this API: "
        f"`{BASE_URL}/.well-known/openid-configuration` tells where. An access token of a first-party app is a bearer "
        "token here, for its person or, by client credentials, for the app itself.\n\n"
        "The examples work when they are pasted into a shell that knows the API and a key. Some keep what a later one "
        "needs in variables.\n\n"
        "```sh\n"
        f"export API={BASE_URL}/api/v1\n"
        "export KEY=$(.venv/bin/python manage.py create_api_key demo --scope '*')\n"
        "```"
    ),
    "OAS_VERSION": "3.1.0",  # the first that tells of webhooks
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "fastgen_backend.openapi.add_refusals",
        "authpages.api.examples.add",
        "datahub.api.examples.add",
        "events.api.examples.add",
        "events.api.documents.add_webhooks",  # after the enums: these have names of their own
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AppType": ["public", "confidential"],
        "ColumnType": "datahub.column_types.BY_NAME",
        "DeliveryState": ["pending", "delivered", "dead"],
        "ImportState": ["running", "done", "failed"],
    },
    "GET_LIB_DOC_EXCLUDES": "fastgen_backend.openapi.bases_without_description",
}

# Logs: no bodies, no query strings, no secrets ----------------------------------------------------------------------

LOG_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"class": "fastgen_backend.logs.NoValues", "format": LOG_LINE}},
    "filters": {"no_refusals": {"()": "fastgen_backend.logs.NoRefusals"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_refusals"]},
    },
    "root": {"handlers": ["console"], "level": log_level("LOG_LEVEL", "WARNING")},
    "loggers": {
        "django": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "psycopg": {"level": "ERROR"},  # it warns of every conflict in a batch, which we tell who sent it
        "fastgen": {"handlers": ["console"], "level": log_level("LOG_LEVEL", "INFO"), "propagate": False},
    },
}
