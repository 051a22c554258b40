"""What a feed's file holds: records of an archive, of a list, or the file itself."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vedette.formats import detect, vex_in
from vedette.formats.bounded import load
from vedette.formats.detect import MAX_ADVISORY
from vedette.formats.exploited_in import is_epss, read_kev
from vedette.kernel.errors import BadInput

_AGAIN = "get the archive anew"
MAX_RECORDS = 3_000_000
MAX_WHOLE = 256 * 1024**2
_DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)

Record = tuple[str, bytes | BadInput]


def of_file(path: Path, name: str) -> Iterator[Record]:
    """Yield name and bytes of each record, or why one can't be had. Raises BadInput."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
        archive = True
        if head.startswith(b"PK\x03\x04"):
            records = _of_zip(path, name)
        elif _is_tar(path, head):
            records = _of_tar(path, name)
        else:
            archive = False
            records = _of_plain(_whole(path, name, head), name)
        number = 0
        for number, record in enumerate(records, 1):
            if number > MAX_RECORDS:
                raise BadInput(
                    f"{name}: more than {MAX_RECORDS:,} records",
                    next_step="cut it into several sources",
                )
            yield record
        if archive and not number:
            raise BadInput(
                f"{name}: holds no .json record",
                kept="every record",
                next_step="give an archive of JSON records",
            )
    except _DAMAGE as error:
        raise BadInput(
            f"{name}: damaged ({error})", kept="what was read so far", next_step=_AGAIN
        ) from None


def _is_tar(path: Path, head: bytes) -> bool:
    return (head.startswith((b"\x1f\x8b", b"\xfd7zXZ", b"BZh")) or b"\x00" not in head) and (
        tarfile.is_tarfile(path)
    )


def _of_zip(path: Path, name: str) -> Iterator[Record]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.lower().endswith(".json"):
                if member.file_size > MAX_ADVISORY:
                    yield member.filename, _too_large(f"{name}: {member.filename}")
                    continue
                try:
                    yield member.filename, archive.read(member)
                except (*_DAMAGE, RuntimeError, NotImplementedError) as error:
                    yield (
                        member.filename,
                        BadInput(f"{name}: {member.filename}: damaged ({error})", next_step=_AGAIN),
                    )


def _of_tar(path: Path, name: str) -> Iterator[Record]:
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            if member.isfile() and member.name.lower().endswith(".json"):
                if member.size > MAX_ADVISORY:
                    yield member.name, _too_large(f"{name}: {member.name}")
                elif (content := archive.extractfile(member)) is not None:
                    yield member.name, content.read()


def _too_large(where: str) -> BadInput:
    return BadInput(
        f"{where}: more than the {MAX_ADVISORY:,} bytes allowed",
        next_step="ask its publisher: no advisory is so large",
    )


def _whole(path: Path, name: str, head: bytes) -> bytes:
    if not head.startswith(b"\x1f\x8b"):
        with path.open("rb") as file:
            data = file.read(MAX_WHOLE + 1)
    else:
        with gzip.open(path) as packed:
            data = packed.read(MAX_WHOLE + 1)
    if len(data) > MAX_WHOLE:
        raise BadInput(
            f"{name}: more than the {MAX_WHOLE:,} bytes allowed",
            next_step="give it as an archive of records, or in parts",
        )
    return data


def _of_plain(data: bytes, name: str) -> Iterator[Record]:
    if is_epss(data):
        yield "epss.csv", data
        return
    if (data[:1] in (b"{", b"[") and len(data) > MAX_ADVISORY) or data.lstrip()[:1] == b"[":
        rows: Any = load(data, name, MAX_WHOLE)
        listed = rows if isinstance(rows, list) else rows.get("vulns", [])
        for number, row in enumerate(listed, 1):
            identifier = row.get("id") if isinstance(row, dict) else None
            yield f"{identifier or number}.json", json.dumps(row).encode()
        return
    yield (name if name.lower().endswith(".json") else f"{name}.json"), data


def check(data: bytes, name: str) -> None:
    """Raise BadInput unless this is a record that `match` can use."""
    if is_epss(data):
        return
    document = load(data, name, MAX_ADVISORY)
    if read_kev(document) is None and vex_in.read(document, name) is None:
        detect.read_advisory(data, name)


def text_lines(data: bytes) -> list[str]:
    """The lines of a small text, without those that are empty."""
    content = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "replace")
    return [line.strip() for line in content if line.strip()]
