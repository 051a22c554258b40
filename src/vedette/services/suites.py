"""The suites of an instance: those that come with Vedette, and those that were taken in.

Rules:
- A suite is taken in by the office's own hand, certified here and now, item by item; one item that
  fails keeps the whole of it out.
- Every suite that is taken in is sealed: its items lie here each in a file of its own, under a key
  that no keyholder has alone (see `unsealing`), and open in memory only, inside a run.
- What was taken lies under its digest: a run finds exactly the suite that it committed to, whatever
  became of the folder, and of a later version of the same name.
- A shipped suite's name is its own, and nothing is taken above the instance's ceiling.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vedette.bench.leaks import Guard
from vedette.bench.sealed_files import item_names, open_suite, opens, seal_suite
from vedette.bench.suites import Label, Suite, find_suite, shipped_suites
from vedette.kernel.bounds import from_text, read_json, to_text
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.sealing import WindowKey
from vedette.runner.certify import Certificate, document_of
from vedette.runner.private import private_folder
from vedette.services import keyholders, vault
from vedette.services.acting import Actor, act, reading
from vedette.services.here import here
from vedette.services.sides import only
from vedette.store.models import SealedItem, TakenSuite
from vedette.store.tenancy import SYSTEM, scoped

SEALED, UNSEALED = "sealed", "unsealed"
CERTIFICATES = "certificates.sealed"


@dataclass(frozen=True)
class Known:
    """What may be known of a suite without opening it; `id` is empty for a shipped one, and `items`
    in a list."""

    name: str
    version: str
    title: str
    marking: Marking
    digest: str
    declassify: str
    count: int
    id: str = ""
    state: str = ""
    items: tuple[Label, ...] = ()

    @property
    def sealed(self) -> bool:
        """Whether its items are sealed, or were until two unsealed it."""
        return bool(self.id)


def suites() -> list[Known]:
    """The suites that can be run here, of each name the newest."""
    with scoped(SYSTEM):
        newest = {row.name: row for row in TakenSuite.objects.order_by("taken_at", "id")}
    return [*map(_shipped, shipped_suites()), *map(_taken, newest.values())]


def suite_of(name: str, digest: str) -> Known:
    """The suite that a run was committed to. Raises NotFound where it is not here any more."""
    if name in shipped_suites():
        return replace(_shipped(name), items=tuple(map(Label.of, find_suite(name).items)))
    row = row_of(name, digest)
    return replace(_taken(row), items=_labelled(row))


def _labels(suite: Suite) -> list[dict[str, str]]:
    found = [asdict(Label.of(item)) for item in suite.items]
    return [{name: str(value) for name, value in label.items()} for label in found]


def _labelled(row: TakenSuite) -> tuple[Label, ...]:
    sealed = from_text(row.labels, field="labels")
    told = read_json(here().keys.open(sealed), source="labels")
    return tuple(Label(**{**each, "human_minutes": float(each["human_minutes"])}) for each in told)


def row_of(name: str, digest: str) -> TakenSuite:
    """The taken suite of a name and digest. Raises NotFound."""
    with scoped(SYSTEM):
        row = TakenSuite.objects.filter(name=name, digest=digest).first()
    if row is None:
        raise NotFound(f"suite {name[:60]!r} of digest {digest[:71]} is not here")
    return row


def _shipped(name: str) -> Known:
    suite = find_suite(name)
    return Known(
        suite.name,
        suite.version,
        suite.title,
        suite.marking,
        suite.digest,
        suite.declassify,
        len(suite.items),
    )


def _taken(row: TakenSuite) -> Known:
    marking = Marking.parse(row.marking)
    return Known(
        row.name,
        row.version,
        row.title,
        marking,
        row.digest,
        row.declassify,
        row.count,
        row.id,
        row.state,
    )


def check_suite_fits(suite: Suite) -> None:
    """Raise before any work where a suite can't be taken in whatever its certificates say."""
    if here().profile != Profile.OFFICE:
        raise Refused(
            f"suites are taken in and run by an office; this is the instance of {here().profile}",
            next_step="vedette bench run, which needs no instance",
        )
    if suite.name in shipped_suites():
        raise BadInput(
            f"suite {suite.name}: a shipped suite has that name",
            next_step="give it another name in suite.toml",
        )
    if not here().ceiling.dominates(suite.marking):
        raise Refused(f"suite {suite.name}: {suite.marking} is above this instance's ceiling")


def check_taking(actor: Actor, suite: Suite) -> None:
    """Raise before a suite is certified, which takes a while, where it can't be sealed after it."""
    check_suite_fits(suite)
    with reading(actor, Permission.RUN_START):
        if not TakenSuite.objects.filter(digest=suite.digest).exists():
            keyholders.enough()


def take_suite(
    actor: Actor, suite: Suite, certificates: Sequence[Certificate], *, seed: int
) -> TakenSuite:
    """Seal a suite whose items were just certified here; the same again is the same row.

    Raises Refused, with nothing kept, where an item does not hold or has no certificate, or where
    there are no two keyholders for its key.
    """
    check_suite_fits(suite)
    only(Profile.OFFICE, actor)
    held = {each.item for each in certificates if each.holds}
    missing = [item.id for item in suite.items if item.id not in held]
    if missing:
        raise Refused(
            f"suite {suite.name}: {len(missing)} of {len(suite.items)} items do not certify",
            kept="nothing",
            next_step=f"mend {missing[0]}, then certify the suite",
        )
    with act(actor, Permission.RUN_START) as doing:
        known = TakenSuite.objects.filter(digest=suite.digest).first()
        if known is not None:
            return known
        key = WindowKey.generate()
        shares = keyholders.deal(key)
        document = document_of(suite, list(certificates), seed=seed, now=doing.now)
        _seal(suite, key, canonical(document))
        row = TakenSuite(
            org_id=actor.org,
            name=suite.name,
            version=suite.version,
            title=suite.title,
            digest=suite.digest,
            marking=str(suite.marking),
            declassify=suite.declassify,
            count=len(suite.items),
            key_id=key.id,
            shares=shares,
            guard=to_text(here().keys.public.seal(canonical(Guard.of(suite).to_json()))),
            labels=to_text(here().keys.public.seal(canonical(_labels(suite)))),
            taken_by=actor.name,
            taken_at=doing.now,
        )
        row.save(force_insert=True)
        for number in range(1, row.count + 1):
            SealedItem(org_id=actor.org, suite=row, number=number).save(force_insert=True)
        said = {"name": suite.name, "version": suite.version, "digest": suite.digest}
        doing.record(Event.BENCH_SUITE_TAKEN, row.id, said, marking=row.marking)
        return row


@contextmanager
def opened(name: str, digest: str, numbers: Sequence[int] = ()) -> Iterator[tuple[Suite, Path]]:
    """A suite to run, with the folder for its builds: of a taken one the items of these numbers,
    in memory, as long as this lasts.

    Raises Refused where the suite is not unsealed, BadInput where its files do not open.
    """
    if name in shipped_suites():
        yield find_suite(name), here().cache_dir
        return
    row = row_of(name, digest)
    key = suite_key(row)
    with private_folder() as folder:
        yield (
            open_suite(folder_of(digest), digest, key, folder / "suite", numbers or None),
            folder / "builds",
        )


def suite_key(row: TakenSuite) -> WindowKey:
    """The key of a suite that is unsealed. Raises Refused where it is not."""
    key = vault.find_key(row.id)
    if row.state != UNSEALED or key is None or key.id != row.key_id:
        raise Refused(
            f"suite {row.name} is sealed",
            kept="every item sealed",
            next_step="two keyholders unseal it at /suites/",
        )
    return key


def names_of(row: TakenSuite) -> list[str]:
    """The names of an unsealed suite's items, in order. Raises Refused where it is sealed."""
    return item_names(folder_of(row.digest), row.digest, suite_key(row))


def certificates_of(row: TakenSuite) -> dict[str, object]:
    """The certificates of an unsealed suite's items. Raises Refused where it is sealed."""
    with (folder_of(row.digest) / CERTIFICATES).open("rb") as file:
        data = b"".join(suite_key(row).open_file(file, _place(row.digest)))
    return dict(read_json(data, source=CERTIFICATES))


def guard_of(row: TakenSuite) -> Guard:
    """What tells whether a document says anything of a suite's items; needs no unsealing."""
    sealed = from_text(row.guard, field="guard")
    return Guard.from_json(read_json(here().keys.open(sealed), source="guard"))


def canary_of(name: str, digest: str) -> str:
    """A suite's canary, or its words in a row where the suite is sealed; needs no unsealing."""
    if name in shipped_suites():
        return find_suite(name).canary
    return guard_of(row_of(name, digest)).canary


def fits(row: TakenSuite, key: WindowKey) -> bool:
    """Whether this key opens a suite's files."""
    return key.id == row.key_id and opens(folder_of(row.digest), row.digest, key)


def folder_of(digest: str) -> Path:
    """Where a taken suite's sealed files lie."""
    return here().folder / "files" / "suites" / digest.removeprefix("sha256:")


def _place(digest: str) -> str:
    return f"suite/{digest}/{CERTIFICATES}"


def _seal(suite: Suite, key: WindowKey, certificates: bytes) -> None:
    """All sealed files under the digest, or none; what an act that failed left is taken over."""
    target = folder_of(suite.digest)
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    seal_suite(suite, key, part)
    with (part / CERTIFICATES).open("xb") as file:
        key.seal_file(io.BytesIO(certificates), file, _place(suite.digest))
    try:
        with private_folder() as folder:
            open_suite(part, suite.digest, key, folder / "suite")
    except BadInput:
        shutil.rmtree(part)
        raise BadInput(
            f"suite {suite.name}: changed while it was taken in", kept="nothing"
        ) from None
    part.rename(target)
