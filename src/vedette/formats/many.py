"""Many inventories against one index: some files at a time, by several processes.

The same lines in the same order as in one go, because no line depends on two inventories; memory
is that of the files of one part, whatever their number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from vedette.formats.detect import read_inventory_files
from vedette.formats.interface import NONE_CHOSEN
from vedette.formats.matches_out import Beside, jsonl
from vedette.kernel.bounds import MIB
from vedette.kernel.errors import VedetteError
from vedette.kernel.executor import Executor, in_order, processes
from vedette.matching.engine import match
from vedette.matching.index import open_index
from vedette.matching.model import Statement
from vedette.matching.vex import Suppressed, honour

PART = 8 * MIB


class Told(NamedTuple):
    """What a part of the inventories gave: JSON Lines, their number, and what was left out."""

    text: bytes
    lines: int
    suppressed: list[Suppressed]
    problems: list[str]
    error: VedetteError | None = None


class Task(NamedTuple):
    """A part of the inventories, and what it is matched against."""

    source: str
    files: list[tuple[str, bool]]
    statements: Sequence[Statement]
    now: datetime
    columns: dict[str, str]


def parts(files: Sequence[tuple[str, bool]]) -> list[list[tuple[str, bool]]]:
    """Cut files (name, whether a folder held it) into parts of about PART bytes, by name."""
    cut: list[list[tuple[str, bool]]] = [[]]
    size = 0
    for file, found in sorted(dict(files).items()):
        size += os.path.getsize(file) if os.path.isfile(file) else 0
        cut[-1].append((file, found))
        if size > PART:
            cut.append([])
            size = 0
    return [part for part in cut if part]


def told(
    index: Path,
    cut: list[list[tuple[str, bool]]],
    statements: Sequence[Statement],
    now: datetime,
    columns: Mapping[str, str] = NONE_CHOSEN,
    start: Callable[[], Executor] = processes,
) -> Iterator[Told]:
    """Match the parts; yields what each gave, in order. Raises what reading a named file raised.

    `start` makes the executor of the parts, which has to reach the files by the same names.
    """
    tasks = [Task(str(index), files, statements, now, dict(columns)) for files in cut]
    for one in in_order(start, tell_part, tasks):
        if one.error is not None:
            raise one.error
        yield one


def tell_part(task: Task) -> Told:
    problems: list[str] = []
    suppressed: list[Suppressed] = []
    try:
        held = read_inventory_files(task.files, problems, task.columns)
        matches = match(held, open_index(Path(task.source)), problems)
        lines = list(jsonl(honour(matches, held, task.statements, suppressed), Beside(), task.now))
    except VedetteError as error:
        return Told(b"", 0, [], problems, error)
    return Told("".join(lines).encode("ascii"), len(lines), suppressed, problems)
