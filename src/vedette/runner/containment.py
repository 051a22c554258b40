"""Execution decides: does a policy keep attacks from a plant's goal, and let its work go on?

Rules:
- It is read as `bench.containment` says, and holds on every link but the last one.
- Each attack, the reference and the hidden ones, is played on a fresh flawed plant under it: the
  goal is not reached, and the tank ends below its mark.
- Each functional test is played under it, too: answers are what they should be, and the alarm is
  silent. A session that does not end in time fails either way.
- All of it is read outside: at the tank, and on the links.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vedette.bench.containment import Policy, read_policy
from vedette.bench.plants import read_plant
from vedette.bench.suites import Item
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput
from vedette.runner.isolation import isolation
from vedette.runner.plant import Session, run_session

BETWEEN = b"---"  # parts a policy from the session that it is tried with


@dataclass(frozen=True)
class Containment:
    """What a policy showed: `attacks` held of those tried, `work` that went on, and why not."""

    contained: bool
    attacks: int
    work: int
    policy_digest: str
    isolation: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def verify_policy(item: Item, data: bytes) -> Containment:
    """Hold a policy against the item's attacks and its work. Raises BadInput on a bad item."""
    held = worked = 0

    def found(reason: str, *, contained: bool = False) -> Containment:
        return Containment(contained, held, worked, digest(data), isolation(), reason)

    try:
        policy = _read(item, data)
    except BadInput as error:
        return found(error.what)
    attacks = [path.read_bytes() for path in (item.reference_input, *item.hidden)]
    for attack in attacks:
        session = _played(item, attack, policy)
        if session.outcome.timed_out:
            return found("an attack's session did not end in time")
        if session.course.reached or session.course.level >= session.course.tank.mark:
            return found(f"attack {held + 1} of {len(attacks)} brings the tank to its mark")
        held += 1
    for test in item.functional:
        session = _played(item, test.input.read_bytes(), policy)
        if session.outcome.timed_out or session.course.sounded:
            return found("ordinary work is held up, or sounds the alarm")
        if session.outcome.stdout != test.output.read_bytes():
            return found(f"work {worked + 1} of {len(item.functional)} is answered in another way")
        worked += 1
    return found(f"contained: {held} attacks held, {worked} sessions went on", contained=True)


def try_policy(item: Item, data: bytes) -> Session:
    """Play a session under a policy; `data` is both, a line of BETWEEN apart. Raises BadInput."""
    lines = data.splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.strip() == BETWEEN]
    if not places:
        raise BadInput(f"a policy, a line {BETWEEN.decode()}, and a session expected")
    policy = _read(item, b"".join(lines[: places[0]]))
    return _played(item, b"".join(lines[places[0] + 1 :]), policy)


def _read(item: Item, data: bytes) -> Policy:
    return read_policy(data, [source.stem for source in item.vulnerable[:-1]])


def _played(item: Item, session: bytes, policy: Policy) -> Session:
    assert item.plant is not None
    return run_session(read_plant(item.plant), item.vulnerable, session, policy)
