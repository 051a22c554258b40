"""The plot of an assessment: a row a subject, its score with its 95% interval, as inline SVG."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

INK, QUIET, GRID, ASSESSED = "#1c1d1f", "#565c65", "#dfe1e2", "#005ea2"


def intervals_svg(subjects: Sequence[Mapping[str, Any]], *, title: str, description: str) -> str:
    """Return an `<svg>` element that scales to its container's width.

    Args:
        subjects: entries of an assessment, in the order of the rows from the top.
        title: what the figure is, for its text alternative.
        description: what it shows, in words.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "vedette",
        "font.family": "sans-serif",
        "text.parse_math": False,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(5.6, 0.8 + 0.38 * len(subjects)), layout="constrained")
        FigureCanvasSVG(figure)
        _draw(figure.add_subplot(), subjects)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _inline(file.getvalue(), title, description)


def _draw(axes: Any, subjects: Sequence[Mapping[str, Any]]) -> None:
    for row, subject in enumerate(reversed(subjects)):
        score = subject["score"]
        low, estimate, high = (float(score[key]) for key in ("low", "estimate", "high"))
        assessed = subject["role"] == "assessed"
        colour = ASSESSED if assessed else QUIET
        axes.plot([low, high], [row, row], color=colour, linewidth=3.2 if assessed else 1.8)
        for end in (low, high):
            axes.plot([end, end], [row - 0.13, row + 0.13], color=colour, linewidth=1.4)
        axes.plot(
            [estimate],
            [row],
            marker="o" if assessed else "D",
            markersize=9 if assessed else 6,
            color=colour,
            markerfacecolor=colour if assessed else "white",
            clip_on=False,
            zorder=3,
        )
    axes.set_yticks(range(len(subjects)), [str(s["name"])[:40] for s in reversed(subjects)])
    axes.set_ylim(-0.6, len(subjects) - 0.4)
    axes.set_xlim(-0.015, 1.015)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.50", "0.75", "1"])
    axes.set_xlabel("share of items solved, with 95% interval", color=QUIET)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.tick_params(colors=INK, length=0)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def _inline(text: str, title: str, description: str) -> str:
    """Cut the document to its element, let it scale, and give it a text alternative."""
    svg = text[text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    head, body = svg.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None
    names = f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
    opening = f'<svg {box[0]} role="img" xmlns="http://www.w3.org/2000/svg"'
    return f'{opening} xmlns:xlink="http://www.w3.org/1999/xlink">{names}{body}'
