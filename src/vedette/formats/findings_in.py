"""Readers of findings: JSON Lines, SARIF 2.1, CSAF vulnerability report, OSV, CSV.

Rules:
- What can't be taken becomes a Rejection with its line (or place) and the reason; the rest is read
  on. Only a file that can't be read at all raises BadInput.
- JSON Lines and CSV stream: a line is bounded, and memory does not grow with the file. A JSON
  document is read whole, bounded in size, depth and count.
- A record without an id of its own gets one from its content, so that reading it again gives the
  same.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vedette.clearinghouse.findings import LIST_LIMITS, TEXT_LIMITS, Finding
from vedette.formats.finding_records import from_csaf, from_osv, from_sarif
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import BadInput

LINE_LIMIT = 2 * MIB
DOCUMENT = Bounds(size=64 * MIB)
LINE = Bounds(size=LINE_LIMIT, count=100_000)
KEPT_LIMIT = 65_536
_LIST_SEPARATORS = {"cwe": ",", "references": " ", "stack": "\n"}


@dataclass(frozen=True)
class Rejection:
    """One record that can't be taken: its line (from 1; 0: the whole file), why, what it held."""

    line: int
    reason: str
    content: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"line": self.line, "reason": self.reason, "content": self.content}


def read_findings(path: Path) -> Iterator[Finding | Rejection]:
    """Yield the findings and rejections of a file, whatever its format. Raises BadInput."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None
    with file:
        yield from _reader(path, file)(file)


def _reader(path: Path, file: BinaryIO) -> Callable[[BinaryIO], Iterator[Finding | Rejection]]:
    """Choose by the file's ending, and by its first line where the ending says little."""
    ending = path.suffix.lower()
    if ending == ".csv":
        return read_csv
    if ending in (".jsonl", ".ndjson"):
        return read_json_lines
    head = file.readline(LINE_LIMIT)
    file.seek(0)
    first = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if ending not in (".json", ".sarif") and first not in (b"{", b"[", b""):
        return read_csv
    try:
        json.loads(head)
        more = bool(head.strip()) and _has_second_line(file)
    except (ValueError, RecursionError):
        more = False
    return read_json_lines if more else read_document


def _has_second_line(file: BinaryIO) -> bool:
    file.readline(LINE_LIMIT)
    rest = file.read(4_096).strip()
    file.seek(0)
    return bool(rest)


def read_json_lines(file: BinaryIO) -> Iterator[Finding | Rejection]:
    """Yield one finding or rejection for each line that is not empty."""
    for number, line in _lines(file):
        if line is None:
            yield Rejection(number, f"longer than the {LINE_LIMIT:,} bytes allowed")
        elif line.strip():
            yield from _record(line, number)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number; None for one too long, which is skipped without keeping."""
    number = 0
    while line := file.readline(LINE_LIMIT + 1):
        number += 1
        if len(line) > LINE_LIMIT:
            while line and not line.endswith(b"\n"):
                line = file.readline(MIB)
            yield number, None
        else:
            yield number, line


def _record(line: bytes, number: int) -> Iterator[Finding | Rejection]:
    source = f"line {number}"
    try:
        value = read_json(line.removeprefix(b"\xef\xbb\xbf"), source=source, bounds=LINE)
        mapped = from_osv(value) if _is_osv(value) else value
        yield Finding.parse(_with_id(mapped), source=source)
    except BadInput as error:
        yield Rejection(number, error.what, _kept(line))


def read_document(file: BinaryIO) -> Iterator[Finding | Rejection]:
    """Yield the findings of one JSON document: SARIF, CSAF, OSV, a finding, or a list of these."""
    data = file.read(DOCUMENT.size + 1)
    value = read_json(data.removeprefix(b"\xef\xbb\xbf"), source="file", bounds=DOCUMENT)
    for place, record in _records(value):
        try:
            yield Finding.parse(_with_id(record), source=place)
        except BadInput as error:
            yield Rejection(0, error.what, _kept(json.dumps(record).encode()))


def _records(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield f"[{index}]", from_osv(item) if _is_osv(item) else item
    elif isinstance(value, dict) and isinstance(value.get("runs"), list):
        yield from from_sarif(value)
    elif isinstance(value, dict) and isinstance(value.get("document"), dict):
        yield from from_csaf(value)
    elif _is_osv(value):
        yield "record", from_osv(value)
    else:
        yield "finding", value


def read_csv(file: BinaryIO) -> Iterator[Finding | Rejection]:
    """Yield one finding or rejection a row; the header names a finding's fields.

    A list is written in one cell: CWE ids with commas, references with spaces, frames on lines.
    """
    rows = csv.reader(_TextLines(file), strict=True)
    header: list[str] | None = None
    while True:
        start = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except (csv.Error, BadInput) as error:
            yield Rejection(start, f"line {start}: no CSV row ({error})")
            continue
        if header is None:
            header = _header(row)
        elif any(cell.strip() for cell in row):
            yield _row(header, row, start)


class _TextLines:
    """The lines of a file as text; one too long raises BadInput, and the next call reads on."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = _lines(file)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = next(self._lines)
        if line is None:
            raise BadInput(f"longer than the {LINE_LIMIT:,} bytes allowed")
        text = line.decode("utf-8", errors="surrogateescape")
        return text.removeprefix("\ufeff") if number == 1 else text


def _header(row: list[str]) -> list[str]:
    header = [name.strip().lower() for name in row]
    if "title" not in header:
        raise BadInput(
            f"line 1: title: no such column among {', '.join(header)[:200]}",
            next_step="name the columns like a finding's fields: id,title,description,product,…",
        )
    return header


def _row(header: list[str], row: list[str], line: int) -> Finding | Rejection:
    content = ",".join(row)[:KEPT_LIMIT].encode("utf-8", "replace").decode()
    if len(row) > len(header):
        return Rejection(line, f"line {line}: {len(row)} cells under {len(header)} names", content)
    cells = {name: cell for name, cell in zip(header, row, strict=False) if cell.strip()}
    value: dict[str, Any] = {n: c for n, c in cells.items() if n in TEXT_LIMITS or n == "marking"}
    for name in LIST_LIMITS:
        entries = cells.get(name, "").split(_LIST_SEPARATORS[name])
        value[name] = [entry.strip() for entry in entries if entry.strip()]
    try:
        return Finding.parse(_with_id(value), source=f"line {line}")
    except BadInput as error:
        return Rejection(line, error.what, content)


def _is_osv(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "title" not in value
        and bool(value.keys() & {"affected", "modified"})
    )


def _with_id(value: Any) -> Any:
    """Give a record without an id one from its content."""
    if not isinstance(value, dict) or value.get("id") not in (None, ""):
        return value
    text = json.dumps(value, sort_keys=True)
    return {**value, "id": "content-" + hashlib.sha256(text.encode()).hexdigest()[:24]}


def _kept(data: bytes) -> str:
    return data[:KEPT_LIMIT].decode("utf-8", errors="replace").rstrip("\r\n")
