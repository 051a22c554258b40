"""The account of a run: results.json for machines, benchmarks.md for people."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import growth

VERSION = 1
PICTURE = "pictures/match-growth.svg"
HEAD = """# Benchmarks

Written by `make bench`; do not edit. Begun {date}, Python {python}, {cores} cores ({processor}),
{memory} GiB of memory{quick}. `benchmarks/results.json` holds the same figures.

Every figure stands beside that of a peer or a floor, measured in the same run, in turns. *ratio* is
ours divided by the peer's: for times and memory less is better, for rates more. *range* is the
smallest and the largest of n measurements, of which the median is shown. A load above nought means
that others were at work on the same cores: the ratios then say more than the figures.
"""


def machine() -> dict[str, Any]:
    """What was measured on, without names and paths."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "schema": VERSION,
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages * size / 2**30, 1),
    }


def renewed(
    earlier: dict[str, Any], later: dict[str, Any], order: tuple[str, ...]
) -> dict[str, Any]:
    """The earlier account with the parts of the later one; each tells its own day and processor."""
    parts = {part["name"]: part for part in (*earlier["benchmarks"], *later["benchmarks"])}
    return {**earlier, "benchmarks": [parts[name] for name in order if name in parts]}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write(account: dict[str, Any], data: Path, page: Path) -> None:
    for path in (data, page):
        path.parent.mkdir(parents=True, exist_ok=True)
    data.write_text(json.dumps(account, indent=1) + "\n", encoding="utf-8")
    page.write_text(as_page(account), encoding="utf-8")
    for part in account["benchmarks"]:
        if part["name"] == "growth" and part["results"]:
            (page.parent / "pictures").mkdir(exist_ok=True)
            (page.parent / PICTURE).write_text(growth.picture(part["results"]), encoding="utf-8")


def as_page(account: dict[str, Any]) -> str:
    head = HEAD.format(
        date=account["date"][:10],
        python=account["python"],
        cores=account["cores"],
        processor=account["processor"],
        memory=account["memory_gib"],
        quick="; a quick run, no measure of anything" if account["quick"] else "",
    )
    return head + "".join(_section(part) for part in account["benchmarks"])


def _section(part: dict[str, Any]) -> str:
    about = "\n".join(part["about"].strip().splitlines())
    lines = [f"\n## {part['name']}\n\n{about}\n{_when(part)}"]
    if part["name"] == "growth" and part["results"]:
        lines.append(f"\n![Seconds by components and by advisories]({PICTURE})\n")
    if part["status"] != "measured":
        return f"{lines[0]}\n*{part['status']}: {part['reason']}*\n"
    lines.append(
        "\n| what | unit | ours | range | p95 | peer | peer's | range | ratio | n |\n"
        "|---|---|---:|---:|---:|---|---:|---:|---:|---:|\n"
    )
    lines += [_row(row) for row in part["results"]]
    notes = [f"- {row['name']}: {row['note']}\n" for row in part["results"] if row["note"]]
    return "".join([*lines, "\n" if notes else "", *notes])


def _when(part: dict[str, Any]) -> str:
    """On which day and processor, where that is not the account's, and how busy the machine was."""
    where = f"Measured {part['date'][:10]} on {part['processor']}. " if "date" in part else ""
    load = f"Load of the machine before: {part['load_before']}." if "load_before" in part else ""
    return f"{where}{load}".strip() + "\n"


def _row(row: dict[str, Any]) -> str:
    ours, peer = row["ours"], row["peer"]
    cells = [row["name"], row["unit"], _figure(ours["median"]), _range(ours), _figure(ours["p95"])]
    cells += [row["peer_name"] or "–", _figure(peer["median"]) if peer else "–"]
    cells += [_range(peer) if peer else "–", _figure(row["ratio"]), str(row["n"])]
    return f"| {' | '.join(cells)} |\n"


def _range(spread: dict[str, float]) -> str:
    return f"{_figure(spread['low'])}–{_figure(spread['high'])}" if spread["n"] > 1 else "–"


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
