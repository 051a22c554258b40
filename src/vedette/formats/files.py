"""Files as a user names them: those of folders in sorted order, and their bytes within a bound.

A folder's symbolic links are left alone, and what is left aside in it is said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

from vedette.kernel.errors import BadInput
from vedette.kernel.words import counted

FEED_STATE = ".feeds"
_FIRST = 64 * 1024
_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_YAML = (".yaml", ".yml")
_RIGHTS = "see to its owner and rights"
_SMALLER = "cut it into several files"


def files_in(
    path: Path | str, endings: tuple[str, ...], problems: list[str]
) -> Iterator[tuple[str, bool]]:
    """Yield file names as given (folder/file), and whether a folder held them."""
    if not os.path.isdir(path):
        yield str(path), False
        return
    aside, taken, yaml = 0, 0, False
    folders = [str(path)]
    while folders:
        inner = []
        for item in _listed(folders.pop(), problems):
            name = item.name
            if item.is_dir(follow_symlinks=False):
                inner += [item.path] if name != FEED_STATE else []
            elif not (name.endswith(endings) or name.lower().endswith(endings)):
                aside += not item.is_dir()
                yaml = yaml or name.lower().endswith(_YAML)
            elif not item.is_file(follow_symlinks=False):
                problems.append(f"{item.path}: left aside, no regular file")
            else:
                taken += 1
                yield item.path, True
        folders += reversed(inner)
    if aside:
        kinds = ", ".join(endings)
        hint = "; next: make JSON of the YAML, which is not read" if yaml else ""
        problems.append(
            f"{path}: {counted(aside, 'file')} left aside, of another ending than {kinds}{hint}"
        )
    elif not taken:
        problems.append(f"{path}: a folder without a file")


def _listed(folder: str, problems: list[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return sorted(items, key=attrgetter("name"))
    except OSError as error:
        problems.append(f"{folder}: can't be read ({error.strerror})")
        return []


def head_of(file: str, size: int) -> bytes:
    """Return the first bytes of a file. Raises BadInput."""
    try:
        with open(file, "rb") as handle:
            return handle.read(size)
    except OSError as error:
        raise BadInput(f"{file}: can't be read ({error.strerror})", next_step=_RIGHTS) from None


def content_of(file: str, limit: int, but: bytes = b"") -> Any:
    """Return the bytes of a file, None when it begins with `but`. Raises BadInput."""
    try:
        handle = os.open(file, _OPEN)
        try:
            data = os.read(handle, _FIRST)
            if but and data.startswith(but):
                return None
            size = os.fstat(handle).st_size
            if size > limit:
                raise BadInput(
                    f"{file}: {size:,} bytes, more than the {limit:,} allowed",
                    next_step=_SMALLER,
                )
            if len(data) != size:
                with open(handle, "rb", closefd=False) as rest:
                    data += rest.read(limit + 1 - len(data))
        finally:
            os.close(handle)
    except OSError as error:
        raise BadInput(f"{file}: can't be read ({error.strerror})", next_step=_RIGHTS) from None
    if len(data) > limit:
        raise BadInput(f"{file}: more than the {limit:,} bytes allowed", next_step=_SMALLER)
    return data
