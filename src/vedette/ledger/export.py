"""A ledger as files: `ledger.jsonl`, `checkpoints.jsonl`, `keys.json` in one folder.

Lines are canonical JSON, entries with their `hash`. Reading streams and is bounded by line;
other spacing is tolerated, a field named twice is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PublicKeys
from vedette.ledger.checkpoint import Checkpoint
from vedette.ledger.entry import Entry

LEDGER, CHECKPOINTS, KEYS = "ledger.jsonl", "checkpoints.jsonl", "keys.json"
LINE_LIMIT = 65_536
KEY_LIMIT = 1_000


@dataclass(frozen=True)
class Export:
    """Where an export's files are; checkpoints and keys may be absent."""

    ledger: Path
    checkpoints: Path | None
    keys: Path | None


def write_export(
    folder: Path,
    entries: Iterable[tuple[Entry, str]],
    checkpoints: Iterable[Checkpoint],
    keys: Iterable[PublicKeys],
) -> int:
    """Write an export into `folder` (made where absent); return the number of entries.

    Each entry comes with its hash as it was stored.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / LEDGER).open("wb") as file:
        for entry, stated in entries:
            file.write(entry.to_line(stated))
            count += 1
    with (folder / CHECKPOINTS).open("wb") as file:
        for checkpoint in checkpoints:
            file.write(checkpoint.to_line())
    document = {
        "vedette": 1,
        "keys": [{"keyid": k.keyid, "ed25519": k.ed25519, "age": k.age} for k in keys],
    }
    (folder / KEYS).write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    return count


def find_export(path: Path) -> Export:
    """Find an export's files from its folder or its ledger file. Raises BadInput."""
    ledger = path / LEDGER if path.is_dir() else path
    if not ledger.is_file():
        raise BadInput(
            f"{ledger}: no such file", next_step="name an export's folder or its ledger.jsonl"
        )
    beside = [ledger.with_name(name) for name in (CHECKPOINTS, KEYS)]
    checkpoints, keys = (file if file.is_file() else None for file in beside)
    return Export(ledger, checkpoints, keys)


def read_entries(
    path: Path, progress: Callable[[int], object] = lambda size: None
) -> Iterator[tuple[Entry, str]]:
    """Yield each entry with its stated hash. Raises BadInput naming the line.

    `progress` is called with the bytes of each line.
    """
    for number, line in _lines(path):
        value = _parse(line, f"line {number}")
        stated = value.get("hash") if isinstance(value, dict) else None
        try:
            entry = Entry.from_json(value)
            if not isinstance(stated, str):
                raise BadInput("hash: missing")
        except BadInput as error:
            raise BadInput(f"line {number}: {error.what}") from None
        progress(len(line))
        yield entry, stated


def read_checkpoints(path: Path) -> Iterator[Checkpoint]:
    """Yield checkpoints, one a line. Raises BadInput naming file and line."""
    for number, line in _lines(path):
        where = f"{path.name} line {number}"
        try:
            yield Checkpoint.from_json(_parse(line, where))
        except BadInput as error:
            raise BadInput(f"{where}: {error.what.removeprefix(where + ': ')}") from None


def read_kept(path: Path) -> list[Checkpoint]:
    """Read checkpoints that were kept elsewhere: one as JSON in any spacing, or one a line."""
    try:
        return [Checkpoint.from_json(_parse(_bytes(path), path.name))]
    except BadInput as error:
        kept = (
            list(read_checkpoints(path)) if error.what.startswith(f"{path.name}: not JSON") else []
        )
        if not kept:
            raise BadInput(f"{path}: {error.what}", next_step="name a checkpoint file") from None
        return kept


def read_keys(path: Path) -> list[PublicKeys]:
    """Read public keys: an export's list, or one instance's card. Raises BadInput."""
    document = read_json(_bytes(path), source=path.name, bounds=Bounds(MIB, 8, 10_000))
    try:
        rows = document["keys"][:KEY_LIMIT] if "keys" in document else [document]
        keys = [PublicKeys(str(row["ed25519"]), str(row.get("age", ""))) for row in rows]
        for key in keys:
            bytes.fromhex(key.ed25519)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadInput(f"{path.name}: a list of public keys expected") from None
    return keys


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MIB + 1)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_LIMIT + 1):
                number += 1
                if len(line) > LINE_LIMIT:
                    raise BadInput(f"line {number}: longer than {LINE_LIMIT:,} bytes")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None


def _parse(line: bytes, where: str) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_once)
    except RecursionError:
        raise BadInput(f"{where}: nested too deep") from None
    except ValueError as error:
        raise BadInput(f"{where}: not JSON ({error})") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a field is named twice")
    return value
