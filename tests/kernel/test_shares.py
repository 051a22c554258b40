"""Shares of a key: any two holders have it, one alone has nothing of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.errors import BadInput
from vedette.kernel.shares import PRIME, Holder, join, split

KEYS = st.binary(min_size=32, max_size=32)


@given(KEYS, st.integers(2, 100), st.data())
def test_any_two_make_the_key(key: bytes, count: int, data: st.DataObject) -> None:
    shares = split(key, count)
    pair = st.lists(st.sampled_from(shares), min_size=2, max_size=2, unique=True)
    assert join(*data.draw(pair)) == key


@given(KEYS, KEYS, st.integers(2, 20), st.data())
def test_one_alone_fits_every_key_alike(
    key: bytes, other: bytes, count: int, data: st.DataObject
) -> None:
    share = data.draw(st.sampled_from(split(key, count)))
    x, y = int(share.partition(".")[0]), int(share.partition(".")[2], 16)
    start = int.from_bytes(other, "big")
    slope = (y - start) * pow(x, -1, PRIME) % PRIME
    fitting = f"{x + 1}.{(start + slope * (x + 1)) % PRIME:x}"
    assert join(share, fitting) == other


def test_what_is_no_pair_makes_nothing() -> None:
    one, another = split(b"k" * 32, 2), split(b"k" * 32, 2)
    with pytest.raises(BadInput, match="different"):
        join(one[0], one[0])
    with pytest.raises(BadInput, match="not of one splitting"):
        join(one[0], another[1])
    for bad in ("", "1", "1.", "x.1", "0.1", "101.1", f"1.{PRIME:x}", "1.-1"):
        with pytest.raises(BadInput):
            join(bad, one[0])
    for secret, count in ((b"short", 2), (b"k" * 32, 1), (b"k" * 32, 101)):
        with pytest.raises(BadInput):
            split(secret, count)


def test_a_holder_opens_their_own_with_their_code() -> None:
    (code, holder), (other, stranger) = Holder.new(), Holder.new()
    share = split(b"k" * 32, 2)[0]
    given = holder.give(share)
    assert holder.take(given, code) == share
    assert holder.take(given, f" {code.replace('-', ' ').upper()} ") == share
    assert code.replace("-", "") not in holder.sealed + holder.recipient + given
    with pytest.raises(BadInput, match="not your keyholder's code"):
        holder.take(given, other)
    with pytest.raises(BadInput, match="became a keyholder anew"):
        stranger.take(given, other)
