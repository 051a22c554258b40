"""What feeds gave, source by source, and the ways to bring more from the portal and the API.

Rules:
- Whoever runs the machine says which sources a folder is synced from (`vedette feeds sync`): no
  request makes this instance read a path, or fetch an address.
- A file is taken as a folder of feeds is, under the name that its source is given.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db.models import Count, Max, Q

from vedette.formats.feeds import records
from vedette.formats.feeds.folder import FeedFolder, safe
from vedette.formats.files import FEED_STATE
from vedette.kernel.bounds import MIB
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Refused
from vedette.services import feeds, sources
from vedette.services.acting import Actor, act, reading
from vedette.services.feeds import Taken
from vedette.services.here import here
from vedette.store.models import ExploitScore, FeedTaking, SourceAdvisory

MAX_FILE = 64 * MIB
MAX_UNPACKED = 1024 * MIB
MOST_RECORDS = 20_000
LARGER = "sync it into a folder: vedette feeds sync --to DIR, then vedette feeds take DIR"


def take_file(actor: Actor, source: str, name: str, parts: Iterable[bytes]) -> Taken:
    """Take a file of feeds: a zip or tar of records, a list of them, one record, KEV, EPSS, VEX.

    Args:
        source: whose records these are; the newer of the same source replaces the earlier.
        name: the file's name.
        parts: its content.

    Raises BadInput, NotFound.
    """
    actor.require(sources.may_feed(actor))
    source = source.strip()
    if not 1 <= len(source) <= 200 or not source.isprintable() or source in sources.WHOLE:
        raise BadInput(
            f"source: 1 to 200 printable characters, other than {' and '.join(sources.WHOLE)}",
            next_step="name the database",
        )
    with tempfile.TemporaryDirectory(prefix="vedette-feed-") as folder:
        file, unpacked = Path(folder, "file"), Path(folder, "records")
        _write(file, parts)
        told = _unpack(file, name or "file", unpacked)
        return feeds.take_feeds(actor, unpacked, source=source, what=f"{source}: {name}", told=told)


def _write(file: Path, parts: Iterable[bytes]) -> None:
    size = 0
    with file.open("wb") as handle:
        for part in parts:
            size += len(part)
            if size > MAX_FILE:
                raise BadInput(
                    f"file: more than {MAX_FILE:,} bytes", kept="nothing of it", next_step=LARGER
                )
            handle.write(part)


def _unpack(file: Path, name: str, into: Path) -> list[str]:
    """Write each record into a folder; return what could not be had."""
    told: list[str] = []
    size = 0
    into.mkdir()
    for number, (record, data) in enumerate(records.of_file(file, name), 1):
        if isinstance(data, BadInput):
            told.append(str(data))
            continue
        size += len(data)
        if number > MOST_RECORDS or size > MAX_UNPACKED:
            raise BadInput(
                f"file: more than {MOST_RECORDS:,} records, or {MAX_UNPACKED:,} bytes unpacked",
                kept="nothing of it",
                next_step=LARGER,
            )
        place = into / safe(record)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return told


def bring_now(actor: Actor) -> None:
    """Have the worker sync the folder of the setting `feeds`, and take it. Raises Refused."""
    with act(actor, sources.may_feed(actor)) as doing:
        if doing.here.feeds is None:
            raise Refused(
                "no folder of feeds is set",
                kept="everything as it was",
                next_step="set `feeds` in the instance's vedette.toml, or take a file",
            )
        doing.after(feeds.bring)


def folder(actor: Actor) -> dict[str, Any] | None:
    """The folder of the setting and its sources, None where none is set."""
    actor.require(sources.may_feed(actor))
    found = here().feeds
    if found is None:
        return None
    known = FeedFolder(found).state["sources"] if (found / FEED_STATE).is_dir() else {}
    return {"folder": str(found), "is_there": found.is_dir(), "sources": sorted(known)}


def kept(actor: Actor) -> list[dict[str, Any]]:
    """What is here of each source: records, those that can't be read, and the newest taking."""
    with reading(actor, sources.may_feed(actor)):
        rows = SourceAdvisory.objects.order_by("source").values("source")
        counted = rows.annotate(
            records=Count("pk", filter=Q(problem="")),
            broken=Count("pk", filter=~Q(problem="")),
            newest=Max("taken_at"),
        )
        return [
            {**row, "records": row["records"] * _inside(row["source"])}
            | {"newest": format_time(row["newest"])}
            for row in counted
        ]


def _inside(source: str) -> int:
    """How many entries a record of a source has: one, but for what comes whole."""
    if source == sources.EPSS:
        return ExploitScore.objects.count()
    if source != sources.KEV:
        return 1
    return len(json.loads(SourceAdvisory.objects.get(source=source).document))


def takings(actor: Actor, limit: int = 20) -> list[dict[str, Any]]:
    """The last takings, newest first, each with what it gave or why it came to nothing."""
    with reading(actor, sources.may_feed(actor)):
        rows = FeedTaking.objects.order_by("-ended_at", "pk")[:limit]
        return [describe(row) for row in rows]


def describe(row: FeedTaking) -> dict[str, Any]:
    """A taking as JSON."""
    return {
        "id": row.id,
        "what": row.what,
        "by": row.by,
        "began_at": format_time(row.began_at),
        "ended_at": format_time(row.ended_at),
        "result": row.result,
        "error": row.error,
    }
