"""What turns one index into the next gives just that one, and costs what is new."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.matching.build import osv
from tests.matching.test_index import advisories

from vedette.kernel.errors import BadInput
from vedette.matching import delta
from vedette.matching.building import build
from vedette.matching.model import Advisory

LINES = st.lists(st.sampled_from([b"a\n", b"bb\n", b"ccc\n", b"\n", b"x" * 70_000]), max_size=12)


@given(LINES.map(b"".join), LINES.map(b"".join), st.binary(max_size=40))
def test_it_gives_the_later_one(earlier: bytes, later: bytes, end: bytes) -> None:
    later += end
    assert delta.applied(earlier, delta.difference(earlier, later), len(later)) == later


@given(st.lists(advisories(), max_size=8), st.lists(advisories(), max_size=8))
def test_any_index_comes_out_of_any_other(one: list[Advisory], other: list[Advisory]) -> None:
    earlier, later = build(one), build(other)
    assert delta.apply(earlier, delta.make(earlier, later), len(later)) == later


def test_a_new_advisory_costs_little() -> None:
    many = [osv(f"A-{n:04}", f"name{n}", [{"introduced": "0"}]) for n in range(2000)]
    earlier, later = build(many[1:]), build(many)
    assert len(delta.make(earlier, later)) < 2000 < len(zlib.compress(later)) / 10


@given(st.data())
def test_a_damaged_one_is_refused_or_gives_the_stated_size(data: st.DataObject) -> None:
    whole = bytearray(delta.difference(b"one\ntwo\n", b"one\nthree\ntwo\n"))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with suppress(BadInput):
        assert len(delta.applied(b"one\ntwo\n", bytes(whole), 14)) <= 14


@pytest.mark.parametrize("steps", [[[-1, 2]], [["1"]], [[True]], {}, [[]], [[0, 9]], [[0, 10**12]]])
def test_steps_that_are_none_are_refused(steps: object) -> None:
    packed = zlib.compress(delta.MAGIC + json.dumps(steps).encode() + b"\n")
    with pytest.raises(BadInput, match="delta"):
        delta.applied(b"one\n", packed, 4)


def test_one_that_unpacks_to_more_is_refused() -> None:
    bomb = zlib.compress(delta.MAGIC + b"[]\n" + bytes(1 << 25))
    with pytest.raises(BadInput, match="larger"):
        delta.applied(b"", bomb, 100)
