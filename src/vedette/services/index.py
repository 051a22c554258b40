"""The clearinghouse's index of advisories: made of public records and its own advisories.

Rules:
- Only published, public TLP:CLEAR advisories enter it; nothing under embargo is ever inside.
- A record that can't be read is kept with its problem and stops none of the others.
- An index is built anew only when its content differs; every operator is told of each new one.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vedette.clearinghouse import facts
from vedette.exchange.envelope import sign_payload
from vedette.formats import csaf_in, osv_in
from vedette.formats.detect import MAX_ADVISORY, read_advisory
from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, VedetteError
from vedette.kernel.events import Event
from vedette.kernel.markings import CLEAR, Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.matching.index import Index, build
from vedette.matching.model import Advisory as Record
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.jobs import job
from vedette.services.matches import match_inventories
from vedette.services.sides import only
from vedette.store.models import Advisory, IndexBuild, Peer, SourceAdvisory
from vedette.store.tenancy import SYSTEM, scoped

INDEX_TYPE = "application/vnd.vedette.index+json"
INDEX_PATH = "/index/v1/"
MAX_IMPORT = 256 * MIB
MAX_UNPACKED = 2048 * MIB
MAX_RECORDS = 500_000
KEPT_BUILDS = 8
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
    if not source or len(source) > 200:
        raise BadInput("source: 1 to 200 characters expected", next_step="name the database")
    with act(actor, Permission.ADVISORY_PUBLISH) as doing:
        known = dict(SourceAdvisory.objects.filter(source=source).values_list("key", "digest"))
        rows: dict[str, SourceAdvisory] = {}
        problems: list[dict[str, str]] = []
        for where, content in _records(data):
            row = _source_row(doing, source, where, content)
            if row.problem:
                problems.append({"record": where, "problem": row.problem})
            rows[row.key] = row
        counts = {"accepted": 0, "updated": 0, "already": 0}
        changed = []
        for row in rows.values():
            before = known.get(row.key)
            if before != row.digest:
                changed.append(row)
            if not row.problem:
                word = "already" if before == row.digest else "updated" if before else "accepted"
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
            {"digest": digest(data), **counts, "problems": len(problems)},
            marking=str(CLEAR),
        )
    return result


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


def build_index(actor: Actor) -> IndexBuild:
    """Build the index anew, publish it, and tell every operator; unchanged content, same index."""
    only(Profile.CLEARINGHOUSE, actor)
    with act(actor, Permission.ADVISORY_PUBLISH) as doing:
        newest: IndexBuild | None = (
            IndexBuild.objects.select_for_update().filter(peer=None, current=True).first()
        )
        data = build(_material(doing))
        if newest is not None and newest.digest == digest(data):
            return newest
        held = Index(data, "index").header["advisories"]
        row = keep(doing, data, None, held, doing.now)
        doing.record(
            Event.INDEX_INDEX_BUILT,
            row.id,
            {"digest": row.digest, "advisories": row.advisories},
            marking=str(CLEAR),
        )
        for peer in Peer.objects.filter(profile=Profile.OPERATOR).order_by("name"):
            doing.send(
                peer, "index.published", _told(doing, row), thread=row.id, marking="TLP:CLEAR"
            )
        return row


@job(queue="long")
def rebuild() -> None:
    """Build the index after a publication."""
    build_index(instance_actor())


def keep(
    doing: Doing, data: bytes, peer: Peer | None, advisories: int, built_at: datetime
) -> IndexBuild:
    """Keep an index as its maker's newest, and have the inventories matched against it."""
    earlier = IndexBuild.objects.filter(peer=peer)
    earlier.filter(current=True).update(current=False)
    row = IndexBuild(
        org_id=doing.here.org,
        peer=peer,
        digest=digest(data),
        size=len(data),
        advisories=advisories,
        data=data,
        public=peer is None,
        current=True,
        built_at=built_at,
    )
    row.save(force_insert=True)
    old = earlier.filter(current=False).order_by("-built_at", "pk")
    stale = list(old.values_list("id", flat=True)[KEPT_BUILDS:])
    IndexBuild.objects.filter(id__in=stale).update(data=b"")
    doing.after(match_inventories)
    return row


def _told(doing: Doing, row: IndexBuild) -> dict[str, Any]:
    return {
        "index": row.id,
        "digest": row.digest,
        "size": row.size,
        "advisories": row.advisories,
        "url": doing.here.url + INDEX_PATH + row.digest,
        "published": format_time(row.built_at),
    }


def _material(doing: Doing) -> Iterator[Record]:
    sources = SourceAdvisory.objects.filter(problem="").order_by("pk")
    for source, key, document in sources.values_list("source", "key", "document").iterator(BATCH):
        yield read_advisory(document.encode(), f"{source}: {key}")
    own = Advisory.objects.filter(public=True, published_at__lte=doing.now).order_by("pk")
    for row in own:
        if CLEAR.dominates(Marking.parse(row.marking)):
            yield own_record(row)


def own_record(row: Advisory) -> Record:
    """A published advisory as the match takes it.

    OSV names packages, CSAF every product; so products without a package come from CSAF. What an
    own advisory corrects, it corrects by execution: no finding enters a case otherwise.
    """
    record = osv_in.read(row.osv, row.tracking_id)
    packages = tuple(a for a in record.affected if a.name or a.purl)
    if len(packages) < len(record.affected) or not packages:
        named = csaf_in.read(row.csaf, row.tracking_id).affected
        record = replace(record, affected=(*packages, *(a for a in named if not a.purl)))
    return replace(
        record,
        id=row.tracking_id,
        corrects=tuple(row.corrects),
        evidence="execution" if row.corrects and row.case_id else "",
        facts=facts.state(row.priority),
    )


def latest() -> dict[str, Any]:
    """The signed statement of the newest public index: a DSSE envelope. Raises NotFound."""
    with reading(instance_actor()) as instance:
        row = IndexBuild.objects.defer("data").filter(peer=None, public=True, current=True).first()
    if row is None:
        raise NotFound("no index was built here yet")
    statement = {
        "vedette": 1,
        "index": row.id,
        "digest": row.digest,
        "size": row.size,
        "advisories": row.advisories,
        "built_at": format_time(row.built_at),
        "issuer": instance.keys.public.keyid,
    }
    return sign_payload(canonical(statement), INDEX_TYPE, instance.keys)


def content(wanted: str) -> bytes:
    """The bytes of a public index by digest. Raises NotFound."""
    with scoped(SYSTEM):
        row = IndexBuild.objects.filter(digest=wanted, public=True, peer=None).first()
    data = bytes(row.data) if row else b""
    if not data:
        raise NotFound("no such index here", next_step=f"the newest: {INDEX_PATH}latest")
    return data


def builds(actor: Actor, limit: int = 50) -> list[dict[str, Any]]:
    """The indexes kept here, newest first."""
    with reading(actor):
        rows = IndexBuild.objects.defer("data").order_by("-current", "-built_at", "pk")[:limit]
        return [describe(row) for row in rows]


def describe(row: IndexBuild) -> dict[str, Any]:
    """An index as JSON, without its content."""
    return {
        "id": row.id,
        "digest": row.digest,
        "size": row.size,
        "advisories": row.advisories,
        "current": row.current,
        "pulled_from": row.peer_id or "",
        "built_at": format_time(row.built_at),
    }
