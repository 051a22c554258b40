"""Growth: the time of a match against components and against advisories, beside the same peer.

Renamed copies of the PyPI advisories, and inventories of which a third are components that the
records speak of; otherwise as in `match`. The picture is drawn from the figures below.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.child import VEDETTE, compare, output
from benchmarks.data import pypi_advisories
from benchmarks.match import PEER
from benchmarks.match_scale import copy_records, write_inventory
from benchmarks.result import Result

SIZES = (500, 2_000, 5_000, 20_000)
COPIES = (1, 4, 16, 64)
ROUNDS = {1: 3, 4: 2}
WAYS = {"whole": "from the records", "index": "with an index"}
_NAME = re.compile(r"([0-9,]+) components × ([0-9,]+) advisories, (.*)")


def run(quick: bool) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("plain", "osv"):
            (folder / part).mkdir()
        records = pypi_advisories(folder / "plain")
        done = 0
        for copies in (1,) if quick else COPIES:
            for copy in range(done, copies):
                copy_records(folder / "plain", folder / "osv", copy)
            done = copies
            build = [*VEDETTE, "index", "--advisories", str(folder / "osv")]
            output([*build, "--out", str(folder / "index")])
            for size in (50,) if quick else SIZES if copies == 1 else (5_000,):
                bom = folder / "bom.json"
                write_inventory(records, copies, size, 0, bom)
                what = f"{size:,} components × {copies * len(records):,} advisories"
                results += _measured(folder, bom, what, 1 if quick else ROUNDS.get(copies, 1))
    return results


def _measured(folder: Path, bom: Path, what: str, rounds: int) -> list[Result]:
    match = [*VEDETTE, "match", "--inventory", str(bom), "--advisories"]
    loop = str(Path(__file__).parent / "peers" / "packaging_loop.py")
    records = str(folder / "osv")
    found = compare(
        {
            "whole": [*match, records],
            "index": [*match, str(folder / "index")],
            "peer": [sys.executable, loop, records, str(bom), str(folder / "theirs")],
        },
        rounds,
    )
    peer = found["peer"][0]
    return [Result(f"{what}, {said}", "s", found[n][0], peer, PEER) for n, said in WAYS.items()]


def picture(rows: Iterable[dict[str, Any]]) -> str:
    """Draw the results, as the account holds them, as SVG: two panels with logarithmic axes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    points = [(*_sizes(row["name"]), row) for row in rows]
    advisories = min(point[1] for point in points)
    components = sorted({point[0] for point in points if point[1] > advisories} or {points[0][0]})
    panels = (
        ("components", f"against {advisories:,} advisories", 0, 1, advisories),
        ("advisories", f"by {components[0]:,} components", 1, 0, components[0]),
    )
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "vedette", "font.size": 9}):
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        FigureCanvasSVG(figure)
        for axes, (label, held, free, fixed, value) in zip(
            figure.subplots(1, 2, sharey=True), panels, strict=True
        ):
            shown = sorted((p for p in points if p[fixed] == value), key=lambda p: p[free])
            for way, colour, style in (
                *((said, "#005ea2", mark) for said, mark in zip(WAYS.values(), "os", strict=True)),
                (PEER, "#565c65", "^"),
            ):
                line = [
                    (p[free], (p[3]["peer"] if way == PEER else p[3]["ours"])["median"])
                    for p in shown
                    if p[2] == (WAYS["index"] if way == PEER else way)
                ]
                axes.plot(*zip(*line, strict=True), marker=style, color=colour, label=way)
            axes.set(xscale="log", yscale="log", xlabel=f"{label}, {held}")
            axes.grid(visible=True, which="major", color="#dfe1e2")
        figure.axes[0].set_ylabel("seconds, whole command")
        figure.axes[0].legend(frameon=False)
        return _saved(figure)


def _saved(figure: Any) -> str:
    import io

    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _sizes(name: str) -> tuple[int, int, str]:
    found = _NAME.fullmatch(name)
    assert found is not None
    return int(found[1].replace(",", "")), int(found[2].replace(",", "")), found[3]
