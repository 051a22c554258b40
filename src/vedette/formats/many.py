"""Many inventories against one index: some files at a time, by several processes.

The same lines in the same order as in one go, because no line depends on two inventories; memory
is that of the files of one part, whatever their number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from vedette.formats.detect import inventories_of
from vedette.formats.interface import NONE_CHOSEN, Spoken
from vedette.formats.matches_out import Beside, jsonl, jsonl_found
from vedette.kernel.bounds import MIB
from vedette.kernel.errors import VedetteError
from vedette.kernel.executor import Executor, in_order, processes
from vedette.matching.engine import found, matches
from vedette.matching.holdings import Known
from vedette.matching.index import open_index
from vedette.matching.model import Inventory, Statement
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
    """Cut files (name, whether a folder held it), by name, into equal parts of at most PART bytes.

    Each core gets as many; a file larger than a part is one of its own.
    """
    sizes = {
        (file, found): os.path.getsize(file) if os.path.isfile(file) else 0
        for file, found in sorted(dict(files).items())
    }
    total, cores = sum(sizes.values()), os.cpu_count() or 1
    most = PART if total <= PART else total / (cores * -(-total // (PART * cores)))
    cut: list[list[tuple[str, bool]]] = [[]]
    before = 0
    for file, size in sizes.items():
        if before and before + size / 2 > most * len(cut):
            cut.append([])
        cut[-1].append(file)
        before += size
    return cut if sizes else []


def told(
    index: Path,
    cut: list[list[tuple[str, bool]]],
    statements: Sequence[Statement],
    now: datetime,
    columns: Mapping[str, str] = NONE_CHOSEN,
    start: Callable[[], Executor] = processes,
) -> Iterator[Told]:
    """Match the parts; yields what each gave, in order. Raises what reading a named file raised.

    `start` makes the executor of several parts, which has to reach the files by the same names.
    """
    tasks = [Task(str(index), files, statements, now, dict(columns)) for files in cut]
    alone = len(tasks) == 1
    for one in map(tell_part, tasks) if alone else in_order(start, tell_part, tasks):
        if one.error is not None:
            raise one.error
        yield one


def tell_part(task: Task) -> Told:
    problems: list[str] = []
    suppressed: list[Suppressed] = []
    spoken_of: list[Inventory] = []

    def read(spoken: Spoken) -> Iterator[Inventory]:
        for inventory in inventories_of(task.files, problems, task.columns, spoken):
            if task.statements or inventory.statements:
                spoken_of.append(inventory)
            yield inventory

    try:
        index = open_index(Path(task.source))
        lines = found(read(None if task.statements else Known(index.holds)), index, problems)
        first = list(islice(lines, 1))  # by now all are read
        lines = chain(first, lines)
        if spoken_of:
            left = honour(matches(lines), spoken_of, task.statements, suppressed)
            text = "".join(jsonl(left, Beside(), task.now)).encode("ascii")
            count = text.count(b"\n")
        else:
            text, count = jsonl_found(lines)
    except VedetteError as error:
        return Told(b"", 0, [], problems, error)
    return Told(text, count, suppressed, problems)
