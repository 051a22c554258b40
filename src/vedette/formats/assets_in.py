"""Asset lists as CSV: encoding, separator and columns are told from the content.

Rules:
- UTF-8 (with or without mark), UTF-16 by its mark or its zero bytes, else Windows-1252.
- The separator (`;`, `,`, tab, `|`) is the one that splits the header into most columns.
- Columns are known by their header, as `asset_columns` says. Whoever knows better says so by field
  and header.
- A first line `sep=;`, as spreadsheets write it, is none of the list. Lines above the header, such
  as a title, are left aside and said; the header is the first line that names a product and
  something else of it.
- A list without a product, name, model, purl or CPE column is refused; columns not used are named.
- A row whose column `confirmed` says no is one whose product was guessed for somebody: like words
  that were typed it never matches as `exact`.
- A version that stands at the end of the product's name counts where no other is stated.
- A row's id is its serial, else `row:N`, N counting the rows below the header from 1.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vedette.formats.asset_columns import FIELDS as FIELDS
from vedette.formats.asset_columns import guess
from vedette.formats.interface import INVENTORY_FORMS, NONE_CHOSEN, PARTS
from vedette.kernel.errors import BadInput
from vedette.kernel.words import counted
from vedette.matching import identity, names
from vedette.matching.model import Component, Inventory

MAX_ROWS = 1_000_000
MAX_COLUMNS = 500
MAX_CELL = 4096
MAX_HEAD = 1 << 16
SEPARATORS = ";,\t|"

_NEEDED = ("name", "product", "model", "purl", "cpe")
_ABOVE = 20  # among so many lines the header is looked for
_NO = frozenset({"n", "no", "0", "false"})
_SEP = re.compile(r'\s*"?sep=.?"?[;,\t|]*\r?\n?', re.IGNORECASE)
_PACKED = {
    b"PK\x03\x04": "a spreadsheet or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "packed with gzip",
    b"\xfd7zXZ": "packed with xz",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf": "packed with 7-Zip",
}


@dataclass(frozen=True)
class Columns:
    """What each column was taken as: place and header by field; what was left; the separator.

    `start` is where the header begins, behind the lines `above` it.
    """

    taken: dict[str, int]
    header: list[str]
    separator: str
    start: int = 0
    above: int = 0

    @property
    def named(self) -> dict[str, str]:
        """The header of each field."""
        return {field: self.header[place].strip() for field, place in self.taken.items()}

    @property
    def left(self) -> list[str]:
        """The headers of no field."""
        used = set(self.taken.values())
        return [h.strip() for i, h in enumerate(self.header) if i not in used and h.strip()]


def read(data: bytes, name: str, chosen: Mapping[str, str] = NONE_CHOSEN) -> Inventory:
    """Read an asset CSV; `chosen` names the header of a field, "" for none. Raises BadInput."""
    return read_text(decode(data, name), name, chosen)


def read_text(content: str, name: str, chosen: Mapping[str, str] = NONE_CHOSEN) -> Inventory:
    """Read the text of an asset CSV as `read` does. Raises BadInput."""
    columns = find_columns(content, name, chosen)
    rows = _rows(content[columns.start :], columns.separator, name)
    next(rows, None)
    components = [_component(row, columns.taken, number) for number, row in enumerate(rows, 1)]
    ids = {component.id for component in components}
    unreadable = sum(bool(c.purl) and names.from_purl(c.purl) is None for c in components)
    nameless = sum(not any(getattr(c, field) for field in _NEEDED) for c in components)
    silent = [c for c in components if not (c.version or c.purl or c.cpe)]
    inside = sum(identity.version_inside(c) is not None for c in silent)
    notes = (
        (unreadable, "a purl that can't be read"),
        (nameless, "no product named: kept, and nothing can match it"),
        (len(silent) - inside, "no version stated: what affects it is unknown"),
        (inside, "the version is read from the product's name, and nothing is exact"),
        (len(components) - len(ids), "the id of another row: one line for both"),
    )
    none = [] if components else ["no row in it, so that nothing could match"]
    above = [f"{counted(columns.above, 'line')} above the header left aside"]
    left = [f"columns not used: {', '.join(columns.left)[:200]}"] if columns.left else []
    said = [f"{counted(count, 'row')}: {what}" for count, what in notes if count]
    return Inventory(
        name, tuple(components), (*none, *(above if columns.above else ()), *left, *said)
    )


def by_site(content: str, name: str, none: str) -> dict[str, str]:
    """Cut an asset CSV by the site that its rows name, each part with the header.

    Rows of no site are those of `none`. Raises BadInput where no column names a site.
    """
    columns = find_columns(content, name)
    if "site" not in columns.taken:
        raise BadInput(
            f"{name}: no column for a site found among {', '.join(columns.header)[:80]!r}",
            next_step="name a column `site`, or take it as one inventory",
        )
    place = columns.taken["site"]
    rows = _rows(content[columns.start :], columns.separator, name)
    header = next(rows)
    parts: dict[str, list[list[str]]] = {}
    for row in rows:
        site = " ".join(row[place].split()) if place < len(row) else ""
        parts.setdefault(site or none, []).append(row)
    return {site: _written([header, *part], columns.separator) for site, part in parts.items()}


def renamed(content: str, name: str, chosen: Mapping[str, str]) -> str:
    """An asset CSV whose header says what each column is, as `chosen` has it. Raises BadInput."""
    columns = find_columns(content, name, chosen)
    fields = {place: field for field, place in columns.taken.items()}
    rows = _rows(content[columns.start :], columns.separator, name)
    next(rows, None)
    named = [fields.get(place, f"unused: {title}") for place, title in enumerate(columns.header)]
    return _written([named, *rows], columns.separator)


def header_alone(content: str) -> str:
    """An asset CSV without its rows."""
    columns = find_columns(content, "list")
    return _written([columns.header], columns.separator)


def _written(rows: list[list[str]], separator: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def find_columns(content: str, name: str, chosen: Mapping[str, str] = NONE_CHOSEN) -> Columns:
    """Return what each column of a CSV is taken as. Raises BadInput."""
    start, above = _header_at(content, chosen)
    content = content[start:]
    header_line = next((line for line in content[:MAX_HEAD].splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=header_line.count)
    header = next(_rows(content, separator, name), [])
    taken = guess(header)
    plain = [cell.strip().casefold() for cell in header]
    for field, title in chosen.items():
        taken.pop(field, None)
        if not title:
            continue
        if title.strip().casefold() not in plain:
            raise BadInput(
                f"{name}: no column {title!r} for {field} in the header {header_line[:80]!r}",
                next_step="name a column as the header writes it",
            )
        place = plain.index(title.strip().casefold())
        taken = {f: p for f, p in taken.items() if p != place or f in chosen} | {field: place}
    if not any(field in taken for field in _NEEDED):
        raise BadInput(
            f"{name}: no column for a product found in the header {header_line[:80]!r}",
            next_step="name a column product, model, name or purl",
        )
    return Columns(taken, header, separator, start, above)


def _header_at(content: str, chosen: Mapping[str, str]) -> tuple[int, int]:
    """Where the header begins, and how many lines that hold something stand above it."""
    wanted = {title.strip().casefold() for title in chosen.values() if title}
    start = above = 0
    for line in content[:MAX_HEAD].splitlines(keepends=True)[:_ABOVE]:
        if line.strip(" \t\r\n;,|"):
            cells = line.strip("\r\n").split(max(SEPARATORS, key=line.count))
            plain = [cell.strip(' "').casefold() for cell in cells]
            taken = guess(plain)
            named = any(field in taken for field in _NEEDED) and (not above or len(taken) > 1)
            if named or (wanted and wanted.issubset(plain)):
                return start, above
            above += 1
        start += len(line)
    return 0, 0


def decode(data: bytes, name: str) -> str:
    """Return the text of a CSV file. Raises BadInput when it is binary."""
    packed = next((what for magic, what in _PACKED.items() if data.startswith(magic)), "")
    if packed:
        raise BadInput(
            f"{name}: a binary file: {packed}", next_step="unpack it, or save its list as CSV"
        )
    content = _text(data, name)
    if marked := _SEP.match(content):
        content = content[marked.end() :]
    if not content.strip():
        raise BadInput(
            f"{name}: nothing in it", next_step="export the list anew: the file is empty"
        )
    first = content[:1]
    if "\0" in content[:1000] or (first < " " and not first.isspace() and first):
        raise BadInput(
            f"{name}: no format that we know: it seems to be a binary file",
            next_step=INVENTORY_FORMS,
        )
    return content


def _text(data: bytes, name: str) -> str:
    head = data[:200]
    try:
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        if head[1::2].count(0) > len(head) // 4:
            return data.decode("utf-16-le")
        if head[0::2].count(0) > len(head) // 4:
            return data.decode("utf-16-be")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.encoding.startswith("utf-16"):
            raise BadInput(
                f"{name}: damaged UTF-16 ({error.reason})",
                next_step="export the list anew, as UTF-8 if you can choose",
            ) from None
        return data.decode("cp1252", "replace")


def _rows(content: str, separator: str, name: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    lines = content.count("\n") + (not content.endswith("\n"))
    ended = content.rstrip("\r\n").endswith('"')
    count = 0
    while True:
        begins = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise BadInput(
                f"{name}: line {reader.line_num}: {error}",
                next_step="mend that line, or export the list anew",
            ) from None
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        if not ended and "\n" in row[-1] and reader.line_num >= lines:
            raise BadInput(
                f"{name}: line {begins}: a quotation mark that is not closed",
                next_step="close it, or write it twice where it belongs to the words",
            )
        count += 1
        if count > MAX_ROWS + 1:
            raise BadInput(f"{name}: more than {MAX_ROWS:,} rows", next_step=PARTS)
        if len(row) > MAX_COLUMNS or any(len(cell) > MAX_CELL for cell in row):
            raise BadInput(
                f"{name}: line {reader.line_num}: more than {MAX_COLUMNS} columns, or a cell"
                f" longer than {MAX_CELL:,}",
                next_step="mend that line; is the separator the same in every line?",
            )
        yield row


def _component(row: list[str], columns: dict[str, int], number: int) -> Component:
    values = {field: row[column].strip() for field, column in columns.items() if column < len(row)}
    given = values.pop("id", "")
    if values.pop("confirmed", "").casefold() in _NO:
        values["origin"] = "typed"
    identifier = values.get("serial") or given or values.get("purl") or f"row:{number}"
    return Component(id=identifier, **values)
