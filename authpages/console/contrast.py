"""How well text can be read in a customer's colour, in numbers and in words."""

import math
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from authpages.colours import DARK_GROUND, LIGHT_GROUND, READABLE, WHITE, Colour, contrast, from_hex, shades_of, to_hex


@dataclass(frozen=True, slots=True)
class Sample:
    """Text of one colour on a ground of another, with their ratio by WCAG 2.2, and why it is this colour."""

    name: str
    ground: str
    text: str
    ratio: str
    why: str


def contrast_of(accent: str) -> list[Sample]:
    """What is made of `accent`: text on buttons, and links on light and on dark pages; nothing where it is no colour.

    Each reaches 4.5:1, what WCAG 2.2 asks of text (1.4.3).
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", accent):
        return []
    shades = shades_of(from_hex(accent))
    on_buttons = _("White.") if shades.ink == WHITE else _("Black, as white would reach only %(ratio)s.")
    return [
        _sample(_("Buttons"), shades.accent, shades.ink, on_buttons % {"ratio": _ratio(shades.accent, WHITE)}),
        _link(_("Links, light"), LIGHT_GROUND, shades.on_light, shades.accent),
        _link(_("Links, dark"), DARK_GROUND, shades.on_dark, shades.accent),
    ]


def _link(name: str, ground: Colour, shade: Colour, accent: Colour) -> Sample:
    words = {"shade": to_hex(shade), "ratio": _ratio(ground, accent)}
    if contrast(ground, accent) >= READABLE:
        why = _("Your colour itself.")
    elif ground == LIGHT_GROUND:
        why = _("%(shade)s, which is darker, as your colour would reach only %(ratio)s.")
    else:
        why = _("%(shade)s, which is lighter, as your colour would reach only %(ratio)s.")
    return _sample(name, ground, shade, why % words)


def _sample(name: str, ground: Colour, text: Colour, why: str) -> Sample:
    return Sample(name, to_hex(ground), to_hex(text), _ratio(ground, text), why)


def _ratio(one: Colour, other: Colour) -> str:
    """Never more than it is: 4.499 does not pass for 4.5."""
    return f"{math.floor(contrast(one, other) * 100) / 100:.2f}:1"
