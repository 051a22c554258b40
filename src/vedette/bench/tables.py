"""Checked reading of a suite's TOML files: the first field that is not as it should be is named."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vedette.kernel.errors import BadInput

MOST_MANIFEST_BYTES = 256 * 1024
MOST_LISTED = 64


class Table:
    """One TOML table with checked access; `place` names it in errors."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self._values = values
        self._place = place

    def _get(self, field: str, kind: type | tuple[type, ...], said: str) -> Any:
        value = self._values.get(field)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise BadInput(f"{self._place}: {field} must be {said}")
        return value

    def has(self, field: str) -> bool:
        return field in self._values

    def names(self) -> tuple[str, ...]:
        """The fields that stand in it. Raises BadInput on one that is no plain word."""
        for name in self._values:
            if not is_identifier(name):
                raise BadInput(f"{self._place}: {name[:60]!r} is no plain name of a field")
        return tuple(self._values)

    def text(self, field: str) -> str:
        value: str = self._get(field, str, "text")
        if not value.strip() or len(value) > 20_000:
            raise BadInput(f"{self._place}: {field} is empty or longer than 20,000 characters")
        return value

    def identifier(self, field: str) -> str:
        value = self.text(field)
        if not is_identifier(value):
            raise BadInput(f"{self._place}: {field} may hold only a-z, 0-9, - and _")
        return value

    def integer(self, field: str) -> int:
        value: int = self._get(field, int, "a whole number")
        if not 0 < value <= 10**9:
            raise BadInput(f"{self._place}: {field} must lie between 1 and 1,000,000,000")
        return value

    def number(self, field: str) -> float:
        value = float(self._get(field, (int, float), "a number"))
        if not 0 <= value <= 10**6:
            raise BadInput(f"{self._place}: {field} must lie between 0 and 1,000,000")
        return value

    def texts(self, field: str, *, most: int = MOST_LISTED) -> tuple[str, ...]:
        values = self._get(field, list, "a list of text")
        if not 0 < len(values) <= most or not all(isinstance(value, str) for value in values):
            raise BadInput(f"{self._place}: {field} must be a list of 1 to {most} texts")
        return tuple(values)

    def table(self, field: str) -> Table:
        return Table(self._get(field, dict, "a table"), f"{self._place}: {field}")

    def tables(self, field: str) -> tuple[Table, ...]:
        values = self._get(field, list, "a list of tables")
        if not 0 < len(values) <= MOST_LISTED or not all(isinstance(v, dict) for v in values):
            raise BadInput(f"{self._place}: {field} must be a list of 1 to {MOST_LISTED} tables")
        return tuple(
            Table(value, f"{self._place}: {field}[{index}]") for index, value in enumerate(values)
        )

    def file(self, field: str, folder: Path) -> Path:
        return self._inside(field, self.text(field), folder)

    def files(self, field: str, folder: Path) -> tuple[Path, ...]:
        return tuple(self._inside(field, name, folder) for name in self.texts(field))

    def _inside(self, field: str, name: str, folder: Path) -> Path:
        parts = Path(name).parts
        if name.startswith("/") or ".." in parts or "\0" in name or not parts:
            raise BadInput(f"{self._place}: {field}: {name[:80]!r} leaves the item's folder")
        path = folder.joinpath(*parts)
        if not path.is_file():
            raise BadInput(f"{self._place}: {field}: there is no file {name[:80]!r}")
        return path


def is_identifier(text: str) -> bool:
    """Whether a text can name a folder, a suite or an item."""
    return 0 < len(text) <= 64 and all(c.isascii() and (c.isalnum() or c in "-_") for c in text)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a bounded TOML file. Raises BadInput naming it by its folder and name."""
    place = f"{path.parent.name}/{path.name}"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{place}: can't be read ({error.strerror})") from None
    if len(data) > MOST_MANIFEST_BYTES:
        raise BadInput(f"{place}: more than {MOST_MANIFEST_BYTES:,} bytes")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{place}: no TOML ({error})") from None
