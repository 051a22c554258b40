"""The plots of a forecast: the chance of a determination against what is spent, and day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vedette.formats.assessment_plot import Curve, curves_svg

KEYS = ("chance", "low", "high")
LINES = (("determination", "either way", True), ("meets", "meets", False))


def forecast_svg(forecast: Mapping[str, Any]) -> str:
    """The chances of a forecast (`bench.planner.Forecast.to_json`) against the items shown."""
    points = forecast["points"]
    curves = [
        Curve(words, [(point["items"], *_three(point[key])) for point in points], filled)
        for key, words, filled in LINES
    ]
    last = points[-1]
    return curves_svg(
        curves,
        across="items shown from here",
        up="chance",
        title="Chance of a determination",
        description=f"{float(last['determination']['chance']):.2f} after {last['items']} items",
    )


def history_svg(days: Sequence[Mapping[str, Any]]) -> str:
    """The chance with all that was left, on each day that it was planned; `at` is a date."""
    curve = Curve(
        "chance of a determination with what was left",
        [(place, *_three(day["determination"])) for place, day in enumerate(days)],
    )
    said = "; ".join(f"{day['at']}: {float(day['determination']['chance']):.2f}" for day in days)
    return curves_svg(
        [curve],
        across="day of the plan",
        up="chance",
        title="Chance, day by day",
        description=said,
        ticks={place: str(day["at"])[5:] for place, day in _some(list(enumerate(days)))},
    )


def _some(rows: list[Any], most: int = 6) -> list[Any]:
    """At most so many of the rows, evenly, the last among them."""
    count = min(most, len(rows))
    return [rows[round((k + 1) * len(rows) / count) - 1] for k in range(count)]


def _three(chance: Mapping[str, str]) -> tuple[float, float, float]:
    return float(chance["chance"]), float(chance["low"]), float(chance["high"])
