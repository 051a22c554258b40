"""What turns one index into the next gives just that one, from any earlier bytes or none."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.errors import BadInput
from vedette.matching import delta

LINES = st.lists(st.sampled_from([b"a\n", b"bb\n", b"ccc\n", b"\n", b"x" * 70_000]), max_size=12)


@given(LINES.map(b"".join), LINES.map(b"".join), st.binary(max_size=40))
def test_it_gives_the_later_one(earlier: bytes, later: bytes, end: bytes) -> None:
    later += end
    assert delta.apply(earlier, delta.make(earlier, later), len(later)) == later


@given(st.data())
def test_a_damaged_one_is_refused_or_gives_the_stated_size(data: st.DataObject) -> None:
    whole = bytearray(delta.make(b"one\ntwo\n", b"one\nthree\ntwo\n"))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with suppress(BadInput):
        assert len(delta.apply(b"one\ntwo\n", bytes(whole), 14)) == 14


@pytest.mark.parametrize("steps", [[[-1, 2]], [["1"]], [[True]], {}, [[]], [[0, 9]], [[0, 10**12]]])
def test_steps_that_are_none_are_refused(steps: object) -> None:
    packed = zlib.compress(delta.MAGIC + json.dumps(steps).encode() + b"\n")
    with pytest.raises(BadInput, match="delta"):
        delta.apply(b"one\n", packed, 4)


def test_one_that_unpacks_to_more_is_refused() -> None:
    bomb = zlib.compress(delta.MAGIC + b"[]\n" + bytes(1 << 25))
    with pytest.raises(BadInput, match="larger"):
        delta.apply(b"", bomb, 100)
