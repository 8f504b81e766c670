"""Where a request may send people: by 303 alone, and to paths of our own where the request says where to."""

from urllib.parse import unquote, urlencode, urlsplit

from django.http import HttpRequest
from django.http.response import HttpResponseRedirectBase
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST_PATH = 4000


class SeeOther(HttpResponseRedirectBase):
    """303: what comes next is a GET, so a browser never sends a password on (RFC 9700, 4.12)."""

    status_code = 303


class ToApp(SeeOther):
    """A redirect to where an app was registered to send people, whatever the scheme of that (RFC 8252, 7.1)."""

    def __init__(self, uri: str) -> None:
        self.allowed_schemes = [urlsplit(uri).scheme]
        super().__init__(uri)


def next_path(request: HttpRequest) -> str:
    """The `next` of the request's address where it is a path of our own, else nothing."""
    return own_path(request.GET.get("next", ""))


def own_path(text: str) -> str:
    """`text` where every browser takes it for a path on our own origin, else an empty string.

    Refused are other origins in all spellings: `//host`, backslashes, control characters, and encoded ones of these.
    """
    if not text.startswith("/") or len(text) > LONGEST_PATH or "\\" in text or not text.isprintable():
        return ""
    path = unquote(unquote(text.partition("?")[0].partition("#")[0]))
    if path.startswith("//") or "\\" in path or not path.isprintable():
        return ""
    return text if url_has_allowed_host_and_scheme(text, allowed_hosts=None) else ""


def came_from(request: HttpRequest) -> str:
    """The path of the page of our own that led here (Referer), to go back to; empty where none did, or this one."""
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    if page.netloc != request.META.get("HTTP_HOST"):
        return ""
    path = own_path(page._replace(scheme="", netloc="", fragment="").geturl())
    return "" if request.method in {"GET", "HEAD"} and path == request.get_full_path() else path


def with_next(path: str, following: str) -> str:
    """`path`, carrying `following` as its `next` where there is one."""
    between = "&" if "?" in path else "?"
    return f"{path}{between}{urlencode({'next': following}, safe='/')}" if following else path


def with_parameter(url: str, name: str, value: str) -> str:
    """`url` with one more query parameter; what it has already stays as it is, byte for byte."""
    return with_parameters(url, {name: value})


def with_parameters(url: str, parameters: dict[str, str]) -> str:
    """`url` with more query parameters; what it has already stays as it is, byte for byte."""
    address, mark, fragment = url.partition("#")
    between = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{between}{urlencode(parameters)}{mark}{fragment}"
