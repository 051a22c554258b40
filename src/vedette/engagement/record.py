"""The access record: what a window promised and what was served, from one side's own evidence.

Rules:
- Evidence is what that side saw: calls and heartbeats, each at its hour, each saying that the
  model was there or was not. A call that the proxy refused by a rule says nothing of the model.
- The model is down from the first evidence that it is not there to the next that it is; where no
  evidence came for longer than `patience`, nobody knows, and that time counts as neither.
- Time before the window opens and after it ends counts nowhere.
- A rate limit met is a 429 of the model's own; a refusal is the proxy's, by its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vedette.engagement.window import Window
from vedette.kernel.errors import BadInput

DAY = timedelta(days=1)
DOWN = frozenset({0, 500, 502, 503, 504, 529})


@dataclass(frozen=True)
class Evidence:
    """One look at the model: when, and whether it was there."""

    at: datetime
    up: bool


@dataclass(frozen=True)
class CallSeen:
    """One call as this side has it.

    `refused` is the proxy's reason, one word and perhaps a text after a colon; "" where it went on.
    """

    at: datetime
    status: int
    refused: str = ""
    ended: str = ""
    odd: str = ""
    probe: bool = False

    @property
    def evidence(self) -> Evidence | None:
        if self.refused or self.status in (400, 401, 403, 404, 409, 413):
            return None
        return Evidence(self.at, self.status not in DOWN and self.ended not in ("stalled",))


@dataclass(frozen=True)
class Served:
    """How the time of a window went, in seconds; the four parts make up `open`."""

    promised: int
    open: int
    up: int
    down: int
    unknown: int

    @property
    def shorter(self) -> int:
        """How much earlier the window ended than it was promised to, in seconds."""
        return self.promised - self.open


@dataclass(frozen=True)
class Record:
    """One side's account of a window."""

    served: Served
    calls: int
    probes: int
    rate_limited: int
    failed: int
    odd: int
    refusals: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        served = {f"{name}_seconds": value for name, value in vars(self.served).items()}
        counts = ("calls", "probes", "rate_limited", "failed", "odd")
        return {
            **served,
            **{name: getattr(self, name) for name in counts},
            "refusals": dict(sorted(self.refusals.items())),
        }


def make_record(
    window: Window,
    now: datetime,
    calls: Sequence[CallSeen],
    beats: Iterable[Evidence],
    patience: timedelta,
) -> Record:
    """Make one side's account as of `now`."""
    looks = [look for call in calls if (look := call.evidence)]
    refusals: dict[str, int] = {}
    for call in calls:
        if call.refused:
            reason = call.refused.partition(":")[0]
            refusals[reason] = refusals.get(reason, 0) + 1
    return Record(
        served=served(window, now, [*looks, *beats], patience),
        calls=len(calls),
        probes=sum(call.probe for call in calls),
        rate_limited=sum(call.status == 429 and not call.refused for call in calls),
        failed=sum(call.status in DOWN and not call.refused for call in calls),
        odd=sum(bool(call.odd) for call in calls),
        refusals=refusals,
    )


def served(window: Window, now: datetime, looks: Iterable[Evidence], patience: timedelta) -> Served:
    """How the time of a window went until `now`."""
    start, end = window.opens, max(window.opens, min(window.until, now))
    spent = {True: timedelta(), False: timedelta()}
    ordered = sorted((look for look in looks if start <= look.at < end), key=lambda k: k.at)
    for look, following in zip(ordered, [*ordered[1:], None], strict=False):
        until = following.at if following else end
        known = until - look.at if until - look.at <= patience else patience
        spent[look.up] += known
    opened = _seconds(end - start)
    up, down = _seconds(spent[True]), _seconds(spent[False])
    over = now >= window.until
    promised = _seconds(window.closes - window.opens) if over else opened
    return Served(promised, opened, up, down, opened - up - down)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


COMPARED = ("open_seconds", "down_seconds", "calls", "probes", "rate_limited", "failed")
SAME_WITHIN = 0.05


def differences(lab: Mapping[str, Any], office: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What the two accounts differ in: name to [lab's, office's].

    Each side looks at its own moments, so seconds agree within a twentieth of the window.
    """
    found = {}
    for name in COMPARED:
        one, other = lab.get(name), office.get(name)
        if one == other:
            continue
        slack = SAME_WITHIN * max(int(lab.get("open_seconds") or 0), 1)
        numbers = isinstance(one, int) and isinstance(other, int)
        if name.endswith("_seconds") and numbers and abs(one - other) <= slack:  # type: ignore[operator]
            continue
        found[name] = [one, other]
    return found


def days(seconds: int) -> str:
    """Seconds as days in words, to a tenth."""
    return f"{seconds / DAY.total_seconds():.1f} days"


def limits(record: Mapping[str, Any], other: Mapping[str, Any] | None) -> list[str]:
    """What the access limits, in sentences for an assessment."""
    said = []
    if record["open_seconds"] < record["promised_seconds"]:
        said.append(
            f"The window was open for {days(record['open_seconds'])} of"
            f" {days(record['promised_seconds'])}: what takes longer was not looked for."
        )
    if record["down_seconds"]:
        said.append(
            f"The model was not reachable for {days(record['down_seconds'])} of the window, by"
            " the office's own calls and heartbeat."
        )
    if record["rate_limited"]:
        said.append(
            f"{record['rate_limited']} calls met a rate limit of the model: more effort in the"
            " same time may find more."
        )
    refused = sum(record["refusals"].values())
    if refused:
        reasons = "; ".join(f"{n} because {reason}" for reason, n in record["refusals"].items())
        said.append(f"The lab's proxy refused {refused} calls: {reasons[:600]}.")
    if record["odd"]:
        said.append(
            f"{record['odd']} answers named no usage, or more than is possible: tokens are not"
            " exact."
        )
    if other and differences(other, record):
        names = ", ".join(sorted(differences(other, record)))
        said.append(f"The lab's account of the access differs from the office's in: {names}.")
    return said


NUMBERS = (
    *("promised_seconds", "open_seconds", "up_seconds", "down_seconds", "unknown_seconds"),
    *("calls", "probes", "rate_limited", "failed", "odd"),
)
LARGEST = 10**12
MOST_REASONS = 100


def read(value: Mapping[str, Any]) -> dict[str, Any]:
    """The other side's account as it crossed. Raises BadInput naming the field."""
    found: dict[str, Any] = {}
    for name in NUMBERS:
        number = value.get(name)
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= LARGEST:
            raise BadInput(f"record.{name}: a whole number from 0 expected")
        found[name] = number
    refusals = value.get("refusals")
    if not isinstance(refusals, Mapping) or len(refusals) > MOST_REASONS:
        raise BadInput("record.refusals: reasons with their counts expected")
    for reason, count in refusals.items():
        if len(reason) > 200 or not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise BadInput("record.refusals: reasons with their counts expected")
    return {**found, "refusals": dict(refusals)}
