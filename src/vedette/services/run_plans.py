"""What a run would cost, and how likely it is to bring a determination, before it is committed to.

Rules:
- Nothing is written, no suite is opened, and no log is read: it is asked for before people decide,
  and looking at a log of sealed items is an exposure of its own.
- Exposures follow the ledger's own rules; at most so many tokens and seconds, from the budgets;
  what a sample is likely to take, from runs of the same act that have ended.
- The chance is that of this run alone, with the threshold and the expectation of whoever asks. No
  threshold that is kept here has a part in it, so it tells nothing of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vedette.bench import exposure as rules
from vedette.bench.custody import custody_of
from vedette.bench.determination import Threshold
from vedette.bench.planner import Expectation, Left, forecast
from vedette.bench.suites import find_suite
from vedette.kernel.clock import format_time
from vedette.kernel.permissions import Permission, Profile
from vedette.services import exposures, runs
from vedette.services.access import used_of
from vedette.services.acting import Actor, reading
from vedette.services.run_custody import Reached, reach
from vedette.services.runs import subjects_of
from vedette.services.sides import only
from vedette.services.suites import SEALED, Known, row_of, suite_of
from vedette.services.term_versions import agreed_terms
from vedette.store.models import Act, Run

NONCE = "0" * 64
MOST_RUNS = 20


@dataclass(frozen=True)
class Took:
    """What a sample took so far, under one act; None where nothing tells it."""

    tokens: int | None = None
    seconds: float | None = None


def plan_run(
    actor: Actor,
    suite: str,
    *,
    session_id: str = "",
    references: Sequence[str] = (),
    seed: int = 0,
    trials: int = 1,
    budget: Mapping[str, int] | None = None,
    custody: str = "",
    act_id: str = "",
    model: str = "",
    base_url: str = "",
    threshold: str = "",
    expected: float | None = None,
    spread: float = 1.0,
) -> dict[str, Any]:
    """What a run of `start_run`'s arguments would cost. Raises as that does.

    Args:
        expected, spread: the share of items that its model is expected to solve, and how unsure
            (standard deviation of log odds); without them or a threshold no chance is reckoned.
    """
    only(Profile.OFFICE, actor)
    found = runs.find_known(suite)
    with reading(actor, Permission.RUN_START) as instance:
        now = instance.clock.now()
        reached = reach(actor, custody, session_id, act_id, model, base_url)
        subjects = subjects_of(reached, references)
        labels = suite_of(found.name, found.digest).items
        numbers = list(range(1, found.count + 1))
        told: dict[str, Any] = {"exposures": None, "hints": []}
        if found.sealed:
            row = row_of(found.name, found.digest)
            numbers = exposures.fitting(row, subjects, reached.custody)
            told["exposures"] = _exposures(row, numbers, subjects, reached.custody)
            told["hints"] = _hints(found, row, reached)
        assessed = len(numbers) * trials if reached.model else 0
        took, left = _took(reached.act), _left(reached, now)
        told |= {
            "suite": found.name,
            "custody": reached.custody,
            "subjects": [subject["name"] for subject in subjects],
            "items": len(numbers),
            "items_left_out": found.count - len(numbers),
            "samples": assessed,
            "reference_samples": len(numbers) * trials * (len(subjects) - bool(reached.model)),
            "most_tokens": _most(found, numbers, "tokens", trials, budget or {}, assessed),
            "most_seconds": _most(found, numbers, "seconds", trials, budget or {}, assessed),
            "likely_tokens": took.tokens and took.tokens * assessed,
            "likely_seconds": took.seconds and round(took.seconds * assessed),
            "tokens_left": left["tokens"],
            "until": left["until"] and format_time(left["until"]),
            "chance": None,
        }
        if expected is None or not threshold or not assessed:
            return told
        families = {labels[number - 1].family for number in numbers}
        made = forecast(
            Left(
                items=len(numbers),
                families=len(families),
                trials=trials,
                days=left["days"] if took.seconds else None,
                per_day=86_400 / took.seconds if took.seconds else None,
                tokens=left["tokens"] if took.tokens else None,
                tokens_each=took.tokens or 0,
            ),
            Expectation(expected, spread),
            Threshold.parse(threshold, NONCE),
            seed=seed,
        )
        return {**told, "chance": made.points[-1].to_json(), "binds": made.binds}


def _exposures(
    row: Any, numbers: list[int], subjects: list[dict[str, str]], custody: str
) -> dict[str, Any]:
    """What each item spends by custody, in all, and what is left of the items after it."""
    each, budgets = rules.needed(subjects, custody), exposures.budgets()
    seen = exposures.seen_of(row, reserved=True)
    after = [
        rules.Seen({k: seen[n].counts.get(k, 0) + each.get(k, 0) for k in budgets}) for n in numbers
    ]
    return {
        "each": each,
        "all": sum(each.values()) * len(numbers),
        "used_up": sum(bool(item.spent(budgets)) for item in after),
        "left": min((item.left(budgets) for item in after), default=0),
    }


def _hints(found: Known, row: Any, reached: Reached) -> list[str]:
    """What is to be done before it can be started."""
    hints = []
    if found.state == SEALED:
        hints.append("The suite is sealed: two keyholders unseal it first.")
    if custody_of(reached.custody).exposes and not exposures.decided(row, reached.act):
        hints.append("No exposure decision lets the lab's model see these items yet.")
    return hints


def _most(
    found: Known,
    numbers: list[int],
    name: str,
    trials: int,
    budget: Mapping[str, int],
    samples: int,
) -> int | None:
    """The most that the model's samples may take; None where the items' own budgets are sealed."""
    if not samples:
        return 0
    if name in budget:
        return budget[name] * samples
    if found.sealed:
        return None
    items = find_suite(found.name).items
    return trials * sum(items[number - 1].budget[name] for number in numbers)


def _took(act: Act | None) -> Took:
    """What samples took in the act's runs that have ended: from counts and hours, no log."""
    if act is None:
        return Took()
    ended = (
        Run.objects.filter(act=act, state=runs.FINISHED)
        .exclude(started_at=None)
        .exclude(finished_at=None)
    )
    plain = ("progress", "subjects", "session", "started_at", "finished_at")  # none is sealed
    rows = list(ended.order_by("-committed_at").values(*plain)[:MOST_RUNS])
    done = [int(row["progress"].get("done", 0)) for row in rows]
    samples = sum(done)
    by_model = sum(
        count // len(row["subjects"])
        for row, count in zip(rows, done, strict=True)
        if row["session"]
    )
    spent = sum((row["finished_at"] - row["started_at"]).total_seconds() for row in rows)
    tokens = used_of(act).tokens
    return Took(
        -(-tokens // by_model) if by_model and tokens else None,
        spent / samples if samples and spent else None,
    )


def _left(reached: Reached, now: datetime) -> dict[str, Any]:
    """Tokens of the quota and time until the session ends, where the run goes through one."""
    session, act = reached.session, reached.act
    if session is None or act is None:
        return {"tokens": None, "days": None, "until": None}
    terms = agreed_terms(act)
    quota = session.quota_tokens or (terms.quota.tokens if terms else 0)
    until = session.expires_at
    days = None if until is None else max(0.0, (until - now) / timedelta(days=1))
    return {"tokens": max(0, quota - used_of(act).tokens), "days": days, "until": until}
