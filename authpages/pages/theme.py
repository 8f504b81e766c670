"""The customer's accent colour as a stylesheet, with the shades that keep text on it and in it readable (WCAG 2.2)."""

import re

from authpages.colours import BLACK, WHITE, from_hex, ink_on, mix, readable, to_hex

DEFAULT = "#4f46e5"
LIGHT_GROUND = "#f1f2f4"  # the darkest ground of the light scheme that text in the accent stands on, and
DARK_GROUND = "#202228"  # the lightest of the dark one; see tokens.css


def stylesheet(accent: str) -> str:
    """The custom properties that tokens.css leaves to the settings; `accent` is `#rrggbb`."""
    colour = from_hex(accent if re.fullmatch(r"#[0-9a-fA-F]{6}", accent) else DEFAULT)
    ink = ink_on(colour)
    hover = mix(colour, BLACK if ink == WHITE else WHITE, 0.12)
    on_light, on_dark = readable(colour, from_hex(LIGHT_GROUND)), readable(colour, from_hex(DARK_GROUND))
    return (
        f":root {{ --accent: {to_hex(colour)}; --accent-ink: {to_hex(ink)}; --accent-hover: {to_hex(hover)}; "
        f"--accent-text: light-dark({to_hex(on_light)}, {to_hex(on_dark)}); }}\n"
    )
