"""Who read how much on which day, as an SVG: a row a person, a column a day."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

INK, QUIET, FILL, EMPTY = "#1c1d1f", "#565c65", "#005ea2", "#f0f0f0"
CELL, ROW, TOP, DAYS, PEOPLE = 16, 34, 20, 28, 12


def reading_svg(rows: Iterable[Mapping[str, Any]], *, title: str) -> str:
    """Return an `<svg>` of views by person and day: the last 28 days, the 12 busiest persons.

    Args:
        rows: `{"person", "day" (YYYY-MM-DD), "views"}` each.
        title: what the figure is, for its text alternative.
    """
    counts: Counter[tuple[str, date]] = Counter()
    for row in rows:
        counts[str(row["person"]), date.fromisoformat(row["day"])] += int(row["views"])
    if not counts:
        return ""
    last = max(day for _, day in counts)
    first = max(min(day for _, day in counts), last - timedelta(days=DAYS - 1))
    totals: Counter[str] = Counter()
    for (person, _), views in counts.items():
        totals[person] += views
    people = [person for person, _ in totals.most_common(PEOPLE)]
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    width, height = CELL * max(len(days), 18), TOP + ROW * len(people)
    top = max(counts.values())
    parts = [
        _text(CELL * n, 11, f"{d.day} {d:%b}", QUIET) for n, d in enumerate(days) if n % 7 == 0
    ]
    for number, person in enumerate(people):
        y = TOP + ROW * number
        shown = person if len(person) <= 40 else f"{person[:39]}…"
        parts.append(_text(0, y + 11, f"{shown}: {totals[person]}", INK))
        parts += [_cell(n, y + 15, counts[person, day], top) for n, day in enumerate(days)]
    said = f"{sum(counts.values())} views by {len(totals)} readers from {first} to {last}"
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{html.escape(title)}</title><desc>{html.escape(said)}</desc>{''.join(parts)}</svg>"
    )


def _cell(number: int, y: int, views: int, top: int) -> str:
    shade = math.log1p(views) / math.log1p(top)
    paint = f'fill="{FILL}" fill-opacity="{0.2 + 0.8 * shade:.2f}"' if views else f'fill="{EMPTY}"'
    size = CELL - 2
    return (
        f'<rect x="{CELL * number}" y="{y}" width="{size}" height="{size}" rx="2" {paint}></rect>'
    )


def _text(x: int, y: int, text: str, colour: str) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="11" font-family="sans-serif" fill="{colour}">'
        f"{html.escape(text)}</text>"
    )
