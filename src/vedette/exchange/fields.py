"""Field kinds of message bodies: each checks one value and names the field that is wrong.

Values are JSON of text, whole numbers, booleans, null, lists and objects; a share or a score
crosses as decimal text, because floats have no canonical form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import canonical
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import Marking


class Field(Protocol):
    """One field of a body. `check` raises BadInput naming `path`."""

    @property
    def required(self) -> bool: ...

    def check(self, value: Any, path: str) -> None: ...


@dataclass(frozen=True)
class Text:
    """Text of at most `limit` characters, matching `pattern` where one is given."""

    limit: int = 300
    pattern: str = ""
    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise BadInput(f"{path}: text expected, got {type(value).__name__}")
        if len(value) > self.limit:
            raise BadInput(f"{path}: {len(value)} characters, at most {self.limit}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise BadInput(f"{path}: {value[:40]!r} has not the form {self.pattern}")


@dataclass(frozen=True)
class Choice:
    """One of the given words."""

    words: tuple[str, ...]
    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if value not in self.words:
            raise BadInput(f"{path}: {str(value)[:40]!r} is none of {', '.join(self.words)}")


@dataclass(frozen=True)
class Time:
    """An RFC 3339 time with its zone."""

    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str) or len(value) > 40:
            raise BadInput(f"{path}: a time as text expected")
        parse_time(value, field=path)


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int = 0
    high: int = 10**15
    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadInput(f"{path}: whole number expected")
        if not self.low <= value <= self.high:
            raise BadInput(f"{path}: {value} is not within {self.low} to {self.high}")


@dataclass(frozen=True)
class YesNo:
    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, bool):
            raise BadInput(f"{path}: true or false expected")


@dataclass(frozen=True)
class ListOf:
    """A list of at most `limit` values of one kind."""

    item: Field
    limit: int = 1000
    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise BadInput(f"{path}: list expected")
        if len(value) > self.limit:
            raise BadInput(f"{path}: {len(value)} entries, at most {self.limit}")
        for index, entry in enumerate(value):
            self.item.check(entry, f"{path}[{index}]")


@dataclass(frozen=True)
class Record:
    """An object with named fields and no others."""

    fields: Mapping[str, Field]
    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise BadInput(f"{path}: object expected")
        for name in value:
            if name not in self.fields:
                raise BadInput(f"{path}.{str(name)[:40]}: this field may not cross")
        for name, field in self.fields.items():
            if name in value:
                field.check(value[name], f"{path}.{name}")
            elif field.required:
                raise BadInput(f"{path}.{name}: missing")


@dataclass(frozen=True)
class TextMap:
    """An object of short names and texts, such as the dossier's fields that cross."""

    limit: int = 200
    text_limit: int = 65_536
    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, dict) or len(value) > self.limit:
            raise BadInput(f"{path}: an object of at most {self.limit} texts expected")
        for name, text in value.items():
            if not re.fullmatch(r"[a-z][a-z0-9_.-]{0,63}", name):
                raise BadInput(f"{path}: {name[:40]!r} is no field name")
            if not isinstance(text, str) or len(text) > self.text_limit:
                raise BadInput(f"{path}.{name}: text of at most {self.text_limit} expected")


@dataclass(frozen=True)
class Document:
    """A nested JSON document with a schema of its own, bounded by its canonical size."""

    limit: int = 4 * MIB
    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise BadInput(f"{path}: object expected")
        size = len(canonical(value))
        if size > self.limit:
            raise BadInput(f"{path}: {size:,} bytes, at most {self.limit:,}")


@dataclass(frozen=True)
class Mark:
    """A marking in its written form."""

    required: bool = True

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise BadInput(f"{path}: marking expected")
        try:
            Marking.parse(value)
        except BadInput as error:
            raise BadInput(f"{path}: {error.what}") from None


ID = Text(40, r"[a-z]{2,20}-[2-9a-z]{16}")
HEX = Text(128, r"[0-9a-f]{64}|[0-9a-f]{128}")
DIGEST = Text(71, r"sha256:[0-9a-f]{64}")
LONG = Text(65_536)
NOTE = Text(4_000, required=False)
GIB = 1024 * MIB
CHUNK = MIB
MOST_CHUNKS = 16_384
# a file that a message names: its content crosses in chunks of CHUNK bytes, the last one shorter
ATTACHMENT = Record(
    {
        "id": ID,
        "name": Text(200, r"[^/\\\x00-\x1f\x7f]{1,200}"),
        "media_type": Text(100, r"[a-z0-9.+-]{1,48}/[A-Za-z0-9.+_-]{1,50}"),
        "size": Whole(1, CHUNK * MOST_CHUNKS),
        "digest": DIGEST,
        "marking": Mark(),
        "chunks": ListOf(DIGEST, MOST_CHUNKS),
    }
)
ATTACHMENTS = ListOf(ATTACHMENT, 20, required=False)
