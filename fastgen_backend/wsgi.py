"""The web application, for any WSGI server. Who imports this is the web process: its statements are limited."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.core.wsgi import get_wsgi_application

from fastgen_backend.time_limits import limit_statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastgen_backend.settings")

django_application = get_wsgi_application()
limit_statements()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Django, told that everything is UTF-8.

    It decodes the query with the charset of Content-Type before any middleware could object, and "hex" is a codec, too.
    """
    media_type, *parameters = environ.get("CONTENT_TYPE", "").split(";")
    kept = [each for each in parameters if not each.strip().lower().startswith("charset")]
    environ["CONTENT_TYPE"] = ";".join([media_type, *kept])
    return django_application(environ, start_response)
