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
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from vedette.kernel.errors import BadInput

MISSING = -1
CELLS = {"1": 1, "0": 0, "": MISSING, "1.0": 1, "0.0": 0}
MAX_CELLS = 200_000_000
LONGEST_LINE = 16_000_000
# rows of so many cells are read faster by numpy than by csv
LONG_ROW = 40
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

    def by_name(self) -> Responses:
        """The same table, subjects and items in the order of their names."""
        if sorted(self.subjects) == list(self.subjects) and sorted(self.items) == list(self.items):
            return self
        rows = sorted(range(len(self.subjects)), key=self.subjects.__getitem__)
        columns = sorted(range(len(self.items)), key=self.items.__getitem__)
        return Responses(
            tuple(self.subjects[row] for row in rows),
            tuple(self.items[column] for column in columns),
            self.cells[np.ix_(rows, columns)],
        )


@dataclass(frozen=True)
class Score:
    """One trial of one item by one subject; `score` from 0 to 1."""

    subject: str
    item: str
    trial: str
    score: float


def read_responses(path: Path) -> Responses:
    """Read the wide form; memory is a byte a cell. Raises BadInput naming line and column."""
    with _open(path) as file:
        records = Records(file, path)
        items = _items(path, next(iter(records), []))
        numbers: dict[str, int] = {}
        cells = bytearray()
        while (text := records.text()) is not None:
            subject, _, rest = text.partition(records.mark)
            row = (
                _plain_cells(rest.rstrip("\r\n"), records.mark, len(items))
                if '"' not in subject
                else None
            )
            if row is None:
                record = records.parsed(text)
                if not any(cell.strip() for cell in record):
                    continue
                subject, row = record[0], _checked_cells(record, items, records.where)
            subject = subject.strip()
            if not subject:
                raise BadInput(f"{records.where}: no subject")
            if subject in numbers:
                raise BadInput(
                    f"{records.where}: subject {subject[:60]!r} stands in line {numbers[subject]}"
                    " already",
                    next_step="one row a subject; trials go into the long form",
                )
            numbers[subject] = records.line
            if len(numbers) * len(items) > MAX_CELLS:
                raise BadInput(f"{records.where}: more than {MAX_CELLS:,} cells")
            cells += row.tobytes()
    if not numbers:
        raise BadInput(f"{path}: no subject after the first line")
    table = np.frombuffer(cells, dtype=np.int8).reshape(len(numbers), len(items))
    return Responses(tuple(numbers), items, table)


def _items(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    if len(header) < 2:
        raise BadInput(f"{path}: the first line names no item", next_step=WIDE)
    items = tuple(name.strip() for name in header[1:])
    if set(LONG_FORM) <= {name.strip().lower() for name in header}:
        raise BadInput(f"{path}: is in long form, a row a score", next_step=WIDE)
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


def _plain_cells(text: str, mark: str, count: int) -> NDArray[np.int8] | None:
    """Cells of a long row that holds 0, 1 and nothing else; None for any other, and short ones."""
    if count < LONG_ROW or not text.isascii():
        return None
    raw = np.frombuffer((text + mark).encode(), dtype=np.uint8)
    if len(raw) == 2 * count:
        # a digit and a mark are one number of two bytes
        pairs = raw.view("<u2") - np.uint16(ord(mark) << 8 | ord("0"))
        if pairs.max() <= 1:
            return pairs.astype(np.int8)
    ends = np.flatnonzero(raw == ord(mark))
    widths = np.diff(ends, prepend=-1) - 1
    if len(widths) != count or widths.max() != 1:
        return None
    cells = np.full(count, MISSING, dtype=np.int8)
    there = widths == 1
    digits = raw[ends[there] - 1] - np.uint8(ord("0"))
    if digits.max() > 1:
        return None
    cells[there] = digits
    return cells


def _checked_cells(record: Sequence[str], items: Sequence[str], where: str) -> NDArray[np.int8]:
    if len(record) != len(items) + 1:
        raise BadInput(f"{where}: {len(record)} cells, the first line has {len(items) + 1}")
    try:
        return np.array([CELLS[cell] for cell in record[1:]], dtype=np.int8)
    except KeyError:
        stripped = [cell.strip() for cell in record[1:]]
        for item, cell in zip(items, stripped, strict=True):
            if cell not in CELLS:
                raise BadInput(
                    f"{where}, item {item[:60]!r}: {cell[:20]!r} is neither 0, 1 nor empty",
                    next_step=WIDE,
                ) from None
        return np.array([CELLS[cell] for cell in stripped], dtype=np.int8)


def read_scores(path: Path, subjects: Sequence[str] = ()) -> list[Score]:
    """Read scores in long form, or the wide form as one trial each; of `subjects`, or of all.

    Raises BadInput naming line and column, and where one of `subjects` has no score.
    """
    with _open(path) as file:
        records = Records(file, path)
        names = [name.strip().lower() for name in next(iter(records), [])]
        long = set(LONG_FORM) <= set(names)
        scores, found = _long(names, records, subjects) if long else ([], {})
    if not long:
        wide = read_responses(path)
        found = dict.fromkeys(wide.subjects)
        scores = [
            Score(subject, wide.items[column], "", float(row[column]))
            for subject, row in zip(wide.subjects, wide.cells, strict=True)
            if not subjects or subject in subjects
            for column in np.flatnonzero(row != MISSING)
        ]
    there = {score.subject for score in scores}
    for subject in subjects:
        if subject not in there:
            raise BadInput(
                f"{path}: subject {subject[:60]!r} has no score",
                next_step=f"there: {', '.join(name[:60] for name in list(found)[:8])}",
            )
    return scores


def _long(
    names: list[str], records: Records, subjects: Sequence[str]
) -> tuple[list[Score], dict[str, None]]:
    """The scores, and the names of all subjects."""
    for name in ("subject", "item", "trial", "score"):
        if names.count(name) > 1:
            raise BadInput(f"{records.where}: two columns {name}")
    subject_at, item_at, score_at = (names.index(name) for name in LONG_FORM)
    trial_at = names.index("trial") if "trial" in names else None
    seen: dict[tuple[str, str, str], int] = {}
    known: dict[str, None] = {}
    scores = []
    for row in records:
        where = records.where
        if len(row) != len(names):
            raise BadInput(f"{where}: {len(row)} cells, the first line has {len(names)}")
        subject, item, text = (row[at].strip() for at in (subject_at, item_at, score_at))
        trial = "" if trial_at is None else row[trial_at].strip()
        if not subject or not item:
            raise BadInput(f"{where}: subject and item expected")
        value = share(text, f"{where}, score") if text else None
        known.setdefault(subject)
        if subjects and subject not in subjects:
            continue
        key = (subject, item, trial)
        if key in seen:
            raise BadInput(
                f"{where}: this subject, item and trial stand in line {seen[key]} already",
                next_step="number the trials in a column trial",
            )
        seen[key] = records.line
        if value is not None:
            scores.append(Score(subject, item, trial, value))
    return scores, known


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


class Records:
    """The records of a CSV file that hold anything, one after the other; `where` names the last.

    Raises BadInput where the file is no CSV in UTF-8, or a line is too long.
    """

    def __init__(self, file: IO[str], path: Path) -> None:
        csv.field_size_limit(LONGEST_LINE)
        self.line = 0
        self._file, self._path = file, path
        try:
            self.mark = delimiter(file)
        except UnicodeDecodeError:
            raise not_utf8(path) from None

    @property
    def where(self) -> str:
        return f"{self._path}, line {self.line}"

    def text(self) -> str | None:
        """The next line that isn't blank; None after the last."""
        for line in self._lines():
            if line.strip():
                return line
        return None

    def parsed(self, text: str) -> list[str]:
        """The record that `text` begins; a quoted cell may go on in the lines after it."""
        try:
            return next(csv.reader(chain([text], self._lines()), delimiter=self.mark))
        except csv.Error as error:
            raise BadInput(f"{self.where}: {error}") from None

    def __iter__(self) -> Iterator[list[str]]:
        while (text := self.text()) is not None:
            record = self.parsed(text)
            if any(cell.strip() for cell in record):
                yield record

    def _lines(self) -> Iterator[str]:
        try:
            while line := self._file.readline(LONGEST_LINE + 1):
                self.line += 1
                if len(line) > LONGEST_LINE:
                    raise BadInput(f"{self.where}: more than {LONGEST_LINE:,} characters")
                yield line
        except UnicodeDecodeError:
            raise not_utf8(self._path) from None


def delimiter(file: IO[str]) -> str:
    """What parts the columns of a CSV file, by its first line; the file stands at its start."""
    first = file.readline(LONGEST_LINE)
    while first and not first.strip():
        first = file.readline(LONGEST_LINE)
    file.seek(0)
    return next((mark for mark in ",;\t" if mark in first), ",")


def not_utf8(path: Path) -> BadInput:
    return BadInput(f"{path}: is not UTF-8 text", next_step="save it as CSV in UTF-8")
