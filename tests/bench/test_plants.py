"""A plant's tank: what its level may be, and when its goal counts as reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.generated.suite import PLANT, generate
from vedette.bench.plants import Course, Tank, read_plant
from vedette.bench.suites import load_suite
from vedette.kernel.errors import BadInput

pytestmark = pytest.mark.any_database

TANKS = st.builds(
    Tank,
    height=st.integers(100, 200),
    start=st.integers(1, 100),
    inflow=st.integers(1, 60),
    outflow=st.integers(1, 60),
    mark=st.integers(1, 200),
    hold=st.integers(1, 5),
)


@given(TANKS, st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_the_goal_is_the_mark_held_in_silence(tank: Tank, told: list[tuple[bool, bool]]) -> None:
    course = Course.of(tank)
    levels, heard, reached = [], [], False
    for valve, alarm in told:
        before = course.level
        course.tick(valve=valve, alarm=alarm)
        assert 0 <= course.level <= tank.height
        if reached:  # nothing moves any more
            assert course.level == before
            continue
        most = max(0, tank.inflow - tank.outflow) if valve else 0
        assert -tank.outflow <= course.level - before <= most
        levels.append(course.level)
        heard.append(alarm)
        last = levels[-tank.hold :]
        reached = len(last) == tank.hold and min(last) >= tank.mark and not any(heard)
        assert course.reached == reached
    assert course.ticks == len(levels)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[tank]", "[basin]", "tank must be a table"),
        ("hold = 12", "hold = 0", "hold must lie between"),
        ('hop = "desk"', 'hop = "office"', "step: no hop 'office'"),
        ('name = "gateway"', 'name = "fence"', "vulnerable: not desk, historian, fence"),
        ("guest_pin", '"guest pin"', "no plain name of a field"),
    ],
)
def test_a_plant_that_is_not_whole_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    for name, content in generate(5).items():
        if name.startswith(f"{PLANT}/"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    suite = generate(5)["suite.toml"].decode()
    listed = suite[: suite.index("items = [")] + f'items = ["{PLANT}"]\n'
    (tmp_path / "suite.toml").write_text(listed)
    (item,) = load_suite(tmp_path).items
    assert item.plant is not None
    assert list(read_plant(item.plant).hops) == ["desk", "historian", "gateway", "controller"]
    assert old in item.plant.read_text()
    item.plant.write_text(item.plant.read_text().replace(old, new, 1))
    with pytest.raises(BadInput, match=said):
        load_suite(tmp_path)
