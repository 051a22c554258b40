"""What people of the office see of sealed suites: states, budgets, and the exposure ledger."""

from __future__ import annotations

from typing import Any

from vedette.bench import exposure as rules
from vedette.kernel.clock import format_time
from vedette.kernel.permissions import Permission, Profile
from vedette.services import exposures
from vedette.services.acting import Actor, reading
from vedette.services.sides import only
from vedette.services.suites import SEALED, Known, suites
from vedette.services.unsealing import find
from vedette.store.models import Exposure, ExposureDecision, TakenSuite

MOST_ROWS = 5_000


def overview(actor: Actor) -> list[dict[str, Any]]:
    """Every suite that can be run here, and older versions that were taken in, newest first.

    Each: name, version, title, marking, digest, items, id and state ("" of a shipped one),
    exposures, retired, left (of the item with the least, among those not retired), most, by, at.
    """
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_READ):
        taken = TakenSuite.objects.order_by("-taken_at", "id")
        return [*(_row(each) for each in suites() if not each.sealed), *map(_taken, taken)]


def _row(suite: Known) -> dict[str, Any]:
    return {
        "id": "",
        "name": suite.name,
        "version": suite.version,
        "title": suite.title,
        "marking": str(suite.marking),
        "digest": suite.digest,
        "items": suite.count,
        "state": "shipped",
    }


def _taken(row: TakenSuite) -> dict[str, Any]:
    budgets, seen = exposures.budgets(), exposures.seen_of(row)
    retired = set(row.sealed_items.exclude(retired_at=None).values_list("number", flat=True))
    fresh = {n: s for n, s in seen.items() if n not in retired and not s.spent(budgets)}
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "title": row.title,
        "marking": row.marking,
        "digest": row.digest,
        "items": row.count,
        "state": row.state if fresh else "used up",
        "exposures": sum(s.total for s in seen.values()),
        "retired": row.count - len(fresh),
        "left": min((s.left(budgets) for s in fresh.values()), default=0),
        "most": min(budgets.values()),
        "unsealed_by": row.unsealed_by if row.state != SEALED else "",
        "unsealed_at": row.unsealed_at,
        "taken_by": row.taken_by,
        "taken_at": row.taken_at,
    }


def one(actor: Actor, suite_id: str) -> dict[str, Any]:
    """A taken suite with its items: `items_seen` rows of number, counts, left, retired."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_READ):
        row = find(suite_id)
        budgets, seen = exposures.budgets(), exposures.seen_of(row)
        items = [
            {
                "number": item.number,
                "counts": dict(seen[item.number].counts),
                "left": seen[item.number].left(budgets),
                "why": item.retired_why or seen[item.number].spent(budgets),
            }
            for item in row.sealed_items.order_by("number")
        ]
        decisions = ExposureDecision.objects.filter(suite=row).select_related("act__peer", "item")
        return {
            **_taken(row),
            "budgets": budgets,
            "items_seen": items,
            "decisions": list(decisions.order_by("-at", "id")),
        }


def ledger(
    actor: Actor, suite_id: str, *, item: str = "", custody: str = "", run: str = ""
) -> list[dict[str, Any]]:
    """A suite's exposures, newest 5,000 first, those that fit: item, at, custody, subject, who
    could have seen it, run, and where the run's log lies."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.RUN_READ):
        suite = find(suite_id)
        wanted = int(item) if item.isdecimal() else None
        found = [
            {
                "item": number,
                "at": at,
                "custody": rules.VIEW,
                "subject": "",
                "could_see": person,
                "run": run_id,
                "log": f"files/runs/{run_id}, sealed",
            }
            for number, run_id, person, at in exposures.views_of(suite)
        ]
        for row in suite_exposures(suite):
            found.append(
                {
                    "item": row.item.number,
                    "at": row.at,
                    "custody": row.custody,
                    "subject": row.subject,
                    "could_see": row.could_see,
                    "run": row.run_id,
                    "log": f"files/runs/{row.run_id}, sealed",
                }
            )
        fitting = [
            row
            for row in found
            if wanted in (None, row["item"])
            and custody in ("", row["custody"])
            and run in ("", row["run"])
        ]
        return sorted(fitting, key=lambda row: (row["at"], row["item"]), reverse=True)[:MOST_ROWS]


def suite_exposures(suite: TakenSuite) -> list[Any]:
    """The rows of a suite's exposures in runs, newest first."""
    rows = Exposure.objects.filter(item__suite=suite).select_related("item")
    return list(rows.order_by("-at", "-pk")[:MOST_ROWS])


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A suite of the overview, or a row of the ledger, for the API."""
    return {k: format_time(v) if hasattr(v, "tzinfo") and v else v for k, v in row.items()}
