"""Asset lists as CSV: encoding, separator and columns are told from the content.

Rules:
- UTF-8 (with or without mark), UTF-16 by its mark or its zero bytes, else Windows-1252.
- The separator (`;`, `,`, tab, `|`) is the one that splits the header into most columns.
- Columns are known by their header in any case; the first column that fits counts. A list
  without a product, name, model or purl column is refused; columns not known are named in a note.
- A row's id is its serial, else `row:N`, N counting the rows below the header from 1.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from vedette.kernel.errors import BadInput
from vedette.matching import names
from vedette.matching.model import Component, Inventory

MAX_ROWS = 1_000_000
MAX_COLUMNS = 500
MAX_CELL = 4096
SEPARATORS = ";,\t|"

_HEADERS = {
    "id": ("id", "asset id", "asset tag", "asset", "asset number", "bom ref", "tag"),
    "name": ("name", "component", "package", "package name", "software", "hostname", "host"),
    "version": (
        *("version", "firmware version", "firmware", "fw version", "fw", "software version"),
        *("sw version", "current version", "installed version", "os version", "release", "rev"),
    ),
    "purl": ("purl", "package url"),
    "vendor": ("vendor", "manufacturer", "make", "supplier", "brand", "oem", "hersteller"),
    "product": (
        *("product", "product name", "device", "device name", "device type", "description"),
        *("equipment", "produkt", "type"),
    ),
    "model": (
        *("model", "model number", "model no", "part number", "part no", "order number"),
        *("order no", "mlfb", "article number", "catalog number", "sku", "modell"),
    ),
    "serial": ("serial", "serial number", "serial no", "sn", "s n", "serialnumber"),
    "cpe": ("cpe", "cpe23", "cpe 2 3"),
    "site": ("site", "location", "plant", "facility", "standort"),
    "zone": ("zone", "network zone", "segment", "cell", "area"),
    "criticality": ("criticality", "critical", "importance", "tier"),
    "exposure": ("exposure", "exposed", "internet exposed", "internet facing"),
}
_NEEDED = ("name", "product", "model", "purl", "cpe")
_WORD = re.compile(r"[^\W_]+")


def read(data: bytes, name: str) -> Inventory:
    """Read an asset CSV. Raises BadInput."""
    content = decode(data, name)
    lines = content.splitlines()
    header_line = next((line for line in lines if line.strip()), "")
    separator = max(SEPARATORS, key=header_line.count)
    rows = _rows(content, separator, name)
    header = next(rows, [])
    columns = guess(header)
    if not any(field in columns for field in _NEEDED):
        raise BadInput(
            f"{name}: no column for a product found in the header {header_line[:80]!r}",
            next_step="name a column product, model, name or purl",
        )
    components, unreadable = [], 0
    for number, row in enumerate(rows, 1):
        component = _component(row, columns, number)
        unreadable += bool(component.purl) and names.from_purl(component.purl) is None
        components.append(component)
    unknown = [h.strip() for i, h in enumerate(header) if i not in columns.values() and h.strip()]
    notes = []
    if unknown:
        notes.append(f"columns not used: {', '.join(unknown)[:200]}")
    if unreadable:
        notes.append(f"{unreadable:,} rows have a purl that can't be read")
    return Inventory(name, tuple(components), tuple(notes))


def decode(data: bytes, name: str) -> str:
    """Return the text of a CSV file. Raises BadInput when it is binary."""
    head = data[:200]
    try:
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        if head[1::2].count(0) > len(head) // 4:
            return data.decode("utf-16-le")
        if head[0::2].count(0) > len(head) // 4:
            return data.decode("utf-16-be")
        if 0 in head:
            raise BadInput(f"{name}: no format that we know; a binary file?")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.encoding.startswith("utf-16"):
            raise BadInput(f"{name}: damaged UTF-16 ({error.reason})") from None
        return data.decode("cp1252", "replace")


def guess(header: list[str]) -> dict[str, int]:
    """Return the column of each field that the header names."""
    plain = [" ".join(_WORD.findall(cell.casefold())) for cell in header]
    columns: dict[str, int] = {}
    for field, spellings in _HEADERS.items():
        for spelling in spellings:
            if spelling in plain and plain.index(spelling) not in columns.values():
                columns[field] = plain.index(spelling)
                break
    return columns


def _rows(content: str, separator: str, name: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    count = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise BadInput(f"{name}: line {reader.line_num}: {error}") from None
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        count += 1
        if count > MAX_ROWS + 1:
            raise BadInput(f"{name}: more than {MAX_ROWS:,} rows")
        if len(row) > MAX_COLUMNS or any(len(cell) > MAX_CELL for cell in row):
            raise BadInput(
                f"{name}: line {reader.line_num}: more than {MAX_COLUMNS} columns, or a cell"
                f" longer than {MAX_CELL:,}"
            )
        yield row


def _component(row: list[str], columns: dict[str, int], number: int) -> Component:
    values = {field: row[column].strip() for field, column in columns.items() if column < len(row)}
    given = values.pop("id", "")
    identifier = values.get("serial") or given or values.get("purl") or f"row:{number}"
    return Component(id=identifier, **values)
