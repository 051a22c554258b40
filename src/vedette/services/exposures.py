"""The exposure ledger of sealed items: counted, budgeted, decided and signed.

Rules:
- An item of a run is exposed to a subject just before it is shown to it, or where the items leave
  when the bundle is made: once for each subject, by the custody in which it meets the item. It is
  counted before it happens, and stays counted if it then does not; what was not begun is not
  counted, and neither is what nobody could be asked. A person who opens the run's log is counted
  from the reading log, once a person.
- What a run will spend is reserved from its commitment on, until it ends. One that failed holds
  nothing: it goes on only where what it still lacks fits.
- An item that is used up (see `bench.exposure`) is retired when the next run is committed, or when
  it is disclosed. A run is made of what remains, and its commitment says of which.
- Sealed items are opened to a lab (its endpoint, its machine, a third place) under an act only
  after a signed decision for that suite and act; what a run found in a sealed item goes to the
  clearinghouse only after one for that item.
- A decision is signed by the instance (DSSE), names who made it and why, and is in the ledger. One
  that discloses an item names the digest of what of it crosses with a crash; nothing else does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Min

from vedette.bench import exposure as rules
from vedette.bench.custody import custody_of
from vedette.bench.disclosed import digest_of, disclosed_item
from vedette.kernel import dsse
from vedette.kernel.bounds import Bounds, read_json
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services import two_person
from vedette.services.acting import Actor, Doing, act
from vedette.services.here import here
from vedette.services.sides import find_act, note, only
from vedette.services.suites import names_of, opened, row_of
from vedette.services.unsealing import find
from vedette.store.models import Exposure, ExposureDecision, Reading, Run, SealedItem, TakenSuite

SEND, DISCLOSE = "send", "disclose"
EXPOSE_SUITE, DISCLOSE_ITEM = "expose-suite", "disclose-item"
PAYLOAD_TYPE = "application/vnd.vedette.exposure-decision+json"
FORMAT = "vedette-exposure-decision/1"


def budgets() -> dict[str, int]:
    """How many exposures of each custody an item has, by the pack."""
    return {row["id"]: int(row["most"]) for row in here().pack.records("exposure", "budgets")}


def seen_of(suite: TakenSuite, *, reserved: bool = False) -> dict[int, rules.Seen]:
    """How often each item was exposed, by its number; in the present scope.

    With `reserved`, what runs that were committed to and have not begun will spend counts, too.
    """
    rows = Exposure.objects.filter(item__suite=suite).values_list("item__number", "custody")
    items = suite.sealed_items.values_list("number", flat=True)
    views = [(number, rules.VIEW) for number, _, _, _ in views_of(suite)]
    return rules.counted([*rows, *views, *(_reserved(suite) if reserved else ())], items)


def _reserved(suite: TakenSuite) -> list[tuple[int, str]]:
    waiting = Run.objects.filter(
        suite_digest=suite.digest, state__in=("committed", "running", "away")
    )
    return [
        (number, rules.custody_of(subject, run.custody))
        for run in waiting
        for subject, number in _lacking(run)
    ]


def _lacking(run: Run) -> list[tuple[dict[str, str], int]]:
    """The pairs of subject and item of a run that are not counted yet."""
    counted = set(Exposure.objects.filter(run=run).values_list("subject", "item__number"))
    return [
        (subject, number)
        for subject in run.subjects
        for number in run.items
        if (subject["name"][:200], number) not in counted
    ]


def remaining_for(suite: TakenSuite, custody: str) -> int:
    """How many of a sealed suite's items can still meet one subject in this custody."""
    seen, standing = seen_of(suite), suite.sealed_items.filter(retired_at=None)
    numbers = set(standing.values_list("number", flat=True))
    here_now = {number: row for number, row in seen.items() if number in numbers}
    return len(rules.remaining(here_now, {custody: 1}, budgets()))


def views_of(suite: TakenSuite) -> list[tuple[int, str, str, Any]]:
    """Who opened a log that tells an item: (number, run, person, when first)."""
    runs = dict(Run.objects.filter(suite_digest=suite.digest).values_list("id", "items"))
    opened = Reading.objects.filter(kind="run", object_id__in=list(runs))
    firsts = opened.values_list("object_id", "person").annotate(first=Min("at")).order_by("first")
    found: dict[tuple[int, str], tuple[str, Any]] = {}
    for run_id, person, first in firsts:
        for number in runs[run_id]:
            found.setdefault((number, person), (run_id, first))
    return [(number, run, person, at) for (number, person), (run, at) in found.items()]


def committed(
    doing: Doing, suite: TakenSuite, subjects: Sequence[Mapping[str, str]], custody: str, act_: Any
) -> list[int]:
    """The numbers of a sealed suite's items that a run is made of; the used up are retired.

    Raises Refused where nothing remains, or where a lab would see items without a decision.
    """
    if custody_of(custody).exposes and not decided(suite, act_):
        raise Refused(
            f"suite {suite.name} is sealed, and its items would be open to {_them(custody)}",
            kept="every item sealed",
            next_step="an exposure decision for this suite and act, at /suites/",
        )
    TakenSuite.objects.select_for_update().get(pk=suite.pk)
    given, seen = budgets(), seen_of(suite)
    standing = {item.number: item for item in suite.sealed_items.filter(retired_at=None)}
    for number, item in standing.items():
        if why := seen[number].spent(given):
            retire(doing, item, why)
    numbers = fitting(suite, subjects, custody)
    if not numbers:
        raise Refused(
            f"suite {suite.name}: no item has exposures left for this run",
            kept="the items, and what is known of them",
            next_step="generate and take in a suite anew",
        )
    return numbers


def fitting(suite: TakenSuite, subjects: Sequence[Mapping[str, str]], custody: str) -> list[int]:
    """The numbers of the items that a run of these subjects could be made of now."""
    given, seen = budgets(), seen_of(suite)
    spoken_for = seen_of(suite, reserved=True)
    standing = suite.sealed_items.filter(retired_at=None).values_list("number", flat=True)
    here_now = {n: spoken_for[n] for n in standing if not seen[n].spent(given)}
    return rules.remaining(here_now, rules.needed(subjects, custody), given)


def _them(custody: str) -> str:
    return custody_of(custody).items_seen_by.removeprefix("the office, and ").partition(":")[0]


def decided(suite: TakenSuite, act_: Any) -> bool:
    """Whether a decision lets the lab of an act see a suite's items."""
    return ExposureDecision.objects.filter(suite=suite, act=act_, kind=SEND).exists()


def retire(doing: Doing, item: SealedItem, why: str) -> None:
    """Take an item out of further runs."""
    item.retired_at, item.retired_why = doing.now, why[:300]
    item.save(update_fields=["retired_at", "retired_why"])
    doing.record(Event.BENCH_ITEM_RETIRED, item.id, {"why": item.retired_why})


def check_rest(run: Run) -> None:
    """Raise Refused where what a failed run still has to show fits its items' budgets no more."""
    suite, given = row_of(run.suite, run.suite_digest), budgets()
    TakenSuite.objects.select_for_update().get(pk=suite.pk)
    seen = seen_of(suite, reserved=True)
    more = [(number, rules.custody_of(subject, run.custody)) for subject, number in _lacking(run)]
    for number, need in rules.counted(more, run.items).items():
        for custody, count in need.counts.items():
            if seen[number].counts.get(custody, 0) + count > given[custody]:
                raise Refused(
                    f"item {number} has no exposures left for this run ({custody})",
                    kept="the samples that were finished",
                    next_step="start a new run: it is made of what remains",
                )


def record(doing: Doing, run: Run, subject: str = "", numbers: Sequence[int] | None = None) -> None:
    """Count items of a run before they are shown: to one subject or all, these numbers or all.

    What is counted already is not counted again.
    """
    new = [
        (each, number)
        for each, number in _lacking(run)
        if subject in ("", each["name"]) and (numbers is None or number in numbers)
    ]
    if not new:
        return
    suite = row_of(run.suite, run.suite_digest)
    items = {item.number: item for item in suite.sealed_items.filter(number__in=run.items)}
    operator = run.act.peer.name if run.act else here().name
    rows = []
    for each, number in new:
        custody = rules.custody_of(each, run.custody)
        rows.append(
            Exposure(
                org_id=run.org_id,
                item=items[number],
                run=run,
                subject=each["name"][:200],
                custody=custody,
                could_see=rules.could_see(custody, operator)[:300],
                at=doing.now,
            )
        )
    Exposure.objects.bulk_create(rows)
    said = {
        "suite": suite.digest,
        "items": sorted({number for _, number in new}),
        "subjects": sorted({each["name"] for each, _ in new}),
        "custody": run.custody,
    }
    doing.record(Event.BENCH_ITEMS_EXPOSED, run.id, said, marking=run.marking)


def decide_sending(actor: Actor, suite_id: str, act_id: str, why: str) -> Any:
    """Decide that a suite's items may go to the lab's model under an act."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.EXPOSURE_DECIDE) as doing:
        suite, row = find(suite_id), find_act(act_id)
        if decided(suite, row):
            raise Refused("this is decided already", kept="the decision")
        given = {"act": row.id, "why": _reason(why)}
        return two_person.ask(doing, EXPOSE_SUITE, suite.id, given, given["why"])


@two_person.kind(EXPOSE_SUITE, Permission.EXPOSURE_DECIDE)
def _sending(doing: Doing, suite_id: str, arguments: dict[str, Any], by: str) -> Any:
    suite, row = find(suite_id), find_act(arguments["act"])
    return _decide(doing, suite, SEND, arguments["why"], by, act=row)


def decide_disclosing(actor: Actor, run_id: str, item: str, why: str) -> Any:
    """Decide that what a run found in one sealed item may go to the clearinghouse."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.EXPOSURE_DECIDE) as doing:
        run = Run.objects.filter(id=run_id).first()
        if run is None or not run.items:
            raise NotFound(f"run {run_id[:40]!r} on sealed items is not here")
        suite = row_of(run.suite, run.suite_digest)
        numbers = {name: n for n, name in enumerate(names_of(suite), 1) if n in run.items}
        if item not in numbers:
            raise NotFound(f"item {item[:60]!r} is none of this run's")
        if numbers[item] in disclosed(suite):
            raise Refused("this item is disclosed already", kept="the decision")
        reason = _reason(why)
        with opened(suite.name, suite.digest, [numbers[item]]) as (part, _):
            build = digest_of(disclosed_item(part, part.item(item)))
        given = {"number": numbers[item], "why": reason, "build": build}
        return two_person.ask(doing, DISCLOSE_ITEM, suite.id, given, reason)


@two_person.kind(DISCLOSE_ITEM, Permission.EXPOSURE_DECIDE)
def _disclosing(doing: Doing, suite_id: str, arguments: dict[str, Any], by: str) -> Any:
    suite = find(suite_id)
    item = suite.sealed_items.get(number=arguments["number"])
    if item.retired_at is None:
        retire(doing, item, "disclosed")
    why, build = arguments["why"], arguments["build"]
    return _decide(doing, suite, DISCLOSE, why, by, item=item, build=build)


def disclosed(suite: TakenSuite) -> dict[int, str]:
    """The items that decisions disclose, by number, with the digest of what each lets cross."""
    rows = ExposureDecision.objects.filter(suite=suite, kind=DISCLOSE).select_related("item")
    return {row.item.number: signed(row)["build"] for row in rows}


def signed(row: ExposureDecision) -> dict[str, Any]:
    """What a decision says, as it was signed."""
    raw = json.dumps(row.envelope).encode()
    opened_ = dsse.open_envelope(raw, PAYLOAD_TYPE, source="decision", bounds=Bounds())
    found: dict[str, Any] = read_json(opened_.payload, source="decision")
    return found


def _reason(why: str) -> str:
    found = note(why, "why")
    if not found.strip():
        raise Refused("an exposure decision has a reason", next_step="say why")
    return found


def _decide(
    doing: Doing,
    suite: TakenSuite,
    kind: str,
    why: str,
    by: str,
    *,
    act: Any = None,
    item: Any = None,
    build: str = "",
) -> ExposureDecision:
    document = {
        "format": FORMAT,
        "decision": kind,
        "office": doing.here.keys.public.keyid,
        "suite": {"name": suite.name, "version": suite.version, "digest": suite.digest},
        "act": act.id if act else None,
        "item": item.number if item else None,
        "build": build or None,
        "by": by,
        "why": why,
        "at": format_time(doing.now),
    }
    made = ExposureDecision(
        org_id=doing.actor.org,
        kind=kind,
        suite=suite,
        act=act,
        item=item,
        why=why,
        by=by[:500],
        at=doing.now,
        envelope=dsse.sign(canonical(document), PAYLOAD_TYPE, doing.here.keys),
    )
    made.save(force_insert=True)
    said = {"digest": digest(canonical(document)), "kind": kind}
    doing.record(Event.BENCH_EXPOSURE_DECIDED, made.id, said, marking=suite.marking)
    return made
