"""The log of who opened a lab's material: watched for the unusual, told to the lab, shown to both.

Rules:
- The log names person, object and hour, and holds nothing of what was read.
- The office's administrators and auditors see it in full, with its alerts; the lab sees, for each
  day and kind, how much each person read whom the terms name. Somebody whom they do not name is
  told of without a name.
- The lab is told every so many hours (the pack says), and only where there was reading.
- An alert changes nobody's access. Somebody looks at it and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate

from vedette.engagement import reading as rules
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission, Profile
from vedette.services import vault
from vedette.services.acting import Actor, Doing, act, instance_actor, reading
from vedette.services.here import here
from vedette.services.inbox import Arrival, handles
from vedette.services.jobs import job, schedule
from vedette.services.sides import arrived_act, note, only, own_side, stamp
from vedette.services.term_versions import in_force, on_the_list
from vedette.store.models import Act, Reading, ReadingAlert, ReadingReport, Schedule
from vedette.store.tenancy import SYSTEM, scoped

WATCH, REPORT = "readings watch", "readings report"
WATCH_EVERY = timedelta(hours=1)
OTHERS = "somebody whom the terms do not name"
ROWS = 5_000


@vault.after_new_key.append
def _begin(act_id: str) -> None:
    """With the first material the watching and the telling begin."""
    now = here().clock.now()
    with scoped(SYSTEM):
        planned = Schedule.objects.filter(name__in=(WATCH, REPORT), done_at=None)
        running = set(planned.values_list("name", flat=True))
    if WATCH not in running:
        schedule(WATCH, watch, now + WATCH_EVERY)
    if REPORT not in running:
        schedule(REPORT, report, now + _report_hours())


def _report_hours() -> timedelta:
    return timedelta(hours=here().pack.integer("reading", "report_hours"))


def _lists() -> dict[str, frozenset[str]]:
    """Whom the terms in force of each act name, as addresses."""
    found = {}
    for row in Act.objects.all():
        made = in_force(row)
        if made is not None:
            found[row.id] = frozenset(person.id for person in on_the_list(row, made).people)
    return found


@job()
def watch() -> None:
    """Look at today's and yesterday's reading, and at the next hour again. Idempotent."""
    with act(instance_actor(), None) as doing:
        if doing.here.profile != Profile.OFFICE:
            return
        for alert in _alerts(doing):
            _raise(doing, alert)
        schedule(WATCH, watch, doing.now + WATCH_EVERY)


def _alerts(doing: Doing) -> list[rules.Alert]:
    pack, named = doing.here.pack, _lists()
    since = doing.now - timedelta(days=pack.integer("reading", "baseline_days"))
    rows = Reading.objects.filter(at__gte=since).order_by("at", "pk")
    views = (
        rules.View(r.person, r.at, r.about, r.object_id, _named(r, named))
        for r in rows.iterator(2000)
    )
    days = rules.days_of(views)
    standing = list(
        ReadingAlert.objects.filter(
            day__gte=(doing.now - timedelta(days=rules.STANDS_DAYS)).date()
        ).values_list("person", "rule", "day")
    )
    budget = pack.integer("reading", "false_alarms_per_1000_reader_weeks")
    found: list[rules.Alert] = []
    for day in ((doing.now - timedelta(days=1)).date(), doing.now.date()):
        past = [d for d in days if d.day < day]
        new = rules.unusual(past, [d for d in days if d.day == day], budget)
        found += rules.new_ones(new, [*standing, *((a.person, a.figure, a.day) for a in found)])
    return found


def _named(row: Reading, named: dict[str, frozenset[str]]) -> bool:
    """Whether its terms name the reader; an office's own run on sealed items has none."""
    return row.about == row.object_id or row.person in named.get(row.about, ())


def _raise(doing: Doing, alert: rules.Alert) -> None:
    made = ReadingAlert(
        id=new_id("alert"),
        org_id=doing.here.org,
        person=alert.person,
        rule=alert.figure,
        day=alert.day,
        at=doing.now,
        figures={
            "value": alert.value,
            "usual": f"{alert.usual:.1f}",
            "tail": f"{alert.tail:.1e}",
        },
    )
    made.save(force_insert=True)
    doing.record(Event.CUSTODY_READING_ALERTED, made.id, {"rule": made.rule, "day": str(made.day)})


@job()
def report() -> None:
    """Tell each lab of what was read of its material since the last time. Idempotent."""
    with act(instance_actor(), None) as doing:
        if doing.here.profile != Profile.OFFICE:
            return
        named = _lists()
        abouts = Reading.objects.order_by("about").values_list("about", flat=True).distinct()
        for row in Act.objects.select_related("peer").filter(id__in=list(abouts)):
            _report(doing, row, named.get(row.id, frozenset()))
        schedule(REPORT, report, doing.now + _report_hours())


def _report(doing: Doing, row: Act, named: frozenset[str]) -> None:
    last = row.reading_reports.order_by("-until_at").first()
    since = last.until_at if last else row.offered_at
    readings = Reading.objects.filter(about=row.id, at__gte=since, at__lt=doing.now)
    rows = _rows(readings.values_list("person", "at", "kind").iterator(2000), named)
    if not rows:
        return
    readers = set(readings.values_list("person", flat=True))
    alerts = ReadingAlert.objects.filter(at__gte=since, at__lt=doing.now, person__in=readers)
    made = ReadingReport(
        id=new_id("readings"),
        org_id=row.org_id,
        act=row,
        from_at=since,
        until_at=doing.now,
        rows=rows,
        alerts=alerts.count(),
        at=doing.now,
    )
    made.save(force_insert=True)
    body = {
        "report": made.id,
        "act": row.id,
        "begins": stamp(since),
        "until": stamp(doing.now),
        "rows": rows,
        "alerts": made.alerts,
    }
    sent = doing.send(row.peer, "reading.reported", body, thread=row.id, marking=row.marking)
    _record(doing, row, made, sent)


def _rows(
    views: Iterable[tuple[str, datetime, str]], named: frozenset[str]
) -> list[dict[str, Any]]:
    """Counts by person, day and kind; who is not named is one among others."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for person, at, kind in views:
        counts[person if person in named else OTHERS, at.date().isoformat(), kind] += 1
    return [
        {"person": person[:300], "day": day, "kind": kind, "views": count}
        for (person, day, kind), count in sorted(counts.items())
    ][:ROWS]


def _record(doing: Doing, row: Act, made: ReadingReport, message_id: str) -> None:
    payload = {"report": made.id, "rows": made.rows, "alerts": made.alerts}
    doing.record(
        Event.CUSTODY_READING_REPORTED,
        row.id,
        payload,
        marking=row.marking,
        message_id=message_id,
    )


@handles("reading.reported")
def on_reported(arrival: Arrival) -> None:
    """The lab is told who read how much of what it shared."""
    row, body, doing = arrived_act(arrival), arrival.body, arrival.doing
    if ReadingReport.objects.filter(id=body["report"]).exists():
        raise Refused(f"report {body['report']} is here already", kept="the report as it was")
    made = ReadingReport(
        id=body["report"],
        org_id=row.org_id,
        act=row,
        from_at=parse_time(body["begins"], field="body.begins"),
        until_at=parse_time(body["until"], field="body.until"),
        rows=body["rows"],
        alerts=body["alerts"],
        at=doing.now,
    )
    made.save(force_insert=True)
    _record(doing, row, made, arrival.message.id)


def reports(actor: Actor) -> list[ReadingReport]:
    """The newest 500 reports, newest first: what the lab sees, on either side."""
    own_side()
    with reading(actor, Permission.READING_LOG):
        rows = ReadingReport.objects.select_related("act", "act__peer")
        return list(rows.order_by("-until_at", "id")[:500])


def log(actor: Actor, about: str = "", person: str = "") -> list[Reading]:
    """The office's own log, newest 100 entries first."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.READING_LOG):
        rows = Reading.objects.order_by("-at", "-pk")
        rows = rows.filter(about=about) if about else rows
        return list((rows.filter(person=person) if person else rows)[:100])


def totals(actor: Actor, days: int = 42) -> list[dict[str, Any]]:
    """How much each person opened on each of the last days: `{"person", "day", "views"}`."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.READING_LOG) as instance:
        since = instance.clock.now() - timedelta(days=days)
        rows = Reading.objects.filter(at__gte=since).annotate(on=TruncDate("at"))
        counted = rows.values("person", "on").annotate(views=Count("pk")).order_by("on", "person")
        return [
            {"person": r["person"], "day": r["on"].isoformat(), "views": r["views"]}
            for r in counted
        ]


def alerts(actor: Actor) -> list[ReadingAlert]:
    """The office's alerts, newest 200 first."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.READING_LOG):
        return list(ReadingAlert.objects.order_by("-at", "id")[:200])


def look_at(actor: Actor, alert_id: str, text: str = "") -> ReadingAlert:
    """Say that somebody has looked at an alert, and what they found."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.READING_LOG) as doing:
        row = ReadingAlert.objects.select_for_update().filter(id=alert_id).first()
        if row is None:
            raise NotFound(f"alert {alert_id[:40]!r} is not here")
        made: ReadingAlert = row
        if vault.reader_id(actor) == made.person:
            raise Refused("this alert is about your own reading", next_step="a colleague looks")
        made.looked_at, made.looked_by, made.note = doing.now, actor.name[:200], note(text, "note")
        made.save()
        return made
