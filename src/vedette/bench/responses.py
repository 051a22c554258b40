"""Tables of responses: who solved what, from CSV, bounded, with every bad cell named.

Rules:
- Wide form: the first column is the subject, each other column an item, a cell 1, 0 or empty.
- Long form has the columns subject, item, score and, where there are several, trial; a score is a
  number from 0 to 1.
- A name stands once: a subject's second row, an item's second column and a trial's second score
  are refused with both places. NaN is neither a score nor an empty cell.
- Columns are parted by commas; where the first line has none, by semicolons or tabs.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from vedette.kernel.errors import BadInput

MISSING = -1
CELLS = {"1": 1, "0": 0, "": MISSING, "1.0": 1, "0.0": 0}
MAX_CELLS = 200_000_000
LONGEST_LINE = 4_000_000
LONG_FORM = ("subject", "item", "score")
WIDE = "first line subject,item-1,item-2,…; then a row a subject, each cell 1, 0 or empty"


@dataclass(frozen=True)
class Responses:
    """`cells` is int8, subjects by items: 1 solved, 0 not, -1 not tried."""

    subjects: tuple[str, ...]
    items: tuple[str, ...]
    cells: NDArray[np.int8]

    def rows(self, chosen: Sequence[int]) -> NDArray[np.int8]:
        return self.cells[list(chosen)]


@dataclass(frozen=True)
class Score:
    """One trial of one item by one subject; `score` from 0 to 1."""

    subject: str
    item: str
    trial: str
    score: float


def read_responses(path: Path) -> Responses:
    """Read the wide form. Raises BadInput naming line and column."""
    with _open(path) as file:
        lines = _lines(file, path)
        _, header = next(lines, (1, []))
        items = _items(path, header)
        subjects: dict[str, int] = {}
        cells: list[NDArray[np.int8]] = []
        for number, row in lines:
            subject = row[0].strip()
            where = f"{path}, line {number}"
            if len(row) != len(header):
                raise BadInput(f"{where}: {len(row)} cells, the first line has {len(header)}")
            if not subject:
                raise BadInput(f"{where}: no subject")
            if subject in subjects:
                raise BadInput(
                    f"{where}: subject {subject[:60]!r} stands in line {subjects[subject]} already",
                    next_step="one row a subject; trials go into the long form",
                )
            subjects[subject] = number
            if len(subjects) * len(items) > MAX_CELLS:
                raise BadInput(f"{where}: more than {MAX_CELLS:,} cells")
            cells.append(_cells(row[1:], items, where))
    if not subjects:
        raise BadInput(f"{path}: no subject after the first line")
    return Responses(tuple(subjects), items, np.vstack(cells))


def _items(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    if len(header) < 2:
        raise BadInput(f"{path}: the first line names no item", next_step=WIDE)
    items = tuple(name.strip() for name in header[1:])
    seen: dict[str, int] = {}
    for column, name in enumerate(items, 2):
        if not name:
            raise BadInput(f"{path}, line 1, column {column}: an item without a name")
        if name in seen:
            raise BadInput(
                f"{path}, line 1, column {column}: item {name[:60]!r} is column {seen[name]}, too"
            )
        seen[name] = column
    return items


def _cells(row: Sequence[str], items: Sequence[str], where: str) -> NDArray[np.int8]:
    try:
        return np.array([CELLS[cell] for cell in row], dtype=np.int8)
    except KeyError:
        stripped = [cell.strip() for cell in row]
        for item, cell in zip(items, stripped, strict=True):
            if cell not in CELLS:
                raise BadInput(
                    f"{where}, item {item[:60]!r}: {cell[:20]!r} is neither 0, 1 nor empty",
                    next_step=WIDE,
                ) from None
        return np.array([CELLS[cell] for cell in stripped], dtype=np.int8)


def read_scores(path: Path) -> list[Score]:
    """Read scores in long form, or the wide form as one trial each. Raises BadInput."""
    with _open(path) as file:
        lines = _lines(file, path)
        _, header = next(lines, (1, []))
        names = [name.strip().lower() for name in header]
        if set(LONG_FORM) <= set(names):
            return _long(path, names, lines)
    wide = read_responses(path)
    return [
        Score(wide.subjects[row], wide.items[column], "", float(wide.cells[row, column]))
        for row, column in zip(*np.nonzero(wide.cells != MISSING), strict=True)
    ]


def _long(path: Path, names: list[str], lines: Iterator[tuple[int, list[str]]]) -> list[Score]:
    columns = {name: names.index(name) for name in names}
    seen: dict[tuple[str, str, str], int] = {}
    scores = []
    for number, row in lines:
        where = f"{path}, line {number}"
        if len(row) != len(names):
            raise BadInput(f"{where}: {len(row)} cells, the first line has {len(names)}")
        subject, item = (row[columns[name]].strip() for name in ("subject", "item"))
        trial = row[columns["trial"]].strip() if "trial" in columns else ""
        text = row[columns["score"]].strip()
        if not subject or not item:
            raise BadInput(f"{where}: subject and item expected")
        key = (subject, item, trial)
        if key in seen:
            raise BadInput(
                f"{where}: this subject, item and trial stand in line {seen[key]} already",
                next_step="number the trials in a column trial",
            )
        seen[key] = number
        if text:
            scores.append(Score(subject, item, trial, share(text, f"{where}, score")))
    return scores


def share(text: str, where: str) -> float:
    """A number from 0 to 1. Raises BadInput naming `where`."""
    value = number(text, where)
    if not 0 <= value <= 1:
        raise BadInput(f"{where}: {text[:20]!r} is not between 0 and 1")
    return value


def number(text: str, where: str) -> float:
    """A finite number. Raises BadInput naming `where`."""
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"{where}: {text[:20]!r} is no number") from None
    if not math.isfinite(value):
        raise BadInput(f"{where}: {text[:20]!r} is not finite")
    return value


def _open(path: Path) -> IO[str]:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None


def _lines(file: IO[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold anything, with their numbers."""
    csv.field_size_limit(LONGEST_LINE)
    line = 0
    try:
        reader = csv.reader(file, delimiter=delimiter(file))
        for row in reader:
            line = reader.line_num
            if any(cell.strip() for cell in row):
                yield line, row
    except csv.Error as error:
        raise BadInput(f"{path}, line {line + 1}: {error}") from None
    except UnicodeDecodeError:
        raise not_utf8(path) from None


def delimiter(file: IO[str]) -> str:
    """What parts the columns of a CSV file, by its first line; the file stands at its start."""
    first = file.readline(LONGEST_LINE)
    file.seek(0)
    return next((mark for mark in ",;\t" if mark in first), ",")


def not_utf8(path: Path) -> BadInput:
    return BadInput(f"{path}: is not UTF-8 text", next_step="save it as CSV in UTF-8")
