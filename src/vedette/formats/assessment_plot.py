"""The plots of an assessment, as inline SVG: rows of intervals on a scale, and curves of cost.

Filled marks are assessed subjects, hollow ones reference subjects; no meaning hangs on colour
alone.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

INK, QUIET, GRID, ASSESSED = "#1c1d1f", "#565c65", "#dfe1e2", "#005ea2"
LINES = ("-", "--", "-.", ":")
MOST_NAME = 40
MOST_TICKS = 7


@dataclass(frozen=True)
class Row:
    """One interval; a bound that is None has no end on its side."""

    name: str
    low: float | None
    middle: float
    high: float | None
    assessed: bool


def row_of(name: Any, of: Mapping[str, Any], *, assessed: bool, middle: str = "estimate") -> Row:
    """The row of an interval as a report has it, in decimal text."""
    return Row(str(name), float(of["low"]), float(of[middle]), float(of["high"]), assessed)


@dataclass(frozen=True)
class Scale:
    """The scale under rows: its label, ends and ticks with their words."""

    label: str
    ends: tuple[float, float]
    ticks: Mapping[float, str] | None = None
    log: bool = False
    zero: bool = False


SHARES = Scale(
    "share of items solved, with 95% interval",
    (-0.015, 1.015),
    {0: "0", 0.25: "0.25", 0.5: "0.50", 0.75: "0.75", 1: "1"},
)


def intervals_svg(subjects: Sequence[Mapping[str, Any]], *, title: str, description: str) -> str:
    """The shares of an assessment's subjects, in the order of the rows from the top."""
    rows = [
        row_of(subject["name"], subject["score"], assessed=subject["role"] == "assessed")
        for subject in subjects
    ]
    return rows_svg(rows, SHARES, title=title, description=description)


def rows_svg(rows: Sequence[Row], scale: Scale, *, title: str, description: str) -> str:
    """Return an `<svg>` element that scales to its container's width.

    Args:
        rows: from the top.
        title: what the figure is, for its text alternative.
        description: what it shows, in words.
    """

    def draw(axes: Any) -> None:
        if scale.log:
            _log(axes)
        axes.set_xlim(*scale.ends)
        for place, row in enumerate(reversed(rows)):
            _row(axes, place, row, scale.ends)
        axes.set_yticks(range(len(rows)), [row.name[:MOST_NAME] for row in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        if scale.ticks is not None:
            axes.set_xticks(list(scale.ticks), list(scale.ticks.values()))
        if scale.zero:
            axes.axvline(0, color=QUIET, linewidth=1)
        axes.set_xlabel(scale.label, color=QUIET)
        axes.grid(axis="x", color=GRID, linewidth=0.8)

    return _svg(draw, 0.8 + 0.38 * len(rows), title, description)


def _log(axes: Any) -> None:
    """A logarithmic scale with a few ticks in plain figures."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=MOST_TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _row(axes: Any, place: int, row: Row, ends: tuple[float, float]) -> None:
    colour = ASSESSED if row.assessed else QUIET
    low, high = (
        end if bound is None else bound
        for bound, end in zip((row.low, row.high), ends, strict=True)
    )
    axes.plot([low, high], [place, place], color=colour, linewidth=3.2 if row.assessed else 1.8)
    for bound in (row.low, row.high):
        if bound is not None:
            axes.plot([bound, bound], [place - 0.13, place + 0.13], color=colour, linewidth=1.4)
    axes.plot(
        [row.middle],
        [place],
        marker="o" if row.assessed else "D",
        markersize=9 if row.assessed else 6,
        color=colour,
        markerfacecolor=colour if row.assessed else "white",
        clip_on=False,
        zorder=3,
    )


@dataclass(frozen=True)
class Curve:
    """A share against an amount, with the interval at each point; rises in steps or in lines."""

    name: str
    points: Sequence[tuple[float, float, float, float]]
    assessed: bool = True


def curves_svg(
    curves: Sequence[Curve],
    *,
    across: str,
    up: str,
    title: str,
    description: str,
    log: bool = False,
    steps: bool = False,
    ticks: Mapping[float, str] | None = None,
) -> str:
    """Curves with their bands; `across` and `up` label the axes, `ticks` are words along it."""

    def draw(axes: Any) -> None:
        for number, curve in enumerate(curves):
            at, middle, low, high = (list(column) for column in zip(*curve.points, strict=True))
            colour = ASSESSED if curve.assessed else QUIET
            shape = {"step": "post"} if steps else {}
            axes.fill_between(at, low, high, color=colour, alpha=0.13, linewidth=0, **shape)
            axes.plot(
                at,
                middle,
                color=colour,
                linestyle=LINES[number % len(LINES)],
                marker="o" if curve.assessed else "D",
                markersize=4,
                linewidth=1.8,
                drawstyle="steps-post" if steps else "default",
                label=curve.name[:MOST_NAME],
            )
        if log:
            _log(axes)
        if ticks is not None:
            axes.set_xticks(list(ticks), list(ticks.values()))
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel(across, color=QUIET)
        axes.set_ylabel(up, color=QUIET)
        axes.grid(color=GRID, linewidth=0.8)
        axes.figure.legend(loc="outside upper left", frameon=False, ncols=2, labelcolor=INK)

    return _svg(draw, 3.2 + 0.2 * ((len(curves) + 1) // 2), title, description)


def _svg(draw: Callable[[Any], None], height: float, title: str, description: str) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"vedette {title}",
        "font.family": "sans-serif",
        "text.parse_math": False,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(5.6, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        draw(axes)
        axes.tick_params(which="both", colors=INK, length=0)
        axes.set_axisbelow(True)
        axes.spines[:].set_visible(False)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _inline(file.getvalue(), title, description)


def _inline(text: str, title: str, description: str) -> str:
    """Cut the document to its element, let it scale, and give it a text alternative.

    Matplotlib numbers its parts alike in every figure; on one page they need names of their own.
    """
    svg = text[text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    own = "".join(char for char in title.lower() if char.isascii() and char.isalnum())[:24]
    svg = re.sub(r'(\bid="|href="#|url\(#)', lambda found: f"{found[0]}{own}-", svg)
    head, body = svg.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None
    names = f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
    opening = f'<svg {box[0]} role="img" xmlns="http://www.w3.org/2000/svg"'
    return f'{opening} xmlns:xlink="http://www.w3.org/1999/xlink">{names}{body}'
