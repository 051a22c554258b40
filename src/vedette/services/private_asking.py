"""Private matching on the operator's side: ask for buckets, open what is one's own, match at home.

Needs neither Django nor an instance's database: `vedette watch` and the portal's job share it.

Rules:
- The division comes from the operator's own copy of the signed index; an answer that states another
  is refused, and so is a question where fewer than private.LEAST products share a bucket.
- What a slot holds is matched as an index's record is, versions and all; nothing of it goes back.
- What is marked above the ceiling is not taken: only its case, its marking and its hour stay.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from vedette.exchange.fields import ListOf, Mark, Record, Text
from vedette.exchange.private_question import Asked, open_answer, put, put_content, write_names
from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.keys import PrivateKeys, PublicKeys
from vedette.kernel.markings import Marking
from vedette.matching import identity, intersection, private, records
from vedette.matching.engine import match
from vedette.matching.holdings import Holdings
from vedette.matching.index import DAMAGE, Index
from vedette.matching.model import Advisory, Component, Inventory, Match
from vedette.matching.vex import Suppressed, honour

_ENTRY = Record(
    {
        "case": Text(40),
        "marking": Mark(),
        "until": Text(40),
        "hours": ListOf(Record({"zone": Text(60), "local": Text(60)}), 20),
        "record": Text(private.ROOM),
    }
)


@dataclass(frozen=True)
class Embargoed:
    """A match with an embargoed case: `match.advisory` is the case's id, `buckets` where it lay."""

    match: Match
    marking: str
    until: str
    hours: tuple[tuple[str, str], ...]
    buckets: tuple[int, ...]

    def embargo(self) -> dict[str, Any]:
        """Marking and hour: RFC 3339 in UTC, and as the parties read it."""
        hours = [{"zone": zone, "local": local} for zone, local in self.hours]
        return {"marking": self.marking, "until": self.until, "hours": hours}


@dataclass
class Outcome:
    """What a run found: `asked` buckets in `division`, `waiting` ones, what is left of the day.

    `both` are the product keys of an intersection, by the name of the product that they are keys
    of; it counts as bucket 0 where all were revealed.
    """

    division: private.Division
    waiting: int
    asked: set[int] = field(default_factory=set)
    matches: list[Embargoed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    both: dict[str, list[str]] = field(default_factory=dict)
    left: int = 0
    limit: int = 0


@dataclass(frozen=True)
class Asker:
    """Who asks whom: the instance's keys and ceiling, and how a question gets to `maker`."""

    keys: PrivateKeys
    ceiling: Marking
    maker: PublicKeys
    post: Callable[[bytes], bytes]

    def ask(
        self,
        inventories: Sequence[Inventory],
        index: Index,
        now: datetime,
        *,
        questions: int = 1,
        turn: int = 0,
    ) -> Outcome:
        """Ask which embargoed cases touch the inventories. Raises Refused, and what `post` does."""
        division = private.divide(index.keys())
        if division.shared < private.LEAST:
            raise Refused(
                f"the index names {division.products:,} products: a bucket would be shared by"
                f" {division.shared}, {private.LEAST} at the least are wanted",
                kept="nothing was asked",
            )
        held: dict[int, set[str]] = {}
        for key in Holdings(inventories).by_key:
            held.setdefault(private.bucket(key, division.bits), set()).add(key)
        asking = private.ask(held, division, self._secret(), questions=questions, turn=turn)
        found, entries = Outcome(division, asking.waiting), dict[str, _Opened]()
        for buckets in asking.questions:
            asked = put(buckets, division.bits, self.keys, self.maker, now)
            answer = self.post(canonical(dict(asked.envelope)))
            self._read(asked, answer, buckets, held, found, entries)
        found.matches = sorted(_matched(inventories, entries), key=lambda e: e.match[:4])
        return found

    def intersect(
        self,
        inventories: Sequence[Inventory],
        index: Index,
        now: datetime,
        *,
        reveal: Collection[str] = (),
        turn: int = 0,
    ) -> Outcome:
        """Learn which product keys both sides hold; ask for the ranges of those in `reveal`.

        `reveal` has names of products or single keys; "all" is each of them. Two questions,
        whatever is found: the second may name nothing. Raises MissingPart without the extra psi,
        Refused, and what `post` does.
        """
        keys = set(Holdings(inventories).by_key)
        asking = intersection.Asking(keys, turn)
        asked = put_content("intersection", asking.request, self.keys, self.maker, now)
        _, content = open_answer(asked, self.post(canonical(dict(asked.envelope))), self.maker)
        both = asking.found(content)
        by_name = named(both, inventories)
        found = Outcome(private.divide(index.keys()), asking.waiting, both=by_name)
        chosen = {
            key
            for name, keys in by_name.items()
            for key in keys
            if not {"all", name, key}.isdisjoint(reveal)
        }
        sealed = self.maker.seal(write_names(chosen))
        asked = put_content("ranges", sealed, self.keys, self.maker, now)
        answer = self.post(canonical(dict(asked.envelope)))
        entries: dict[str, _Opened] = {}
        self._read(asked, answer, (0,), {0: chosen}, found, entries)
        if chosen != set(both):
            found.asked.clear()
        found.matches = sorted(_matched(inventories, entries), key=lambda e: e.match[:4])
        return found

    def _secret(self) -> bytes:
        # an Ed25519 signature is the same each time, and nobody else can make it
        return sha256(
            self.keys.sign(b"vedette private matching: which buckets are padding")
        ).digest()

    def _read(
        self,
        asked: Asked,
        answer: bytes,
        buckets: Sequence[int],
        held: Mapping[int, Collection[str]],
        found: Outcome,
        entries: dict[str, _Opened],
    ) -> None:
        head, filled = open_answer(asked, answer, self.maker)
        if head["bits"] != found.division.bits:
            raise Refused(f"private answer: of 2**{head['bits']} buckets, the index gives others")
        found.left, found.limit = head["left"], head["limit"]
        found.asked.update(buckets)
        salt = bytes.fromhex(head["salt"])
        for bucket, _, payload in private.opened(filled, buckets, held, salt):
            try:
                entry, record = _entry(payload)
            except BadInput as error:
                found.notes.append(f"an entry can't be read ({error.what})")
                continue
            if not self.ceiling.dominates(Marking.parse(entry["marking"])):
                found.notes.append(
                    f"{entry['case']} touches a product here and is marked {entry['marking']},"
                    f" above the ceiling {self.ceiling}: ask the clearinghouse"
                )
                continue
            known = entries.setdefault(entry["case"], _Opened(entry, [], set()))
            known.buckets.add(bucket)
            if record not in known.records:
                known.records.append(record)


@dataclass(frozen=True)
class _Opened:
    """What was opened of one case."""

    entry: dict[str, Any]
    records: list[Advisory]
    buckets: set[int]


def named(keys: Collection[str], inventories: Iterable[Inventory]) -> dict[str, list[str]]:
    """Keys by product: those of the same components are names of one thing."""
    owners: dict[str, list[Component]] = {key: [] for key in sorted(keys)}
    for inventory in inventories:
        for component in inventory.components:
            for key in owners.keys() & identity.of_component(component).keys():
                owners[key].append(component)
    found: dict[str, list[str]] = {}
    for key, held in owners.items():
        first = held[0]
        name = f"{first.vendor} {first.product or first.name}".strip()
        found.setdefault(key if first.purl else " ".join(name.split()), []).append(key)
    return found


def _entry(payload: bytes) -> tuple[dict[str, Any], Advisory]:
    bounds = Bounds(size=private.ROOM, depth=5, count=200)
    entry = read_json(payload, source="entry", bounds=bounds)
    _ENTRY.check(entry, "entry")
    try:
        return entry, records.load(entry["record"].encode())
    except DAMAGE:
        raise BadInput("entry.record: no record of this version") from None


def _matched(inventories: Sequence[Inventory], opened: dict[str, _Opened]) -> list[Embargoed]:
    advisories = [record for one in opened.values() for record in one.records]
    taken: list[Suppressed] = []
    lines = honour(match(inventories, advisories), inventories, (), taken)
    return [_embargoed(line, opened[line.advisory]) for line in lines if line.advisory in opened]


def _embargoed(line: Match, opened: _Opened) -> Embargoed:
    entry = opened.entry
    hours = tuple((each["zone"], each["local"]) for each in entry["hours"])
    return Embargoed(line, entry["marking"], entry["until"], hours, tuple(sorted(opened.buckets)))
