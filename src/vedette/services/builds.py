"""Builds of a lab's model: stated by the lab, told to the office, kept with every call.

Rules:
- What the lab states of a build is its word; a changed statement is another build, and every
  window that reaches the model is told of it by message.
- A system prompt stays with the lab: its digest crosses.
- At release the lab may say whether the released build is the assessed one; it may say so again,
  and it may say nothing, which means only that it is not stated. Nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum

from vedette.engagement import builds as rules
from vedette.engagement.acts import ActKind
from vedette.engagement.builds import Round, Statement
from vedette.engagement.window import WindowState
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.inbox import Arrival, handles
from vedette.services.sides import arrived_act, find_act, note, only, stamp
from vedette.store.models import Act, Build, Call, ModelEndpoint, ReleaseStatement, Serving

LIVE = (str(WindowState.AGREED), str(WindowState.OPEN))
SAID = ("same", "differs", "not-stated")
LIMITS = {"name": 200, "checkpoint": 71, "safeguards": 200, "system_prompt": 71, "sampling": 500}


def check_statement(stated: Statement) -> None:
    """Raise BadInput naming the field that is wrong."""
    for name, limit in LIMITS.items():
        if len(getattr(stated, name)) > limit:
            raise BadInput(f"{name}: {len(getattr(stated, name))} characters, at most {limit}")
    found = stated.checkpoint
    if found and not (len(found) == 71 and found.startswith("sha256:")):
        raise BadInput(
            "checkpoint: sha256: and 64 hex digits expected",
            next_step="leave it empty where the model is behind an endpoint",
        )


def statement_of(row: Build) -> Statement:
    return Statement(**{name: getattr(row, name) for name in LIMITS})


def serve(doing: Doing, endpoint: ModelEndpoint, stated: Statement) -> Build:
    """Have an endpoint serve the build so stated, and tell the windows that reach it."""
    check_statement(stated)
    now_served = Build.objects.filter(id=endpoint.serves).first()
    if now_served is not None and statement_of(now_served) == stated:
        return now_served
    row = Build(
        id=new_id("build"),
        org_id=endpoint.org_id,
        model=endpoint.model,
        stated_at=doing.now,
        **vars(stated),
    )
    row.save(force_insert=True)
    endpoint.serves = row.id
    endpoint.build, endpoint.safeguards = stated.name, stated.safeguards
    endpoint.save(update_fields=["serves", "build", "safeguards"])
    doing.record(
        Event.ACCESS_BUILD_STATED,
        row.id,
        {"model": row.model, "digest": stated.digest},
        marking="TLP:RED",
    )
    reached = Act.objects.filter(kind=ActKind.ACCESS_WINDOW, model=row.model, window_state__in=LIVE)
    for window in reached.filter(servings__isnull=False).select_related("peer").distinct():
        tell(doing, window, row)
    return row


def tell(doing: Doing, window: Act, row: Build) -> None:
    """Tell a window's office which build its sessions reach from now on; once is enough."""
    last = newest(window)
    if last is not None and last.build_id == row.id:
        return
    Serving(org_id=window.org_id, act=window, build=row, since=doing.now).save(force_insert=True)
    body = {
        "act": window.id,
        "build": row.id,
        "model": row.model,
        "since": stamp(doing.now),
        **{name: value for name, value in vars(statement_of(row)).items() if value},
    }
    message_id = doing.send(
        window.peer, "build.served", body, thread=window.id, marking=window.marking
    )
    _record(doing, window, row, message_id)


def newest(window: Act) -> Serving | None:
    found: Serving | None = (
        window.servings.select_related("build").order_by("-since", "-pk").first()
    )
    return found


def _record(doing: Doing, window: Act, row: Build, message_id: str) -> None:
    doing.record(
        Event.ACCESS_BUILD_SERVED,
        window.id,
        {"build": row.id, "digest": statement_of(row).digest},
        marking=window.marking,
        message_id=message_id,
    )


@handles("build.served")
def on_served(arrival: Arrival) -> None:
    """The office learns which build its sessions reach."""
    doing, body, window = arrival.doing, arrival.body, arrived_act(arrival)
    stated = Statement(**{name: body.get(name, "") for name in LIMITS})
    row = Build.objects.filter(id=body["build"]).first()
    if row is not None and (statement_of(row) != stated or row.model != body["model"]):
        raise Refused("this build was stated otherwise before", kept="what was stated first")
    if row is None:
        row = Build(
            id=body["build"],
            org_id=window.org_id,
            model=body["model"],
            stated_at=doing.now,
            **vars(stated),
        )
        row.save(force_insert=True)
    since = parse_time(body["since"], field="body.since")
    _, new = Serving.objects.get_or_create(
        act=window, build=row, since=since, defaults={"org_id": window.org_id}
    )
    if new:
        _record(doing, window, row, arrival.message.id)


def state_release(
    actor: Actor,
    act_id: str,
    said: str,
    *,
    build: str = "",
    checkpoint: str = "",
    differences: str = "",
) -> ReleaseStatement:
    """The lab says how the released build stands to the assessed one.

    Args:
        said: "same", "differs" or "not-stated"; the last takes back what was said.
        build, checkpoint: of the released build, where the lab names it.
        differences: in the lab's own words, where it differs.
    """
    only(Profile.LAB, actor)
    if said not in SAID:
        raise BadInput(f"said: {said[:40]!r} is none of {', '.join(SAID)}")
    check_statement(Statement(build, checkpoint))
    note(differences, "differences")
    if said == "differs" and not differences.strip():
        raise BadInput("differences: say in a sentence how it differs")
    with act(actor, Permission.ENGAGEMENT_OFFER) as doing:
        window = find_act(act_id)
        row = ReleaseStatement(
            id=new_id("statement"),
            org_id=window.org_id,
            act=window,
            said=said,
            build=build,
            checkpoint=checkpoint,
            differences=differences,
            by=actor.name[:200],
            at=doing.now,
        )
        row.save(force_insert=True)
        body = {
            "statement": row.id,
            "act": window.id,
            "said": said,
            "build": build or None,
            "checkpoint": checkpoint or None,
            "differences": differences or None,
            "stated": stamp(doing.now),
        }
        message_id = doing.send(
            window.peer, "release.stated", body, thread=window.id, marking=window.marking
        )
        _keep_statement(doing, row, message_id)
        return row


def _keep_statement(doing: Doing, row: ReleaseStatement, message_id: str) -> None:
    doing.record(
        Event.ACCESS_BUILD_COMPARED,
        row.act_id,
        {"said": row.said, "build": row.build, "checkpoint": row.checkpoint},
        marking=row.act.marking,
        message_id=message_id,
    )


@handles("release.stated")
def on_stated(arrival: Arrival) -> None:
    """The office learns what the lab says of the released build."""
    body, window = arrival.body, arrived_act(arrival)
    if ReleaseStatement.objects.filter(id=body["statement"]).exists():
        return
    row = ReleaseStatement(
        id=body["statement"],
        org_id=window.org_id,
        act=window,
        said=body["said"],
        build=body.get("build", ""),
        checkpoint=body.get("checkpoint", ""),
        differences=body.get("differences", ""),
        by=arrival.peer.name[:200],
        at=parse_time(body["stated"], field="body.stated"),
    )
    row.save(force_insert=True)
    _keep_statement(arrival.doing, row, arrival.message.id)


def released(window: Act) -> dict[str, Any]:
    """What the lab says of the released build; silence is "not-stated"."""
    row = window.statements.order_by("-at", "-pk").first()
    if row is None:
        return {"said": "not-stated", "build": "", "checkpoint": "", "differences": "", "at": None}
    kept = ("said", "build", "checkpoint", "differences")
    return {**{name: getattr(row, name) for name in kept}, "at": stamp(row.at)}


def rounds_of(window: Act, until: datetime | None = None) -> list[Round]:
    """The fingerprints taken in a window, as the rules see them."""
    rows = window.rounds.filter(state="taken")
    rows = rows.filter(at__lte=until) if until else rows
    return [
        Round(row.at, row.verdict, row.until, row.result.get("recent", 1))
        for row in rows.order_by("at")
    ]


def names_of(window: Act) -> dict[str, str]:
    """Build ids to the names by which they are told apart: the same name twice gets a number."""
    names: dict[str, str] = {}
    for serving in window.servings.select_related("build").order_by("since", "pk"):
        name = serving.build.name or "unnamed build"
        again = sum(known.split(" (")[0] == name for known in names.values())
        if serving.build_id not in names:
            names[serving.build_id] = f"{name} ({again + 1})" if again else name
    return names


def labels(window: Act, calls: Iterable[Call], until: datetime | None = None) -> dict[str, str]:
    """Request id to the label of the build and fingerprint that it is put to."""
    names, rounds = names_of(window), rounds_of(window, until)
    return {c.request_id: rules.label_of(c.build, c.at, rounds, names) for c in calls}


def served_builds(window: Act) -> list[dict[str, Any]]:
    """The builds of a window in their order, with this side's count of the calls to each."""
    names, before, found = names_of(window), None, []
    calls = Call.objects.filter(session__act=window).values("build")
    counted = {
        row["build"]: row
        for row in calls.annotate(
            calls=Count("pk"),
            probes=Count("pk", filter=Q(probe=True)),
            tokens=Sum("input_tokens") + Sum("output_tokens"),
        )
    }
    for serving in window.servings.select_related("build").order_by("since", "pk"):
        stated = statement_of(serving.build)
        count = counted.get(serving.build_id, {})
        found.append(
            {
                "id": serving.build_id,
                "label": names[serving.build_id],
                **vars(stated),
                "behind_endpoint": stated.behind_endpoint,
                "digest": stated.digest,
                "since": stamp(serving.since),
                "changed": stated.changed_from(before) if before else [],
                "calls": count.get("calls", 0),
                "probes": count.get("probes", 0),
                "tokens": count.get("tokens") or 0,
            }
        )
        before = stated
    return found


def builds_view(actor: Actor, act_id: str) -> dict[str, Any]:
    """A window's builds, and what is said of the released one."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        window = find_act(act_id)
        return {"builds": served_builds(window), "released": released(window)}
