"""The product's logo: sent or fetched once, decoded, drawn anew, and served by ourselves."""

import asyncio
import hashlib
import io
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from authpages.errors import SettingInvalid
from fastgen_backend.targets import fetch

MAX_BYTES = 256 * 1024
MAX_PIXELS = 4_000_000
LARGEST = (1024, 512)  # pages show 180 by 40 at most; this is enough for any screen
FORMATS = ["PNG", "JPEG", "WEBP"]
KEPT_AS = {"PNG": "PNG", "JPEG": "JPEG", "MPO": "JPEG", "WEBP": "WEBP"}  # MPO: a phone's JPEG
OPTIONS: dict[str, dict[str, Any]] = {"PNG": {"optimize": True}, "JPEG": {"quality": 90}, "WEBP": {"quality": 90}}


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that holds nothing but pixels; `version` differs where the picture does."""

    picture: bytes
    media_type: str

    @property
    def version(self) -> str:
        return hashlib.sha256(self.picture).hexdigest()[:16]


def fetch_logo(url: str) -> Logo:
    """The picture at `url`, fetched through the target guard; raises a `DomainError`."""
    return read_logo(asyncio.run(fetch(url, max_bytes=MAX_BYTES)))


def read_logo(sent: bytes) -> Logo:
    """A PNG, JPEG or WebP of at most 256 kB and 4 megapixels, drawn anew; raises `SettingInvalid`.

    Only its pixels are kept, of at most 1024 × 512: no metadata, such as the place where a photograph was taken, and
    nothing that was hidden behind or between them for another program to read. SVG is refused: it can carry script.
    """
    if len(sent) > MAX_BYTES:
        raise SettingInvalid(_("The logo may have 256 kB at most."), field="logoUrl")
    try:
        with Image.open(io.BytesIO(sent), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            return _drawn_anew(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow's own limits are far higher
        raise SettingInvalid(_("The logo may have 4 megapixels at most."), field="logoUrl") from None
    except Exception:  # decoders stumble over broken pictures in more ways than they document
        raise SettingInvalid(_("The logo must be a PNG, JPEG or WebP picture."), field="logoUrl") from None


def _drawn_anew(image: Image.Image) -> Logo:
    kind = KEPT_AS[str(image.format)]
    mode = "RGBA" if image.has_transparency_data and kind != "JPEG" else "RGB"
    upright = ImageOps.exif_transpose(image).convert(mode)
    upright.thumbnail(LARGEST)
    fresh = Image.new(mode, upright.size)  # a copy would keep what else the file said
    fresh.paste(upright)
    file = io.BytesIO()
    fresh.save(file, kind, **OPTIONS[kind])
    return Logo(file.getvalue(), f"image/{kind.lower()}")
