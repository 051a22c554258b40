"""Runs of tasks with human times, and points of a trend: JSON Lines or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any

from vedette.bench.horizon import Run
from vedette.bench.responses import Records, not_utf8, number, share
from vedette.kernel.errors import BadInput

LONGEST_LINE = 1_000_000
RUN_COLUMNS = ("subject", "task", "family", "human_minutes", "score")
TREND_COLUMNS = ("subject", "release_date", "p50")


def read_runs(path: Path) -> list[Run]:
    """Read `subject,task,family,human_minutes,score[,weight]`. Raises BadInput naming the line.

    A task has one family and one human time; either every run has a weight or none has. In JSON a
    score may be true or false.
    """
    runs: list[Run] = []
    tasks: dict[tuple[str, str], tuple[float, int]] = {}
    for line, row in _rows(path, RUN_COLUMNS):
        where = f"{path}, line {line}"
        minutes = number(_text(row, "human_minutes", where), f"{where}, human_minutes")
        if minutes <= 0:
            raise BadInput(f"{where}, human_minutes: more than 0 expected")
        weight = row.get("weight")
        score = row.get("score")
        run = Run(
            _text(row, "subject", where),
            _text(row, "task", where),
            _text(row, "family", where),
            minutes,
            float(score)
            if isinstance(score, bool)
            else share(_text(row, "score", where), f"{where}, score"),
            None
            if weight is None or str(weight).strip() == ""
            else number(str(weight), f"{where}, weight"),
        )
        if run.weight is not None and run.weight < 0:
            raise BadInput(f"{where}, weight: {run.weight:g} is negative")
        known = tasks.setdefault((run.family, run.task), (minutes, line))
        if known[0] != minutes:
            raise BadInput(
                f"{where}: task {run.task[:60]!r} takes {minutes:g} human minutes here,"
                f" {known[0]:g} in line {known[1]}"
            )
        runs.append(run)
    if not runs:
        raise BadInput(f"{path}: no run")
    if len({run.weight is None for run in runs}) > 1:
        raise BadInput(f"{path}: some runs have a weight and some have none")
    return runs


def read_points(path: Path) -> list[tuple[str, date, float]]:
    """Read `subject,release_date,p50` (minutes). Raises BadInput naming the line."""
    points = []
    for line, row in _rows(path, TREND_COLUMNS):
        where = f"{path}, line {line}"
        text = _text(row, "release_date", where)
        try:
            day = date.fromisoformat(text[:10])
        except ValueError:
            raise BadInput(f"{where}, release_date: {text[:20]!r} is no date") from None
        minutes = number(_text(row, "p50", where), f"{where}, p50")
        if minutes <= 0:
            raise BadInput(f"{where}, p50: more than 0 minutes expected")
        points.append((_text(row, "subject", where), day, minutes))
    return points


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    text = "" if value is None or isinstance(value, bool | dict | list) else str(value).strip()
    if not text:
        raise BadInput(f"{where}: {name} missing")
    return text


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.read(1)
            while first.isspace():
                first = file.read(1)
            file.seek(0)
            yield from _objects(file, path) if first in ("{", "[") else _table(file, path, columns)
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise not_utf8(path) from None


def _objects(file: Iterator[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            value = json.loads(text) if len(text) <= LONGEST_LINE else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise BadInput(f"{path}, line {line}: no JSON object", next_step="one object a line")
        yield line, value


def _table(
    file: IO[str], path: Path, columns: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, Any]]]:
    records = Records(file, path)
    names = [name.strip().lower() for name in next(iter(records), [])]
    missing = [name for name in columns if name not in names]
    if missing:
        raise BadInput(
            f"{path}: no column {', '.join(missing)}",
            next_step=f"first line: {','.join(columns)}",
        )
    twice = [name for name in (*columns, "weight") if names.count(name) > 1]
    if twice:
        raise BadInput(f"{records.where}: two columns {twice[0]}")
    for row in records:
        if len(row) > len(names):
            raise BadInput(f"{records.where}: {len(row)} cells, the first line has {len(names)}")
        yield records.line, dict(zip(names, row, strict=False))
