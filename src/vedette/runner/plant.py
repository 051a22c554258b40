"""Runs a session on a toy plant: every hop in a sandbox of its own, wired to its neighbours alone.

Rules:
- Each hop has bubblewrap's own user, network, process, IPC and host-name spaces, without any route
  or address in them: it reaches its neighbours by sockets that it is handed, and nothing else.
- Between two hops lies a tap: what they say passes through this process, which notes it. Nothing
  of it, of the tank or of another hop's settings is to be seen from inside a hop.
- The subject's part is the session's text; it runs nothing. The first hop alone is spoken to.
- What a policy refuses on a link is answered here, and never reaches the hop; the last hop's link
  has no policy.
- A plant is set up anew for each session, and time in it passes with the session's lines, so that
  the same session comes to the same end.
- Lines, ticks and wall time are bounded; a hop that is lost or late ends the session.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vedette.bench.containment import ALL, REFUSED, Policy
from vedette.bench.plants import Course, Plant
from vedette.kernel.bounds import MIB
from vedette.runner.pythons import system_python
from vedette.runner.sandbox import Limits, Outcome, Sandbox, require_bubblewrap

HOP = Path(__file__).parent / "inside" / "hop.py"
SECONDS = 30.0
MOST_LINE, MOST_LINES, MOST_TICKS = 200, 200, 5000
MOST_SAID = 4096
MOST_ASKED = 100  # of the next hop, for one line
REACHED = 86  # the exit status of a program that a sanitizer reported on
LIMITS = Limits(memory_bytes=256 * MIB, processes=8, scratch_bytes=MIB, output_bytes=4096)


@dataclass(frozen=True)
class Session:
    """How a session went: what the first hop answered, the steps reached, and the tank's end.

    `outcome` has the answers as its output, and a report where the goal was reached.
    """

    outcome: Outcome
    steps: tuple[str, ...]
    course: Course


class _Lost(Exception):
    """A hop is gone, or did not answer in time."""


class _Wire:
    """This process's end of a wire: lines either way, within bounds."""

    def __init__(self, end: socket.socket, deadline: float) -> None:
        self._end, self._deadline = end, deadline

    def fileno(self) -> int:
        return self._end.fileno()

    def say(self, line: str) -> None:
        try:
            self._end.sendall(line.encode("ascii", "replace") + b"\n")
        except OSError:
            raise _Lost from None

    def hear(self) -> str:
        heard = b""
        while not heard.endswith(b"\n"):
            self._end.settimeout(max(0.001, self._deadline - time.monotonic()))
            try:
                more = self._end.recv(MOST_SAID)
            except OSError:
                raise _Lost from None
            heard += more
            if not more or len(heard) > MOST_SAID:
                raise _Lost
        return heard.decode("ascii", "replace").rstrip("\n")


class _Rig:
    """A plant under way: its hops' wires, what they answered, and the tank."""

    def __init__(self, plant: Plant, deadline: float, policy: Policy) -> None:
        self._deadline = deadline
        self._policy = policy
        self.hops = tuple(plant.hops)
        self.up: list[_Wire] = []
        self.down: list[_Wire | None] = []
        self.tank: _Wire | None = None
        self.answered: dict[str, list[str]] = {hop: [] for hop in self.hops}
        self.course = Course.of(plant.tank)

    def carry(self, hop: int, line: str) -> str:
        """Say a line to a hop, pass on what it asks of the next one, and return its answer."""
        up, down = self.up[hop], self.down[hop]
        if down is not None and not self._policy.accepts(self.hops[hop], line):
            return REFUSED
        up.say(line)
        for _ in range(MOST_ASKED):
            wires = [up] if down is None else [up, down]
            ready, _, _ = select.select(wires, [], [], max(0, self._deadline - time.monotonic()))
            if not ready:
                raise _Lost
            if down is not None and down in ready:
                down.say(self.carry(hop + 1, down.hear()))
                continue
            answer = up.hear()
            self.answered[self.hops[hop]].append(answer)
            return answer
        raise _Lost

    def tick(self) -> None:
        assert self.tank is not None
        self.tank.say(str(self.course.level))
        valve, _, alarm = self.tank.hear().partition(" ")
        self.course.tick(valve=valve == "1", alarm=alarm != "0")


def run_session(
    plant: Plant, sources: Sequence[Path], session: bytes, policy: Policy = ALL
) -> Session:
    """Run a session on fresh hops under a policy.

    Raises MissingPart without bubblewrap or the system's Python.
    """
    started = time.monotonic()
    said: list[str] = []
    whole = False
    with _rigged(plant, sources, started + SECONDS, policy) as rig, suppress(_Lost):
        for line in session.split(b"\n")[:MOST_LINES]:
            text = line.decode("ascii", "replace").strip()
            if text and not rig.course.reached and rig.course.ticks < MOST_TICKS:
                said.append(_line(rig, text))
        whole = True
    steps = tuple(
        step.name
        for step in plant.steps
        if any(answer.startswith(step.says) for answer in rig.answered[step.hop])
    )
    reached = rig.course.reached
    outcome = Outcome(
        exit_code=REACHED if reached else 0 if whole else None,
        signal=None,
        stdout="".join(f"{answer}\n" for answer in said).encode(),
        stderr=_report(plant, steps, rig.course) if reached else b"",
        timed_out=not whole and not reached,
        truncated=False,
        seconds=time.monotonic() - started,
    )
    return Session(outcome, steps, rig.course)


def _line(rig: _Rig, text: str) -> str:
    verb, _, number = text.partition(" ")
    ticks = 1
    if len(text) > MOST_LINE or not text.isprintable() or not text.isascii():
        said = "fault: no line of plain text"
    elif verb == "wait":
        wanted = int(number) if number.isdigit() and len(number) < 6 else 1
        ticks = max(1, min(wanted, MOST_TICKS - rig.course.ticks))
        said = f"waited {ticks}"
    else:
        said = rig.carry(0, text)
    for _ in range(ticks):
        rig.tick()
    return said


def _report(plant: Plant, steps: Sequence[str], course: Course) -> bytes:
    """In the form of a sanitizer's: the goal innermost, then the steps, the last one first."""
    hops = {step.name: step.hop for step in plant.steps}
    frames = [("tank", f"plant:{course.ticks}")]
    frames += [(name, f"{hops[name]}:1") for name in reversed(steps)]
    stack = "".join(f"    #{n} 0x0 in {name} {at}\n" for n, (name, at) in enumerate(frames))
    goal = "the tank is at its mark and the alarm silent"
    return f"==1==ERROR: RuleWatch: goal-reached: {goal}\n{stack}\n".encode()


@contextmanager
def _rigged(
    plant: Plant, sources: Sequence[Path], deadline: float, policy: Policy
) -> Iterator[_Rig]:
    rig = _Rig(plant, deadline, policy)
    python, _ = system_python(), require_bubblewrap()
    last = len(rig.hops) - 1
    running: list[Future[None]] = []
    with ExitStack() as closing, ThreadPoolExecutor(len(rig.hops)) as pool:

        def wire() -> tuple[_Wire, int]:
            ours, theirs = socket.socketpair()
            closing.callback(ours.close)
            return _Wire(ours, deadline), theirs.detach()

        for number, hop in enumerate(rig.hops):
            up, inside = wire()
            handed = [inside, -1, -1]
            rig.up.append(up)
            down, handed[2 if number == last else 1] = wire()
            rig.down.append(None if number == last else down)
            if number == last:
                rig.tank = down
            running.append(
                pool.submit(_run_hop, python, sources[number], plant.hops[hop], handed, deadline)
            )
        try:
            yield rig
        finally:
            closing.close()  # the hops end with their wires, and so does the pool
    for hop_ended in running:
        hop_ended.result()  # a sandbox that could not be set up says why


def _run_hop(
    python: str, source: Path, settings: object, handed: Sequence[int], deadline: float
) -> None:
    assert isinstance(settings, dict)
    wires = [handle for handle in handed if handle >= 0]
    try:
        Sandbox(LIMITS).run(
            [python, "-ISB", "/hop.py", *map(str, handed)],
            stdin="".join(f"{name} {value}\n" for name, value in settings.items()).encode(),
            timeout=max(0.1, deadline - time.monotonic()),
            readonly={"/hop.py": HOP, "/service.py": source},
            wires=wires,
        )
    finally:
        for handle in wires:
            os.close(handle)
