"""How likely what is left of a window is to bring a determination: planned, and anew each day.

Rules:
- Only the office plans, and only who may record a determination reads it: a chance beside a score
  tells of the threshold. Threshold, chances and history are sealed at rest by this instance's key.
- What is left is read here: the days to the window's hour, the tokens of the quota, items that no
  sample of the model's is taken of, of a sealed suite what the exposure ledger leaves; samples
  taken count as they are. One that broke off tells nothing: its item is left, and can be run again.
  The person says what is expected, what a sample takes, and may say a lower number of items.
- While the window is open it is planned anew each day, with what has come in; each day keeps its
  chance. When the window is over it stays as it is.
- One window and suite has one forecast; planning again begins it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import F

from vedette.bench.custody import ENDPOINT
from vedette.bench.determination import Threshold
from vedette.bench.planner import DRAWS, Expectation, Left, Taken, forecast
from vedette.engagement.window import WindowState
from vedette.kernel.bounds import from_text, read_json, to_text
from vedette.kernel.canonical import canonical, new_salt
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking, join
from vedette.kernel.permissions import Permission, Profile
from vedette.services import runs
from vedette.services.access import used_of
from vedette.services.acting import Actor, act, instance_actor, reading
from vedette.services.binding import require_reading
from vedette.services.exposures import remaining_for
from vedette.services.here import here
from vedette.services.jobs import job, schedule
from vedette.services.sides import only
from vedette.services.suites import Known, row_of, suite_of, suites
from vedette.services.term_versions import agreed_terms
from vedette.store.models import Act, Forecast, Run

LIVE = (str(WindowState.AGREED), str(WindowState.OPEN))
HOUR = 4
MOST_DAYS = 366
NOT_OVER = F("ended_at").desc(nulls_first=True)


@dataclass(frozen=True)
class Given:
    """What a person says: see `bench.planner`; `exposures` None where nothing limits them."""

    expected: float
    per_day: float
    tokens_each: int
    spread: float = 1.0
    trials: int = 1
    exposures: int | None = None
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "expected": f"{self.expected:g}",
            "per_day": f"{self.per_day:g}",
            "tokens_each": self.tokens_each,
            "spread": f"{self.spread:g}",
            "trials": self.trials,
            "exposures": self.exposures,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Given:
        shares = {name: float(value[name]) for name in ("expected", "per_day", "spread")}
        return cls(**{**value, **shares})


@dataclass(frozen=True)
class Planned:
    """A forecast opened: the last curve, and a row a day."""

    row: Forecast
    curve: dict[str, Any]
    days: list[dict[str, Any]]


def plan_window(actor: Actor, act_id: str, suite: str, *, threshold: str, given: Given) -> Forecast:
    """Plan a window on a suite from now on; planned before, it begins anew. Raises BadInput."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.DETERMINATION_RECORD) as doing:
        window = _window(act_id)
        require_reading(actor, window)
        if window.window_state not in LIVE:
            raise Refused("this act has no window that is agreed or open", kept="nothing changed")
        known = {each.name: each for each in suites()}
        if suite not in known:
            raise BadInput(f"suite: {suite[:40]!r} is none of {', '.join(known)}")
        found = suite_of(suite, known[suite].digest)
        limit = Threshold.parse(threshold, new_salt())
        Forecast.objects.filter(act=window, suite=suite, ended_at=None).update(ended_at=doing.now)
        row = Forecast(
            org_id=actor.org,
            act=window,
            suite=suite,
            suite_digest=found.digest,
            given=given.to_json(),
            marking=str(join([found.marking, Marking.parse(window.marking)])),
            made_by=actor.name,
            made_at=doing.now,
        )
        _plan(row, found, limit, [], doing.now)
        row.save(force_insert=True)
        doing.record(
            Event.BENCH_FORECAST_MADE,
            row.id,
            {"suite": found.digest, "given": row.given},
            marking=row.marking,
        )
        _tomorrow(row, doing.now)
        return row


@job()
def plan_again(forecast_id: str) -> None:
    """Plan a window anew for today; a forecast ends with its window. Idempotent within a day."""
    with act(instance_actor(), None) as doing:
        row = (
            Forecast.objects.select_for_update()
            .select_related("act")
            .filter(id=forecast_id, ended_at=None)
            .first()
        )
        if row is None:
            return
        if row.act.window_state not in LIVE or doing.now >= _closes(row.act):
            row.ended_at = doing.now
            row.save(update_fields=["ended_at"])
            return
        opened = _open(row)
        limit = Threshold.parse(opened["threshold"], opened["nonce"])
        try:
            suite = suite_of(row.suite, row.suite_digest)
            _plan(row, suite, limit, opened["days"], doing.now)
            row.save(update_fields=["sealed"])
        except (BadInput, NotFound, Refused):
            pass  # a suite or a run that can't be read today keeps yesterday's figures
        _tomorrow(row, doing.now)


def _window(act_id: str) -> Act:
    row = Act.objects.select_related("peer").filter(id=act_id, kind="access-window").first()
    if row is None:
        raise NotFound(f"window {act_id[:40]!r} is not here")
    return row


def _tomorrow(row: Forecast, now: datetime) -> None:
    day = now.astimezone(UTC).date() + timedelta(days=1)
    due = datetime(day.year, day.month, day.day, HOUR, tzinfo=UTC)
    schedule(f"forecast {row.id}", plan_again, due, forecast_id=row.id)


def _plan(
    row: Forecast, suite: Known, limit: Threshold, days: list[dict[str, Any]], now: datetime
) -> None:
    """Simulate what is left, and seal it with the days before."""
    given = Given.from_json(row.given)
    shown, measured, taken = _taken(row)
    unseen = [item for item in suite.items if item.id not in measured]
    terms = agreed_terms(row.act)
    left = Left(
        items=len(unseen),
        families=len({item.family for item in unseen}) or 1,
        trials=given.trials,
        days=max(0.0, (_closes(row.act) - now) / timedelta(days=1)),
        per_day=given.per_day,
        tokens=max(0, terms.quota.tokens - used_of(row.act).tokens) if terms else None,
        tokens_each=given.tokens_each,
        exposures=_exposures(row, given, shown, suite),
    )
    made = forecast(
        left,
        Expectation(given.expected, given.spread),
        limit,
        taken=taken,
        seed=given.seed,
        draws=DRAWS,
    )
    curve = {**made.to_json(), "left": _told(left)}
    today = now.astimezone(UTC).date().isoformat()
    last = {"at": today, "samples_taken": made.taken, "binds": made.binds, **curve["points"][-1]}
    kept = [day for day in days if day["at"] != today][-MOST_DAYS:]
    said = {
        "threshold": str(limit.value),
        "nonce": limit.nonce,
        "curve": curve,
        "days": [*kept, last],
    }
    row.sealed = to_text(here().keys.public.seal(canonical(said)))


def _closes(window: Act) -> datetime:
    assert window.closes is not None
    return window.closes


def _told(left: Left) -> dict[str, Any]:
    days = None if left.days is None else f"{left.days:.2f}"
    return {
        "items": left.items,
        "days": days,
        "tokens": left.tokens,
        "exposures": left.exposures,
    }


def _exposures(row: Forecast, given: Given, shown: dict[str, datetime], suite: Known) -> int | None:
    """The fewer of what the person said, less what was shown since, and what the ledger leaves."""
    limits = []
    if given.exposures is not None:
        since = sum(at > row.made_at for at in shown.values())
        limits.append(max(0, given.exposures - since))
    if suite.sealed:
        limits.append(remaining_for(row_of(suite.name, suite.digest), ENDPOINT))
    return min(limits, default=None)


def _taken(row: Forecast) -> tuple[dict[str, datetime], set[str], list[Taken]]:
    """Items already shown to the window's model and since when, those with a sample of it that
    did not break off, and these samples."""
    shown: dict[str, datetime] = {}
    taken: list[Taken] = []
    measured: set[str] = set()
    rows = Run.objects.filter(act=row.act, suite_digest=row.suite_digest, state=runs.FINISHED)
    for run in rows.select_related("act", "session").order_by("committed_at"):
        result = runs.result_of(run)
        assessed = {s["name"] for s in result.commitment.subjects if s["role"] == "assessed"}
        for sample in result.samples:
            if sample.subject in assessed:
                shown.setdefault(sample.item, run.finished_at or run.committed_at)
            if sample.subject in assessed and not sample.broke_off:
                taken.append(Taken(sample.score, sample.family))
                measured.add(sample.item)
    return shown, measured, taken


def _open(row: Forecast) -> dict[str, Any]:
    sealed = from_text(row.sealed, field="sealed")
    opened: dict[str, Any] = read_json(here().keys.open(sealed), source="sealed forecast")
    return opened


def forecasts_of(actor: Actor, act_id: str) -> list[Planned]:
    """The forecasts of a window that are not begun anew, newest first."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.DETERMINATION_RECORD):
        window = _window(act_id)
        require_reading(actor, window)
        rows = list(Forecast.objects.filter(act=window).order_by("-made_at", NOT_OVER))
        return [_planned(row) for row in _newest(rows)]


def _newest(rows: list[Forecast]) -> list[Forecast]:
    """Of each suite the one planned last."""
    found: dict[str, Forecast] = {}
    for row in rows:
        found.setdefault(row.suite, row)
    return list(found.values())


def _planned(row: Forecast) -> Planned:
    opened = _open(row)
    return Planned(row, opened["curve"], opened["days"])


def as_json(planned: Planned) -> dict[str, Any]:
    """A forecast for the API, without its threshold."""
    row = planned.row
    return {
        "id": row.id,
        "act": row.act_id,
        "suite": row.suite,
        "given": row.given,
        "marking": row.marking,
        "made_by": row.made_by,
        "made_at": format_time(row.made_at),
        "ended_at": format_time(row.ended_at) if row.ended_at else None,
        "forecast": planned.curve,
        "days": planned.days,
    }


def day_of(planned: Planned) -> date:
    """The day of the last figures."""
    return date.fromisoformat(planned.days[-1]["at"])
