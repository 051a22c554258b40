"""The material of the index: records of public databases, and the catalogue of exploited flaws.

Rules:
- A record that can't be read is kept with its problem and stops none of the others.
- A newer revision of the same source replaces the earlier one; the same again changes nothing.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vedette.formats.detect import MAX_ADVISORY, read_advisory
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, NotFound, VedetteError
from vedette.kernel.events import Event
from vedette.kernel.markings import CLEAR
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, act
from vedette.services.here import here
from vedette.services.sides import only
from vedette.store.models import SourceAdvisory

MAX_IMPORT = 256 * MIB
MAX_UNPACKED = 2048 * MIB
MAX_RECORDS = 500_000
KEV, EPSS = "KEV", "EPSS"
WHOLE = (KEV, EPSS)
KEV_BOUNDS = Bounds(size=32 * MIB, depth=8)
CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
BATCH = 500


@dataclass(frozen=True)
class Imported:
    """What became of the records: counts, and those set aside with their reason."""

    accepted: int
    updated: int
    already_known: int
    problems: tuple[dict[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "updated": self.updated,
            "already_known": self.already_known,
            "problems": list(self.problems),
        }


def import_advisories(actor: Actor, data: bytes, source: str) -> Imported:
    """Take records of a public database into the material of the index.

    Args:
        data: one OSV, CSAF or CVE record, a JSON list of them, JSON Lines, or a zip of such files.
        source: the database's name; a record's newer revision of the same source replaces it.
    """
    only(Profile.CLEARINGHOUSE, actor)
    source = source.strip()
    if not source or len(source) > 200 or source in WHOLE:
        raise BadInput(
            f"source: 1 to 200 characters, other than {' and '.join(WHOLE)}",
            next_step="name the database",
        )
    return keep_records(actor, source, _records(data), stated=digest(data))


def may_feed(actor: Actor) -> Permission:
    """What somebody needs who feeds the index of this instance. Raises NotFound."""
    profile = here().profile
    if profile not in (Profile.CLEARINGHOUSE, Profile.OPERATOR) or not (actor.host or actor.system):
        raise NotFound("no such thing here")
    if profile == Profile.CLEARINGHOUSE:
        return Permission.ADVISORY_PUBLISH
    return Permission.INVENTORY_EDIT


def keep_records(
    actor: Actor,
    source: str,
    records: Iterable[tuple[str, bytes]],
    *,
    present: frozenset[str] = frozenset(),
    stated: str = "",
) -> Imported:
    """Keep records of one source, in one act.

    Args:
        records: place and content of each.
        present: digests of all that the source holds; a record that is among them is not replaced
            by another of its id.
        stated: the digest of what they came in, for the ledger.
    """
    with act(actor, may_feed(actor)) as doing:
        known = dict(SourceAdvisory.objects.filter(source=source).values_list("key", "digest"))
        rows: dict[str, SourceAdvisory] = {}
        problems: list[dict[str, str]] = []
        for where, content in records:
            row = _source_row(doing, source, where, content)
            if row.problem:
                problems.append({"record": where, "problem": row.problem})
            if not (present and row.key in rows):
                rows[row.key] = row
        counts = {"accepted": 0, "updated": 0, "already": 0}
        changed = []
        for row in rows.values():
            before = known.get(row.key)
            same = before == row.digest or before in present
            if not same:
                changed.append(row)
            if not row.problem:
                word = "already" if same else "updated" if before else "accepted"
                counts[word] += 1
        SourceAdvisory.objects.bulk_create(
            changed,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["org", "source", "key"],
            update_fields=["document", "digest", "problem", "taken_at"],
        )
        result = Imported(counts["accepted"], counts["updated"], counts["already"], tuple(problems))
        doing.record(
            Event.INDEX_ADVISORIES_IMPORTED,
            source[:100],
            {"digest": stated, **counts, "problems": len(problems)},
            marking=str(CLEAR),
        )
    return result


def import_kev(actor: Actor, data: bytes) -> int:
    """Take CISA's catalogue of known exploited vulnerabilities; return how many it lists.

    The catalogue replaces the one here. Raises BadInput.
    """
    only(Profile.CLEARINGHOUSE, actor)
    return keep_kev(actor, data)


def keep_kev(actor: Actor, data: bytes) -> int:
    """Keep the catalogue as `import_kev` does, for whoever feeds the index of this instance."""
    needed = may_feed(actor)
    actor.require(needed)
    document = read_json(data, source="catalogue", bounds=KEV_BOUNDS)
    rows = document.get("vulnerabilities") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise BadInput("catalogue: a list `vulnerabilities` is expected", kept="the one here")
    listed: set[str] = set()
    for number, row in enumerate(rows):
        name = row.get("cveID") if isinstance(row, dict) else None
        if not isinstance(name, str) or not CVE.fullmatch(name):
            raise BadInput(
                f"catalogue.vulnerabilities[{number}].cveID: no CVE id", kept="the one here"
            )
        listed.add(name)
    with act(actor, needed) as doing:
        SourceAdvisory.objects.update_or_create(
            org_id=doing.here.org,
            source=KEV,
            key=KEV,
            defaults={
                "document": json.dumps(sorted(listed)),
                "digest": digest(data),
                "problem": "",
                "taken_at": doing.now,
            },
        )
        doing.record(
            Event.INDEX_ADVISORIES_IMPORTED,
            KEV,
            {"digest": digest(data), "listed": len(listed)},
            marking=str(CLEAR),
        )
    return len(listed)


def _source_row(doing: Doing, source: str, where: str, content: bytes) -> SourceAdvisory:
    problem = ""
    key = digest(content)
    try:
        key = read_advisory(content, where).id
        if len(key) > 200:
            raise BadInput(f"{where}: id longer than 200 characters")
    except VedetteError as error:
        problem, key = str(error)[:500], digest(content)
    return SourceAdvisory(
        org_id=doing.here.org,
        source=source,
        key=key,
        document=content.decode("utf-8", "replace").replace("\x00", ""),
        digest=digest(content),
        problem=problem,
        taken_at=doing.now,
    )


def _records(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each record's place and bytes. Raises BadInput beyond the bounds."""
    if len(data) > MAX_IMPORT:
        raise BadInput(f"advisories: {len(data):,} bytes, at most {MAX_IMPORT:,}")
    for count, (where, content) in enumerate(_unpacked(data), 1):
        if count > MAX_RECORDS:
            raise BadInput(f"advisories: more than {MAX_RECORDS:,} records", kept="none of them")
        yield where, content


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.startswith(b"PK\x03\x04"):
        yield from _zipped(data)
        return
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"["):
        yield from _listed(text)
        return
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines[:2]):
        for number, line in enumerate(lines, 1):
            yield f"line {number}", line
    else:
        yield "record 1", text


def _listed(text: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"advisories: not JSON ({str(error)[:100]})") from None
    for number, item in enumerate(items, 1):
        yield f"record {number}", json.dumps(item, ensure_ascii=False).encode("utf-8", "replace")


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                if entry.is_dir() or not entry.filename.lower().endswith(".json"):
                    continue
                with archive.open(entry) as file:
                    content = file.read(MAX_ADVISORY + 1)
                total += len(content)
                if total > MAX_UNPACKED:
                    raise BadInput(
                        f"advisories: more than {MAX_UNPACKED:,} bytes unpacked",
                        kept="none of them",
                    )
                yield entry.filename[:200], content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise BadInput(f"advisories: the zip can't be read ({str(error)[:100]})") from None
