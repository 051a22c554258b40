"""Keys of windows: what is sealed opens in its place under its key alone; a key is destroyed."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.errors import BadInput
from vedette.kernel.sealing import BLOCK, WindowKey, destroy, key_of

KEY, OTHER = WindowKey.generate(), WindowKey.generate()


@given(data=st.binary(max_size=300), place=st.text(max_size=20))
def test_sealed_text_opens_in_its_place_alone(data: bytes, place: str) -> None:
    token = KEY.seal(data, place)
    assert KEY.open(token, place) == data
    assert key_of(token) == KEY.id
    with pytest.raises(BadInput):
        KEY.open(token, place + "x")
    with pytest.raises(BadInput):
        OTHER.open(token, place)
    with pytest.raises(BadInput):
        WindowKey(KEY.id, OTHER.raw).open(token, place)


@given(data=st.binary(min_size=1, max_size=300), at=st.integers(0, 10**6))
def test_a_changed_token_does_not_open(data: bytes, at: int) -> None:
    token = KEY.seal(data, "p")
    head, body = token.rsplit(".", 1)
    at %= len(body) - 1  # the last character carries spare bits
    changed = body[:at] + ("A" if body[at] != "A" else "B") + body[at + 1 :]
    with pytest.raises(BadInput):
        KEY.open(f"{head}.{changed}", "p")


def test_the_same_text_is_never_sealed_twice_alike() -> None:
    assert KEY.seal(b"same", "p") != KEY.seal(b"same", "p")


def sealed_file(data: bytes) -> bytes:
    target = io.BytesIO()
    KEY.seal_file(io.BytesIO(data), target, "run/x")
    return target.getvalue()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_files_open_whole(size: int) -> None:
    data = os.urandom(size)
    assert b"".join(KEY.open_file(io.BytesIO(sealed_file(data)), "run/x")) == data


@pytest.mark.parametrize("how", ["cut", "cut at a block", "doubled", "swapped", "place", "key"])
def test_files_that_were_touched_do_not_open(how: str) -> None:
    data = sealed_file(os.urandom(3 * BLOCK))
    head, step = len(data) - 3 * (BLOCK + 16), BLOCK + 16
    blocks = [data[head + i * step : head + (i + 1) * step] for i in range(3)]
    key, place = (OTHER if how == "key" else KEY), ("run/y" if how == "place" else "run/x")
    touched = {
        "cut": data[:-1],
        "cut at a block": data[:-step],
        "doubled": data + blocks[2],
        "swapped": data[:head] + blocks[1] + blocks[0] + blocks[2],
    }.get(how, data)
    with pytest.raises(BadInput):
        list(key.open_file(io.BytesIO(touched), place))


def test_a_key_is_kept_for_its_owner_alone_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "act-x.key"
    KEY.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert WindowKey.load(path) == KEY
    with pytest.raises(FileExistsError):
        OTHER.save(path)
    assert WindowKey.load(path) == KEY
    assert [p.name for p in tmp_path.iterdir()] == ["act-x.key"]
    path.write_text("nonsense")
    with pytest.raises(BadInput):
        WindowKey.load(path)


def test_a_destroyed_key_is_overwritten_before_it_goes(tmp_path: Path) -> None:
    path, kept = tmp_path / "act-x.key", tmp_path / "linked"
    KEY.save(path)
    os.link(path, kept)  # another name of the same bytes on the disk
    destroy(path)
    assert not path.exists()
    assert KEY.raw.hex().encode() not in kept.read_bytes()
    destroy(path)
