"""The release plan: backwards from the partner release, which ends the window.

Rules:
- A window closes at the partner release and opens a whole number of 24-hour days before it, as
  many as the pack's ceiling unless fewer are asked for.
- Steps and their offsets are the pack's; a step counts from the window's opening, the partner
  release or the public release, and one that counts from a public release nobody gave is left out.
- All in UTC, so that no change of summer time moves anything.
- The plan is the lab's own and stays at home: it reminds, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import PolicyPack


@dataclass(frozen=True)
class Step:
    """Something to do between `latest_start` and `due` (UTC; equal for a mere moment)."""

    id: str
    name: str
    latest_start: datetime
    due: datetime


@dataclass(frozen=True)
class Plan:
    """A release plan; times in UTC, steps by latest start."""

    opens: datetime
    closes: datetime
    partner_release: datetime
    public_release: datetime | None
    steps: tuple[Step, ...]
    pack: str

    def to_json(self) -> dict[str, Any]:
        return {
            "window": {"opens": format_time(self.opens), "closes": format_time(self.closes)},
            "partner_release": format_time(self.partner_release),
            "public_release": self.public_release and format_time(self.public_release),
            "steps": [
                {
                    "name": step.name,
                    "latest_start": format_time(step.latest_start),
                    "due": format_time(step.due),
                }
                for step in self.steps
            ],
            "pack": self.pack,
        }


def make_plan(
    pack: PolicyPack,
    partner_release: datetime,
    public_release: datetime | None = None,
    window_days: int | None = None,
) -> Plan:
    """Return the plan for these dates. Raises BadInput naming the field.

    Args:
        pack: where ceiling, steps and offsets come from.
        partner_release: release to other trusted partners, UTC.
        public_release: UTC; None where it is not planned yet.
        window_days: length of the window; None for the ceiling of the pack's default basis.
    """
    if public_release is not None and public_release < partner_release:
        raise BadInput(
            f"public release: {format_time(public_release)} is before the partner release,"
            f" {format_time(partner_release)}"
        )
    days = _window_days(pack, window_days)
    opens = _before(partner_release, days, "partner release")
    anchors = {"opens": opens, "partner": partner_release, "public": public_release}
    steps = [_step(pack, row, anchors) for row in pack.records("plan", "steps")]
    ordered = sorted(filter(None, steps), key=lambda step: (step.latest_start, step.due))
    return Plan(opens, partner_release, partner_release, public_release, tuple(ordered), pack.ref)


def _window_days(pack: PolicyPack, asked: int | None) -> int:
    basis = pack.text("engagement", "default_basis")
    ceiling = pack.integer_or_none("engagement", "bases", basis, "ceiling_days")
    if asked is None:
        if ceiling is None:
            raise BadInput(f"window days: basis {basis} of {pack.ref} has no ceiling to default to")
        return ceiling
    if asked < 1:
        raise BadInput(f"window days: {asked} is no window", next_step="give 1 day or more")
    if ceiling is not None and asked > ceiling:
        raise BadInput(
            f"window days: {asked} is beyond the ceiling of {ceiling} days (basis {basis},"
            f" {pack.ref})",
            next_step=f"give 1 to {ceiling}",
        )
    return asked


def _step(
    pack: PolicyPack, row: Mapping[str, Any], anchors: Mapping[str, datetime | None]
) -> Step | None:
    try:
        key, name, anchor = row["id"], str(row["name"]), anchors[row["anchor"]]
        start, due = (row[field] for field in ("latest_start_days", "due_days"))
    except KeyError as error:
        raise BadInput(f"policy pack {pack.ref}: plan step {row['id']} lacks {error}") from None
    if type(start) is not int or type(due) is not int or start < due:
        raise BadInput(f"policy pack {pack.ref}: plan step {key} is due before it starts")
    if anchor is None:
        return None
    return Step(key, name, _before(anchor, start, key), _before(anchor, due, key))


def _before(time: datetime, days: int, what: str) -> datetime:
    try:
        return time - timedelta(days=days)
    except OverflowError:
        raise BadInput(f"{what}: {days} days before {format_time(time)} is out of range") from None
