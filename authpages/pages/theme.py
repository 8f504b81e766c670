"""The customer's accent colour as a stylesheet, with the shades that keep text on it and in it readable (WCAG 2.2)."""

import re

DEFAULT = "#4f46e5"
READABLE = 4.5  # contrast of text, WCAG 1.4.3
LIGHT_GROUND = "#f1f2f4"  # the darkest ground of the light scheme that text in the accent stands on, and
DARK_GROUND = "#202228"  # the lightest of the dark one; see tokens.css

Colour = tuple[float, float, float]


def stylesheet(accent: str) -> str:
    """The custom properties that tokens.css leaves to the settings; `accent` is `#rrggbb`."""
    colour = _parse(accent if re.fullmatch(r"#[0-9a-fA-F]{6}", accent) else DEFAULT)
    ink = "#ffffff" if contrast(colour, _parse("#ffffff")) >= READABLE else "#000000"
    away_from_ink = _parse("#000000" if ink == "#ffffff" else "#ffffff")
    hover = _mix(colour, away_from_ink, 0.12)
    on_light, on_dark = readable(colour, _parse(LIGHT_GROUND)), readable(colour, _parse(DARK_GROUND))
    return (
        f":root {{ --accent: {_hex(colour)}; --accent-ink: {ink}; --accent-hover: {_hex(hover)}; "
        f"--accent-text: light-dark({_hex(on_light)}, {_hex(on_dark)}); }}\n"
    )


def readable(colour: Colour, ground: Colour) -> Colour:
    """`colour`, moved no further from itself than it takes to be read on `ground`."""
    pole: Colour = (0, 0, 0) if _luminance(ground) > 0.5 else (255, 255, 255)
    shades = (_mix(colour, pole, step / 20) for step in range(21))
    return next(shade for shade in shades if contrast(shade, ground) >= READABLE)


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21, by WCAG's formula."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (each / 255 for each in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _parse(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in colour)
