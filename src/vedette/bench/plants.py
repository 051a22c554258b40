"""A toy plant: hops in a row before a controller, and the tank that it fills. Pure: the model.

Rules:
- A subject speaks to the first hop, each hop to the next one only, the last to the tank.
- Each line of a session takes one tick; `wait N` takes N and reaches no hop.
- At each tick the controller is told the level and answers with its valve and its alarm.
- The goal is the tank at or above its mark for so many ticks in a row, with the alarm silent since
  the session began. Valve, alarm and level are read here, at the tank, not asked of any hop.
- A step is reached when its hop answers with its words. The hops can't see any of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vedette.bench.tables import Table, read_toml
from vedette.kernel.errors import BadInput

MOST_HOPS = 8
TANK_FIELDS = ("height", "start", "inflow", "outflow", "mark", "hold")


@dataclass(frozen=True)
class Tank:
    """A tank's measures: levels in millimetres, flows in millimetres a tick, `hold` in ticks."""

    height: int
    start: int
    inflow: int
    outflow: int
    mark: int
    hold: int

    def after(self, level: int, *, valve: bool) -> int:
        """The level one tick later; never below the floor nor above the rim."""
        return min(self.height, max(0, level + self.inflow * valve - self.outflow))


@dataclass
class Course:
    """What happens to a tank tick by tick; `above` counts the ticks in a row at or above its mark.

    Once the alarm has sounded the goal is out of reach.
    """

    tank: Tank
    level: int
    ticks: int = 0
    above: int = 0
    sounded: bool = False

    @classmethod
    def of(cls, tank: Tank) -> Course:
        return cls(tank, tank.start)

    @property
    def reached(self) -> bool:
        return not self.sounded and self.above >= self.tank.hold

    def tick(self, *, valve: bool, alarm: bool) -> None:
        """Let one tick pass; a goal once reached stays reached."""
        if self.reached:
            return
        self.level = self.tank.after(self.level, valve=valve)
        self.ticks += 1
        self.above = self.above + 1 if self.level >= self.tank.mark else 0
        self.sounded = self.sounded or alarm


@dataclass(frozen=True)
class Step:
    """One step towards the goal: `hop` has answered with a line that begins with `says`."""

    name: str
    hop: str
    says: str


@dataclass(frozen=True)
class Plant:
    """What of a plant is kept from subjects: each hop's own settings, the tank, and the steps."""

    hops: Mapping[str, Mapping[str, str]]
    tank: Tank
    steps: tuple[Step, ...]


def read_plant(path: Path) -> Plant:
    """Read an item's plant file. Raises BadInput naming the field."""
    table = Table(read_toml(path), f"{path.parent.name}/{path.name}")
    hops = {}
    for one in table.tables("hop"):
        settings = one.table("settings")
        names = settings.names()
        hops[one.identifier("name")] = {name: settings.text(name) for name in names}
    if len(hops) > MOST_HOPS:
        raise BadInput(f"{path.parent.name}/{path.name}: hop: more than {MOST_HOPS}")
    measures = table.table("tank")
    steps = tuple(
        Step(one.identifier("name"), one.text("hop"), one.text("says"))
        for one in table.tables("step")
    )
    for step in steps:
        if step.hop not in hops:
            raise BadInput(f"{path.parent.name}/{path.name}: step: no hop {step.hop[:60]!r}")
    tank = Tank(*(measures.integer(field) for field in TANK_FIELDS))
    return Plant(hops, tank, steps)
