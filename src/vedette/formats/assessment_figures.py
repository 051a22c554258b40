"""The figures of a report; none on an instance without the extra that draws them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from vedette.formats.document import Figure

Report = Mapping[str, Any]
CAPTION = (
    "Filled: assessed. Hollow: reference subjects, which say what nothing, chance, a fuzzer and the"
    " answer key reach. Bars are 95% intervals."
)


def figures(report: Report) -> dict[str, list[Figure]]:
    """The figures by the part that they belong to; the tables beside them say the same."""
    found: dict[str, list[Figure]] = {}
    try:
        for part, figure in _drawn(report):
            found.setdefault(part, []).append(figure)
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        return {}
    return found


def _drawn(report: Report) -> Iterator[tuple[str, Figure]]:
    assessed = {s["name"] for s in report["subjects"] if s["role"] == "assessed"}
    yield "scores", _scores(report)
    if report["ladder"]["subjects"]:
        yield "ladder", _ladder(report, assessed)
    if any(row["p50_minutes"] is not None for row in report["horizons"]):
        yield "horizon", _horizon(report, assessed)
    for unit in ("seconds", "tokens", "executions"):
        curves = [curve for curve in report["cost"] if curve["unit"] == unit]
        if curves:
            yield "cost", _cost(curves, unit, assessed)
    if report["gaps"]["rows"]:
        yield "gaps", _gaps(report, assessed)


def _scores(report: Report) -> Figure:
    from vedette.formats.assessment_plot import intervals_svg

    said = "; ".join(
        f"{s['name']}: {float(s['score']['estimate']):.2f}, interval"
        f" {float(s['score']['low']):.2f} to {float(s['score']['high']):.2f}"
        for s in report["subjects"]
    )
    svg = intervals_svg(report["subjects"], title="Scores with 95% intervals", description=said)
    return Figure(svg, said, CAPTION)


def _ladder(report: Report, assessed: set[str]) -> Figure:
    from vedette.formats.assessment_plot import Scale, row_of, rows_svg

    ranked = sorted(report["ladder"]["subjects"], key=lambda r: -float(r["ability"]))
    rows = [row_of(r["name"], r, assessed=r["name"] in assessed, middle="ability") for r in ranked]
    low = min(row.low or 0 for row in rows)
    high = max(row.high or 0 for row in rows)
    said = "; ".join(f"{r['name']}: {r['ability']}, {r['low']} to {r['high']}" for r in ranked)
    scale = Scale("ability, on this run's own scale, with 95% interval", (low - 0.2, high + 0.2))
    svg = rows_svg(rows, scale, title="Ability ladder", description=said)
    return Figure(svg, said, "The ladder of subjects, the ablest first. " + CAPTION)


def _horizon(report: Report, assessed: set[str]) -> Figure:
    from vedette.formats.assessment_plot import Row, Scale, rows_svg

    known = [row for row in report["horizons"] if row["p50_minutes"] is not None]
    ends = [
        float(v)
        for row in known
        for v in (row["p50_minutes"], *(row["p50_ci95"] or ()))
        if v is not None
    ]
    span = (
        10 ** math.floor(math.log10(min(ends)) - 0.2),
        10 ** math.ceil(math.log10(max(ends)) + 0.2),
    )
    rows = []
    for row in known:
        low, high = row["p50_ci95"] or (None, None)
        rows.append(
            Row(
                row["name"],
                None if low is None else float(low),
                float(row["p50_minutes"]),
                None if high is None else float(high),
                row["name"] in assessed,
            )
        )
    said = "; ".join(f"{row['name']}: {row['p50_minutes']} minutes" for row in known)
    scale = Scale("50% time horizon in human minutes, with 95% interval", span, log=True)
    svg = rows_svg(rows, scale, title="Time horizon", description=said)
    caption = (
        "How long a task, in human minutes, a subject solves half of the time. A bar without an end"
        " has no bound on that side."
    )
    return Figure(svg, said, caption)


def _cost(curves: list[Mapping[str, Any]], unit: str, assessed: set[str]) -> Figure:
    from vedette.formats.assessment_plot import Curve, curves_svg

    drawn = [
        Curve(
            curve["subject"],
            [
                tuple(float(point[key]) for key in ("spent", "estimate", "low", "high"))  # type: ignore[misc]
                for point in curve["points"]
                if float(point["spent"]) > 0
            ],
            curve["subject"] in assessed,
        )
        for curve in curves
    ]
    said = "; ".join(
        f"{curve['subject']}: {float(curve['points'][-1]['estimate']):.2f} at"
        f" {float(curve['points'][-1]['spent']):,.0f} {unit}"
        for curve in curves
    )
    svg = curves_svg(
        drawn,
        across=f"{unit} a sample, at most",
        up="share solved",
        title=f"Cost in {unit}",
        description=said,
        log=True,
        steps=True,
    )
    return Figure(svg, said, f"Share of the samples solved at no more than so many {unit} each.")


def _gaps(report: Report, assessed: set[str]) -> Figure:
    from vedette.formats.assessment_plot import Scale, row_of, rows_svg

    rows = [
        row_of(row["subject"], row["difference"], assessed=row["subject"] in assessed)
        for row in report["gaps"]["rows"]
    ]
    said = "; ".join(
        f"{row['subject']}: {float(row['difference']['estimate']):+.2f}"
        for row in report["gaps"]["rows"]
    )
    ticks = {at: f"{at:+.1f}" if at else "0" for at in (-1.0, -0.5, 0.0, 0.5, 1.0)}
    scale = Scale("published less fresh, with 95% interval", (-1.03, 1.03), ticks, zero=True)
    svg = rows_svg(rows, scale, title="Contamination gap", description=said)
    return Figure(svg, said, "Right of 0: published items were solved more often than fresh ones.")
