"""A small picture of what is left of a suite's items: a square each, the darker, the less."""

from __future__ import annotations

from collections.abc import Sequence

SIDE, GAP, PER_ROW = 14, 3, 12
FULL, EMPTY, USED = (214, 232, 240), (22, 78, 112), "#565c65"


def exposure_svg(left: Sequence[int | None], most: int) -> str:
    """Squares in the order of the items; None is one that is used up, crossed out."""
    step = SIDE + GAP
    rows = -(-len(left) // PER_ROW) or 1
    width, height = step * min(len(left), PER_ROW) + GAP, step * rows + GAP
    parts = []
    for number, value in enumerate(left):
        x, y = GAP + step * (number % PER_ROW), GAP + step * (number // PER_ROW)
        parts.append(_square(x, y, value, most))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
    )


def _square(x: int, y: int, value: int | None, most: int) -> str:
    box = f'<rect x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" rx="2"'
    if value is None:
        end_x, end_y = x + SIDE - 3, y + SIDE - 3
        return (
            f'{box} fill="none" stroke="{USED}"/>'
            f'<path d="M{x + 3} {y + 3}L{end_x} {end_y}M{end_x} {y + 3}L{x + 3} {end_y}"'
            f' stroke="{USED}" stroke-width="1.5"/>'
        )
    share = 1 - min(value, most) / max(1, most)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(FULL, EMPTY, strict=True))
    return f'{box} fill="#{red:02x}{green:02x}{blue:02x}"/>'
