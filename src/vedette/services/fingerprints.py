"""The office's own evidence of which model it reached: probes at the start, daily and at the end.

Rules:
- The probe set, how often, how many answers and the false-alarm rate are the pack's.
- Probes go through the proxy as any call does: metered on both sides, marked as probes, under a
  session that stands. Without one, or where they get no answer, the round is missed, and says why.
- A round is compared with the rounds before it of the same era. A change begins another era, is
  told to the lab, and splits the results; nobody has to have stated it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from vedette.engagement import fingerprint as rules
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import Refused, VedetteError
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission, Profile
from vedette.services import metering, probing
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.credentials import open_credential
from vedette.services.here import here
from vedette.services.inbox import Arrival, handles
from vedette.services.jobs import job, schedule
from vedette.services.metering import OPEN
from vedette.services.sides import arrived_act, find_act, only, stamp
from vedette.store.models import Act, ProbeRound, Session

TAKEN, MISSED = "taken", "missed"
FIRST, SAME, CHANGED = "first", "same", "changed"
COMPARED = ("statistic", "bar", "p", "recent")
PLACES = {"start": 0, "day": 1, "asked": 2, "end": 3}


def plan(doing: Doing, row: Act) -> None:
    """Have the rounds of a window taken: one now, one a day, one before its end."""
    if row.rounds.exists() or row.opens is None or row.closes is None:
        return
    pack = doing.here.pack
    every = timedelta(hours=pack.integer("access", "probes", "every_hours"))
    last = row.closes - timedelta(minutes=pack.integer("access", "probes", "before_close_minutes"))
    doing.after(take, act_id=row.id, occasion="start")
    number, due = 1, doing.now + every
    while due < last:
        name = f"day {number}"
        schedule(f"probes {row.id} {name}", take, due, act_id=row.id, occasion=name)
        number, due = number + 1, due + every
    if last > doing.now:
        schedule(f"probes {row.id} end", take, last, act_id=row.id, occasion="end")


@job(queue="long")
def take(act_id: str, occasion: str) -> None:
    """Take one round and compare it. Idempotent: an occasion has one round."""
    with reading(instance_actor()):
        row = Act.objects.select_related("peer").filter(id=act_id).first()
        if row is None or row.rounds.filter(occasion=occasion).exists():
            return
        session = row.sessions.filter(state=OPEN).order_by("opened_at", "id").first()
    pack = here().pack
    if session is None:
        _miss(act_id, occasion, "no session was open")
        return
    try:
        opened = open_credential(instance_actor(), session.id)
    except VedetteError as error:
        _miss(act_id, occasion, error.what)
        return
    began = here().clock.now()
    asked = probing.ask(
        opened,
        [str(q) for q in pack.sequence("access", "probes", "questions")],
        pack.integer("access", "probes", "answers_each"),
        pack.integer("access", "probes", "answer_tokens"),
        here().clock.now,
    )
    metering.record_calls(instance_actor(), session.id, asked.calls)
    if asked.reason:
        _miss(act_id, occasion, asked.reason, session)
        return
    _keep(act_id, occasion, session, asked, began)


def take_now(actor: Actor, act_id: str) -> None:
    """Have a round taken now, besides the planned ones."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.SESSION_OPEN) as doing:
        row = find_act(act_id)
        if not row.sessions.filter(state=OPEN).exists():
            raise Refused("no session is open", kept="the window", next_step="ask for a session")
        number = row.rounds.filter(occasion__startswith="asked").count() + 1
        doing.after(take, act_id=row.id, occasion=f"asked {number}")


def _miss(act_id: str, occasion: str, why: str, session: Session | None = None) -> None:
    with act(instance_actor(), None) as doing:
        row = find_act(act_id)
        if row.rounds.filter(occasion=occasion).exists():
            return
        made = ProbeRound(
            id=new_id("round"),
            org_id=row.org_id,
            act=row,
            session=session,
            occasion=occasion,
            at=doing.now,
            state=MISSED,
            reason=why[:300],
            era=_era(row),
        )
        made.save(force_insert=True)
        _tell(doing, made)


def _keep(
    act_id: str, occasion: str, session: Session, asked: probing.Asked, began: datetime
) -> None:
    with act(instance_actor(), None) as doing:
        row = find_act(act_id)
        if row.rounds.filter(occasion=occasion).exists():
            return
        era, pack = _era(row), doing.here.pack
        rule = rules.Rule.of(pack)
        earlier = row.rounds.filter(state=TAKEN, era=era).order_by("-at", "-pk")
        given = [made.answers.get("given", {}) for made in earlier]
        found = rules.compare_round(given, asked.answers, rule)
        verdict = FIRST if found is None else SAME
        if found is not None and found.changed(rule.alpha):
            verdict, era = CHANGED, era + 1
        questions = list(pack.sequence("access", "probes", "questions"))
        answers: Any = {"given": asked.answers}
        made = ProbeRound(
            id=new_id("round"),
            org_id=row.org_id,
            act=row,
            session=session,
            occasion=occasion,
            at=began,
            until=doing.now,
            state=TAKEN,
            build=",".join(sorted(asked.builds - {""}))[:40],
            probe_set=digest(canonical(questions)),
            answers=answers,
            verdict=verdict,
            result=_result(found),
            era=era,
        )
        made.save(force_insert=True)
        _tell(doing, made)


def _era(row: Act) -> int:
    last = row.rounds.filter(state=TAKEN).order_by("-at", "-pk").values_list("era", flat=True)
    return int(last.first() or 0)


def _result(found: rules.Verdict | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "statistic": f"{found.statistic:.6f}",
        "bar": f"{found.bar:.6f}",
        "p": f"{found.p:.6f}",
        "exchanges": found.exchanges,
        "questions": found.questions,
        "recent": found.recent,
    }


def _tell(doing: Doing, made: ProbeRound) -> None:
    body = {
        "round": made.id,
        "act": made.act_id,
        "occasion": made.occasion,
        "state": made.state,
        "verdict": made.verdict or None,
        "build": made.build or None,
        "era": made.era,
        "reason": made.reason or None,
        "taken": stamp(made.at),
        "until": stamp(made.until),
        **{name: made.result.get(name) for name in COMPARED},
    }
    row = made.act
    message_id = doing.send(
        row.peer, "build.fingerprinted", body, thread=row.id, marking=row.marking
    )
    _record(doing, made, message_id)


def _record(doing: Doing, made: ProbeRound, message_id: str) -> None:
    doing.record(
        Event.ACCESS_BUILD_FINGERPRINTED,
        made.act_id,
        {"round": made.id, "state": made.state, "verdict": made.verdict, **made.result},
        marking=made.act.marking,
        message_id=message_id,
    )


@handles("build.fingerprinted")
def on_fingerprinted(arrival: Arrival) -> None:
    """The lab learns what the office's probes found."""
    body, row = arrival.body, arrived_act(arrival)
    if row.rounds.filter(occasion=body["occasion"]).exists():
        return
    made = ProbeRound(
        id=body["round"],
        org_id=row.org_id,
        act=row,
        occasion=body["occasion"],
        at=parse_time(body["taken"], field="body.taken"),
        until=parse_time(body["until"], field="body.until") if "until" in body else None,
        state=body["state"],
        reason=body.get("reason", ""),
        build=body.get("build", ""),
        verdict=body.get("verdict", ""),
        result={name: body[name] for name in COMPARED if name in body},
        era=body["era"],
    )
    made.save(force_insert=True)
    _record(arrival.doing, made, arrival.message.id)


def rounds_view(actor: Actor, act_id: str) -> list[dict[str, Any]]:
    """The rounds of a window in their order, without the answers."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        made = sorted(find_act(act_id).rounds.all(), key=lambda r: (r.at, _place(r.occasion)))
        return [round_row(each) for each in made]


def _place(occasion: str) -> tuple[int, int]:
    """Where a round of one hour stands: the start, the days, those asked for, the end."""
    word, _, number = occasion.partition(" ")
    return PLACES.get(word, len(PLACES)), int(number) if number.isdecimal() else 0


def round_row(made: ProbeRound) -> dict[str, Any]:
    """One round for pages and the API."""
    return {
        "id": made.id,
        "occasion": made.occasion,
        "at": stamp(made.at),
        "state": made.state,
        "reason": made.reason,
        "build": made.build,
        "verdict": made.verdict,
        "era": made.era,
        **{name: made.result.get(name) for name in COMPARED},
    }
