"""The product's logo: fetched once, decoded to be sure that it is a picture, and served by ourselves."""

import asyncio
import io

from django.utils.translation import gettext as _
from PIL import Image

from authpages.errors import SettingInvalid
from fastgen_backend.targets import fetch

MAX_BYTES = 256 * 1024
MAX_PIXELS = 4_000_000
FORMATS = ["PNG", "JPEG", "WEBP"]
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}  # MPO: a phone's JPEG


def fetch_logo(url: str) -> tuple[bytes, str]:
    """The picture at `url`, fetched through the target guard, and its media type; raises a `DomainError`."""
    picture = asyncio.run(fetch(url, max_bytes=MAX_BYTES))
    return picture, picture_type(picture)


def picture_type(picture: bytes) -> str:
    """The media type of a PNG, JPEG or WebP of at most 256 kB and 4 megapixels; raises `SettingInvalid`.

    SVG is refused: it can carry script.
    """
    if len(picture) > MAX_BYTES:
        raise SettingInvalid(_("The logo may have 256 kB at most."), field="logoUrl")
    try:
        with Image.open(io.BytesIO(picture), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.load()
            return TYPES[str(image.format)]
    except Image.DecompressionBombError:  # Pillow's own limit is far higher
        raise SettingInvalid(_("The logo may have 4 megapixels at most."), field="logoUrl") from None
    except (OSError, ValueError, SyntaxError):
        raise SettingInvalid(_("The logo must be a PNG, JPEG or WebP picture."), field="logoUrl") from None
