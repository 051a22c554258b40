"""Numbers in sentences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.words import counted, ranges


def test_one_and_many() -> None:
    assert (counted(1, "match", "matches"), counted(1204, "item")) == ("1 match", "1,204 items")
    assert ranges([8, 3, 1, 2, 5, 7]) == "1 to 3, 5, 7, 8"


@given(st.sets(st.integers(0, 400)))
def test_ranges_tell_exactly_their_numbers(numbers: set[int]) -> None:
    told: list[int] = []
    for part in filter(None, ranges(numbers).split(", ")):
        first, _, last = part.partition(" to ")
        told.extend(range(int(first), int(last or first) + 1))
    assert told == sorted(numbers)
