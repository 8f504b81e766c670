"""The customer's accent colour as a stylesheet, with the shades that keep text on it and in it readable (WCAG 2.2)."""

import re

from authpages.colours import from_hex, shades_of, to_hex

DEFAULT = "#4f46e5"


def stylesheet(accent: str) -> str:
    """The custom properties that tokens.css leaves to the settings; `accent` is `#rrggbb`."""
    shades = shades_of(from_hex(accent if re.fullmatch(r"#[0-9a-fA-F]{6}", accent) else DEFAULT))
    return (
        f":root {{ --accent: {to_hex(shades.accent)}; --accent-ink: {to_hex(shades.ink)}; "
        f"--accent-hover: {to_hex(shades.hover)}; "
        f"--accent-text: light-dark({to_hex(shades.on_light)}, {to_hex(shades.on_dark)}); }}\n"
    )
