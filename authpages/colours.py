"""Colours, and which of them can be read on which (WCAG 2.2)."""

from dataclasses import dataclass

READABLE = 4.5  # contrast of text, WCAG 1.4.3
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
LIGHT_GROUND = (0xF1, 0xF2, 0xF4)  # the darkest ground of the light scheme that text in the accent stands on, and
DARK_GROUND = (0x20, 0x22, 0x28)  # the lightest of the dark one; see tokens.css

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shades:
    """An accent, and what is made of it so that text on it and in it can be read."""

    accent: Colour
    ink: Colour  # of text on the accent
    hover: Colour
    on_light: Colour  # the accent as text, on the pages' grounds
    on_dark: Colour


def shades_of(accent: Colour) -> Shades:
    ink = ink_on(accent)
    hover = mix(accent, BLACK if ink == WHITE else WHITE, 0.12)
    return Shades(accent, ink, hover, readable(accent, LIGHT_GROUND), readable(accent, DARK_GROUND))


def ink_on(ground: Colour) -> Colour:
    """White, or black where white can't be read on `ground`; one of them always can."""
    return WHITE if contrast(ground, WHITE) >= READABLE else BLACK


def readable(colour: Colour, ground: Colour) -> Colour:
    """`colour`, moved no further from itself than it takes to be read on `ground`."""
    pole = BLACK if _luminance(ground) > 0.5 else WHITE
    shades = (mix(colour, pole, step / 20) for step in range(21))
    return next(shade for shade in shades if contrast(shade, ground) >= READABLE)


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21, by WCAG's formula."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """`colour` with so much of `other` in it, from 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def from_hex(text: str) -> Colour:
    """The colour that `#rrggbb` is."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def to_hex(colour: Colour) -> str:
    """`#rrggbb`."""
    return "#" + "".join(f"{int(part):02x}" for part in colour)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (each / 255 for each in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
