"""Findings: reported in the portal, by message or as a file; taken once, kept whatever they say.

Rules:
- A report's text is data: bounded, stored as it came, never obeyed.
- The same content from the same reporter is one finding; sending it again changes nothing.
- On a lab or an office a report goes to the clearinghouse; an office may send a copy to the lab
  whose model's run uncovered it.
- Every arrival at the clearinghouse is executed there; its reporter is told what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vedette.bench.suites import Suite
from vedette.clearinghouse import findings as pure
from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.states import FINDING, FindingState
from vedette.exchange.fields import Document
from vedette.exchange.messages import BY_NAME
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services import reproduction, scan_parties
from vedette.services.acting import Actor, Doing, act
from vedette.services.deconflict import target_of
from vedette.services.finding_outcomes import reply
from vedette.services.here import here
from vedette.services.inbox import Arrival, handles
from vedette.services.outbox import find_peer
from vedette.services.parties import clearinghouse_only, readable
from vedette.store.models import DisclosedBuild, Finding

DEFAULT_MARKING = "TLP:AMBER+STRICT"
EVIDENCE = Document(limit=262_144)
SHARED = (
    *("title", "description", "vendor", "product", "component", "version", "file", "function"),
    *("cwe", "stack", "references", "recipe", "evidence", "origin"),
)
OPTIONAL = tuple(name for name in SHARED if name not in ("title", "description", "product"))


def report_finding(
    actor: Actor,
    fields: Mapping[str, Any],
    *,
    to: str = "",
    copy_to: str = "",
    scan: str = "",
    build: Mapping[str, Any] | None = None,
) -> Finding:
    """Report a finding; the same content again returns the finding there is.

    Args:
        fields: title, and what is known of id, description, vendor, product, component, version,
            file, function, cwe, stack, references, recipe, evidence, origin, marking.
        to: on an instance that is no clearinghouse, the clearinghouse by its peer's name, where
            there are several.
        scan: the registered scan that it comes from, one of the reporter's own.
        copy_to: on an office, the lab by its peer's name that gets a copy.
        build: on an office, a disclosed item's build; it goes to the clearinghouse alone.
    """
    with act(actor, Permission.FINDING_REPORT) as doing:
        row = made(fields, actor.org, reporter=actor.name)
        if not readable(actor, row.marking):
            raise BadInput("marking: above your own clearance")
        if not doing.here.ceiling.dominates(Marking.parse(row.marking)):
            raise BadInput(f"marking: {row.marking} is above this instance's ceiling")
        row, new = keep(doing, row, Event.FINDING_FINDING_REPORTED)
        if not new:
            return row
        if scan:
            scan_parties.link(row, scan)
        if doing.here.profile == Profile.CLEARINGHOUSE:
            doing.after(reproduction.reproduce_finding, finding_id=row.id)
        else:
            _send(doing, row, to, copy_to, scan, build)
        return row


def crash_fields(suite: Suite, crash: Mapping[str, Any], build: str = "") -> dict[str, Any]:
    """The fields of a finding from one crash of a run (see `RunResult.crashes`); `build` is the
    digest of what of a sealed item is disclosed."""
    item, evidence = suite.item(crash["item"]), crash["evidence"]
    kind, frame = str(evidence.get("crash_class", "")), str(evidence.get("top_frame", ""))
    return {
        "title": f"{kind} in {frame} of {item.product.name}",
        "description": f"{item.product.name} {item.product.version}: an input of"
        f" {len(crash['input_b64']) * 3 // 4} bytes ends in {kind} in {frame}. It was found in a"
        " benchmark run and verified in fresh sandboxes.",
        "vendor": item.product.vendor,
        "product": item.product.name,
        "version": item.product.version,
        "function": frame,
        "cwe": [item.cwe],
        "stack": [str(name)[:300] for name in evidence.get("frames", ())],
        "recipe": {
            "kind": "disclosed-item" if build else "suite-item",
            "suite": suite.name,
            "item": item.id,
            "input_b64": crash["input_b64"],
            **({"build": build} if build else {}),
        },
        "evidence": dict(evidence),
        "origin": "benchmark run",
        "marking": str(suite.marking.join(Marking.parse(DEFAULT_MARKING))),
    }


def made(fields: Mapping[str, Any], org: str, *, reporter: str) -> Finding:
    """An unsaved finding from checked fields. Raises BadInput naming the field."""
    given = {"marking": DEFAULT_MARKING, **{k: v for k, v in fields.items() if v is not None}}
    external = given.pop("id", "")
    finding = pure.Finding.parse({**given, "id": external or "new"})
    vendor, origin = given.get("vendor", ""), given.get("origin", "")
    for name, value, limit in (("vendor", vendor, 300), ("origin", origin, 40)):
        if not isinstance(value, str) or len(value) > limit or "\0" in value:
            raise BadInput(f"finding: {name}: text of at most {limit} characters belongs here")
    evidence = given.get("evidence") or {}
    EVIDENCE.check(evidence, "finding: evidence")
    return row_of(
        finding,
        org,
        reporter=reporter,
        external=external,
        vendor=vendor,
        origin=origin,
        evidence=evidence,
    )


def row_of(
    finding: pure.Finding, org: str, *, reporter: str, external: str, **more: Any
) -> Finding:
    """An unsaved row; `key` is the digest of what the reporter says, without who says it."""
    content = {**finding.as_dict(), "id": external, "vendor": more.get("vendor", "")}
    del content["marking"]
    content.pop("reporter", None)
    recipe = dict(finding.recipe or {})
    return Finding(
        org_id=org,
        key=digest(canonical(content)),
        external_id=external,
        reporter=(finding.reporter or reporter)[:200],
        title=finding.title,
        description=finding.description,
        product=finding.product,
        component=finding.component,
        version=finding.version,
        file=finding.file,
        function=finding.function,
        cwe=list(finding.cwe),
        stack=list(finding.stack),
        references=list(finding.references),
        recipe=recipe,
        target=target_of(recipe, finding.product),
        marking=str(finding.marking),
        received_at=here().clock.now(),
        **more,
    )


def keep(doing: Doing, row: Finding, event: Event, message_id: str = "") -> tuple[Finding, bool]:
    """Save a finding unless its reporter sent the same content before; tell whether it is new."""
    known = Finding.objects.select_for_update().filter(org_id=row.org_id, key=row.key).first()
    if known is not None:
        return known, False
    row.save(force_insert=True)
    doing.record(event, row.id, {"key": row.key}, marking=row.marking, message_id=message_id)
    return row, True


def _send(
    doing: Doing, row: Finding, to: str, copy_to: str, scan: str, build: Mapping[str, Any] | None
) -> None:
    body = {"finding": row.id, **{name: getattr(row, name) for name in SHARED}}
    body = {name: value for name, value in body.items() if value or name not in OPTIONAL}
    _, behalf = scan_parties.own_party(doing.actor)
    whose = {"behalf": behalf or None, "scan": scan or None, "build": build}
    BY_NAME["finding.reported"].body.check(body, "finding")
    row.sent_to = scan_parties.clearinghouse(to)
    row.save(update_fields=["sent_to"])
    doing.send(row.sent_to, "finding.reported", body | whose, thread=row.id, marking=row.marking)
    if not copy_to:
        return
    lab = find_peer(copy_to)
    if doing.here.profile != Profile.OFFICE or lab.profile != Profile.LAB:
        raise BadInput("copy_to: an office sends a copy to a lab, nobody else does")
    doing.send(lab, "finding.copied", body, thread=row.id, marking=row.marking)


def _arrived(arrival: Arrival) -> tuple[Finding, bool]:
    body = {**arrival.body, "id": arrival.body["finding"], "marking": arrival.message.marking}
    org, party = scan_parties.arrived_party(arrival)
    row = made(body, org.id, reporter=party)
    row.peer, row.scan_named = arrival.peer, arrival.body.get("scan") or ""
    row, new = keep(arrival.doing, row, Event.FINDING_FINDING_RECEIVED, arrival.message.id)
    if new and row.scan_named:
        scan_parties.link_arrived(row, arrival.peer)
    return row, new


@handles("finding.reported")
def on_reported(arrival: Arrival) -> None:
    """A peer reports a finding: keep it as that peer's, then execute it."""
    build = arrival.body.get("build")
    if build is not None and arrival.peer.profile != Profile.OFFICE:
        raise BadInput("build: an office discloses its items, nobody else does")
    row, new = _arrived(arrival)
    if new:
        if build is not None:
            DisclosedBuild(org_id=row.org_id, finding=row, document=build).save(force_insert=True)
        arrival.doing.after(reproduction.reproduce_finding, finding_id=row.id)
    elif row.state != FindingState.RECEIVED:
        reply(arrival.doing, row)


@handles("finding.copied")
def on_copied(arrival: Arrival) -> None:
    """The office tells the lab what its model's run uncovered."""
    _arrived(arrival)


def find(actor: Actor, finding_id: str) -> Finding:
    """The finding of this id among the actor's, locked. Raises NotFound."""
    rows = Finding.objects.select_for_update(of=("self",)).select_related("case", "duplicate_of")
    row = rows.filter(id=finding_id).first()
    if row is None or not readable(actor, row.marking):
        raise NotFound(f"finding {finding_id[:40]!r} is not here")
    return row


def add_recipe(actor: Actor, finding_id: str, recipe: Mapping[str, Any]) -> Finding:
    """Add or replace the recipe of a finding that was not reproduced yet, and execute it."""
    clearinghouse_only()
    with act(actor, Permission.FINDING_REPORT) as doing:
        row = find(actor, finding_id)
        if row.state not in reproduction.AGAIN:
            raise Refused(
                f"finding is {row.state}: its recipe stands", kept="the finding as it was"
            )
        checked = pure.Finding.parse({"id": row.id, "title": row.title, "recipe": dict(recipe)})
        row.recipe = dict(checked.recipe or {})
        row.target = target_of(row.recipe, row.product)
        row.save(update_fields=["recipe", "target"])
        doing.record(
            Event.FINDING_RECIPE_ADDED, row.id, {"recipe": row.recipe}, marking=row.marking
        )
        doing.after(reproduction.reproduce_finding, finding_id=row.id)
        return row


def mark_duplicate(actor: Actor, finding_id: str, of: str, reason: str) -> Finding:
    """The coordinator says that a finding is the same as another, and why."""
    _coordinates(actor)
    if not reason.strip() or len(reason) > 1_000:
        raise BadInput("reason: 1 to 1,000 characters expected")
    with act(actor, Permission.CASE_COORDINATE) as doing:
        row, original = find(actor, finding_id), find(actor, of)
        if original.id == row.id or original.duplicate_of_id:
            raise BadInput("of: name the original, which is no duplicate itself")
        row.why = [*row.why, f"{actor.name}: {reason}"]
        reproduction.mark_duplicate(doing, row, original, Party.COORDINATOR)
        row.save()
        reply(doing, row)
        return row


def tell_apart(actor: Actor, finding_id: str, reason: str) -> Finding:
    """The coordinator takes a duplicate back: it is received anew, and executed again."""
    _coordinates(actor)
    with act(actor, Permission.CASE_COORDINATE) as doing:
        row = find(actor, finding_id)
        move = FINDING.step(row.state, "tell apart", Party.COORDINATOR)
        row.apart_from = [*row.apart_from, row.duplicate_of_id]
        row.state, row.duplicate_of, row.case = move.target, None, None
        row.why = [f"told apart by {actor.name}: {reason[:900]}"]
        row.save()
        doing.record(move.event, row.id, {"why": row.why}, marking=row.marking)
        doing.after(reproduction.reproduce_finding, finding_id=row.id)
        return row


def reproduce_again(actor: Actor, finding_id: str) -> None:
    """Execute a finding's recipe once more."""
    _coordinates(actor)
    with act(actor, Permission.CASE_COORDINATE) as doing:
        row = find(actor, finding_id)
        if row.state not in reproduction.AGAIN:
            raise Refused(f"finding is {row.state}: nothing to execute anew")
        doing.after(reproduction.reproduce_finding, finding_id=row.id)


def _coordinates(actor: Actor) -> None:
    clearinghouse_only()
    if not (actor.host or actor.system):
        raise Forbidden("the clearinghouse's own people coordinate")
