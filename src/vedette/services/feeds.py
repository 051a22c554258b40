"""A folder of feeds (`vedette feeds sync`), taken into the instance: advisories, KEV, EPSS.

Rules:
- What is here already is not read again: a record is known by its digest. Doing it twice changes
  nothing; a run that was killed is gone on with, because each part is an act of its own.
- A record that can't be read is kept with its problem and stops none of the others; one that is
  no longer in the folder is forgotten. A record that can be read stays, whatever the folder says:
  advisories are withdrawn by a record, not by absence.
- KEV and EPSS are taken whole where they changed; of several the last by its own date.
- VEX documents are kept with their authors, and honoured by whoever says so (`vex_feeds`); a CSAF
  VEX is a record of the index as well.
- What was taken enters the index of this instance: the public one of a clearinghouse, or an
  operator's own, which it shows to nobody. The matches follow as for any other index.
- Every taking leaves a line of what it gave (`FeedTaking`), one that came to nothing its reason.
- With the setting `feeds` the folder's own sources are brought up to date and taken every night.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any

from vedette.formats import vex_in
from vedette.formats.bounded import load
from vedette.formats.detect import (
    FEED_ENDINGS,
    MAX_ADVISORY,
    MAX_VEX,
    advisory_reader,
)
from vedette.formats.exploited_in import is_epss, read_kev
from vedette.formats.feeds.folder import FeedFolder, slug
from vedette.formats.feeds.syncing import sync
from vedette.formats.files import FEED_STATE
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput, VedetteError
from vedette.services import index, scores, sources, vex_feeds
from vedette.services.acting import Actor, act, instance_actor, reading
from vedette.services.here import here
from vedette.services.jobs import every_day, job
from vedette.services.sources import EPSS, KEV
from vedette.store.models import FeedTaking, IndexBuild, SourceAdvisory

log = logging.getLogger("vedette.feeds")
AT = time(2, 0)
DAILY = "bring feeds up to date"
VEX = "VEX"
PART = 2_000
KEPT_PROBLEMS = 1_000
LISTED_PROBLEMS = 100
KEPT_TAKINGS = 60

Progress = Callable[[int, int, str], None]
Row = tuple[str, bytes]


@dataclass
class Taken:
    """What a folder gave: records of each kind, and what could not be read."""

    accepted: int = 0
    updated: int = 0
    already_known: int = 0
    broken: int = 0
    vex: int = 0
    kev: int | None = None
    epss: int | None = None
    index: str = ""
    advisories: int = 0
    problems: list[str] = field(default_factory=list)

    def tell(self, problem: str) -> None:
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def take_feeds(
    actor: Actor,
    folder: Path,
    progress: Progress = lambda *_: None,
    *,
    source: str = "",
    what: str = "",
    told: Sequence[str] = (),
) -> Taken:
    """Take what a folder of feeds holds into the index. Raises BadInput, NotFound.

    `kev` and `epss` of the result are None where the folder has none, or the one that is here.

    Args:
        source: whose records these are; by default each folder inside is a source.
        what: how the taking is called where it is listed, by default the folder.
        told: problems of before, such as a source that could not be reached.
    """
    actor.require(sources.may_feed(actor))
    began = here().clock.now()
    taken = Taken()
    for problem in told:
        taken.tell(problem)
    try:
        if not folder.is_dir():
            step = "vedette feeds sync --to DIR --source …"
            raise BadInput(f"{folder}: no folder", next_step=step)
        with _alone(folder):
            _take(actor, folder, progress, taken, source)
        _build(actor, taken)
    except VedetteError as error:
        _list(actor, what or str(folder), began, taken, str(error))
        raise
    _list(actor, what or str(folder), began, taken)
    return taken


def _build(actor: Actor, taken: Taken) -> None:
    changed = taken.accepted or taken.updated or taken.kev is not None
    build = (None if changed else _standing(actor)) or index.build_own_index(actor)
    taken.index, taken.advisories = build.id, build.advisories


def _list(actor: Actor, what: str, began: datetime, taken: Taken, error: str = "") -> None:
    """Keep what a taking gave, and forget those of long ago."""
    told = {**taken.to_json(), "problems": taken.problems[:LISTED_PROBLEMS]}
    with act(actor, sources.may_feed(actor)) as doing:
        FeedTaking.objects.create(
            org_id=doing.here.org,
            what=what[:300],
            by=actor.name[:200],
            began_at=began,
            ended_at=doing.now,
            result=told,
            error=error[:500],
        )
        old = FeedTaking.objects.order_by("-ended_at", "pk").values_list("pk", flat=True)
        FeedTaking.objects.filter(pk__in=list(old[KEPT_TAKINGS:])).delete()


def _standing(actor: Actor) -> IndexBuild | None:
    """The index in hand, where nothing was taken after it was built: by a run that was killed."""
    with reading(actor):
        rows = IndexBuild.objects.defer("data").filter(peer=None, current=True)
        build: IndexBuild | None = rows.first()
        taken = SourceAdvisory.objects.exclude(source=EPSS)
        newer = build is None or taken.filter(taken_at__gt=build.built_at).exists()
    return None if newer else build


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder against a run of `feeds sync`, where one keeps it."""
    if not (folder / FEED_STATE).is_dir():
        yield
        return
    with FeedFolder(folder).alone():
        yield


def _take(actor: Actor, folder: Path, progress: Progress, taken: Taken, of: str) -> None:
    by_source: dict[str, list[Path]] = {}
    given = FeedFolder(folder).state["sources"] if (folder / FEED_STATE).is_dir() else ()
    named = {slug(each): each for each in given}
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder).parts
        if FEED_STATE not in inside and file.is_file() and _is_feed(file.name):
            first = inside[0] if len(inside) > 1 else folder.resolve().name
            source = of or named.get(first, first)
            by_source.setdefault(source[:200], []).append(file)
    whole: dict[str, list[bytes]] = {KEV: [], EPSS: []}
    total, done = sum(map(len, by_source.values())), 0
    for source, files in by_source.items():
        new = _new(actor, source, files, taken)
        for start in range(0, len(new.files), PART):
            rows: list[Row] = []
            stated: list[Row] = []
            for file in new.files[start : start + PART]:
                progress(done + start + len(rows), total, file.name)
                name, data = str(file.relative_to(folder)), _content(file)
                kind, speaks = _kind(data, name)
                if kind in whole:
                    whole[kind].append(data)
                elif kind != VEX:
                    rows.append((name, data))
                if speaks:
                    stated.append((name, data))
            # before the records: those are what tells that a file was taken
            taken.vex += vex_feeds.keep(actor, source, stated)
            _keep(actor, source, rows, new, taken)
        done += len(files)
    taken.kev = _take_whole(actor, KEV, whole[KEV], sources.keep_kev, taken)
    taken.epss = _take_whole(actor, EPSS, whole[EPSS], scores.import_epss, taken)


def _is_feed(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(FEED_ENDINGS)


@dataclass(frozen=True)
class _New:
    """The files of a source that are not here yet, and the digests of all of them."""

    files: list[Path]
    present: frozenset[str]


def _new(actor: Actor, source: str, files: list[Path], taken: Taken) -> _New:
    with reading(actor):
        rows = SourceAdvisory.objects.filter(source=source)
        known = dict.fromkeys(vex_feeds.digests(source), "")
        known |= dict(rows.values_list("digest", "problem"))
    found, present = [], set()
    for file in files:
        try:
            name = digest(_content(file))
        except BadInput as error:
            taken.broken += 1
            taken.tell(str(error))
            continue
        present.add(name)
        if name not in known:
            found.append(file)
        elif known[name]:
            taken.broken += 1
            taken.tell(f"{file}: {known[name]}")
        else:
            taken.already_known += 1
    with act(actor, sources.may_feed(actor)):
        gone = SourceAdvisory.objects.filter(source=source).exclude(problem="")
        gone.filter(digest__in=sorted(set(filter(known.get, known)) - present)).delete()
    return _New(found, frozenset(present))


def _keep(actor: Actor, source: str, rows: list[Row], new: _New, taken: Taken) -> None:
    if not rows:
        return
    made = sources.keep_records(actor, source, rows, present=new.present)
    taken.accepted += made.accepted
    taken.updated += made.updated
    taken.already_known += made.already_known
    taken.broken += len(made.problems)
    for problem in made.problems:
        taken.tell(problem["problem"])


def _content(file: Path) -> bytes:
    limit = MAX_VEX if file.name.lower().endswith(".csv") else MAX_ADVISORY
    try:
        with file.open("rb") as handle:
            data = handle.read(limit + 1)
    except OSError as error:
        raise BadInput(f"{file}: can't be read ({error.strerror})") from None
    if len(data) > limit:
        raise BadInput(f"{file}: more than the {limit:,} bytes allowed")
    return data


def _kind(data: bytes, name: str) -> tuple[str, bool]:
    """KEV, EPSS, VEX, or "": a record, or what can't be read as one; and whether it states VEX."""
    if is_epss(data):
        return EPSS, False
    try:
        document = load(data, name, MAX_ADVISORY)
        if read_kev(document) is not None:
            return KEV, False
        speaks = bool(vex_in.read(document, name))
        return (VEX if speaks and advisory_reader(document) is None else ""), speaks
    except VedetteError:
        return "", False


def _take_whole(
    actor: Actor, name: str, found: list[bytes], take: Callable[[Actor, bytes], int], taken: Taken
) -> int | None:
    """Take the last of what comes whole, where it is another than the one here."""
    if not found:
        return None
    data = max(found, key=_dated)
    with reading(actor):
        if SourceAdvisory.objects.filter(source=name, digest=digest(data)).exists():
            return None
    try:
        return take(actor, data)
    except BadInput as error:
        taken.broken += 1
        taken.tell(f"{name}: {error}")
        return None


def _dated(data: bytes) -> bytes:
    """The day that a catalogue or a set of scores states; empty where it states none."""
    said = re.search(rb'(?:"dateReleased"\s*:\s*"|score_date:)([0-9T:.+Z-]+)', data[:65_536])
    return said.group(1) if said else b""


def every_night() -> None:
    """See to it that the folder of the setting `feeds` is taken in the coming night."""
    if here().feeds is not None:
        every_day(DAILY, bring, AT)


@job(queue="long")
def bring() -> None:
    """Bring the sources of the folder up to date, take it, and again the next night."""
    folder = here().feeds
    if folder is None:
        return
    every_night()
    told: list[str] = []
    if (folder / FEED_STATE).is_dir():
        with FeedFolder(folder).alone() as kept:
            for source in sorted(kept.state["sources"]):
                told += sync(kept, source).problems
    taken = take_feeds(instance_actor(), folder, told=told)
    for problem in taken.problems:
        log.warning("feeds: %s", problem)
