"""Keys sign, seal, and stay with their owner."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.kernel.errors import BadInput
from vedette.kernel.ids import ALPHABET, new_id
from vedette.kernel.keys import PrivateKeys, PublicKeys

KEYS, OTHERS = PrivateKeys.generate(), PrivateKeys.generate()


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_signature_holds_for_its_data_and_key_alone(data: bytes, other: bytes) -> None:
    signature = KEYS.sign(data)
    assert KEYS.public.verify(signature, data)
    assert not OTHERS.public.verify(signature, data)
    assert KEYS.public.verify(signature, other) == (data == other)
    assert not KEYS.public.verify(signature[:-1], data)


def test_a_malformed_key_verifies_nothing() -> None:
    assert not PublicKeys("00", "").verify(b"", b"")
    assert not PublicKeys("not hex", "").verify(b"", b"")


@settings(max_examples=10)
@given(st.binary(max_size=2000))
def test_only_the_holder_opens_what_was_sealed(data: bytes) -> None:
    sealed = KEYS.public.seal(data)
    assert KEYS.open(sealed) == data
    with pytest.raises(BadInput, match="sealed"):
        OTHERS.open(sealed)


def test_keys_are_saved_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    KEYS.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PrivateKeys.load(path).public == KEYS.public
    with pytest.raises(FileExistsError):
        OTHERS.save(path)


@pytest.mark.parametrize("content", ["", "ed25519 00\nage x\n", "ed25519 zz\n", "nonsense\n"])
def test_a_damaged_key_file_says_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content)
    with pytest.raises(BadInput, match="next: restore"):
        PrivateKeys.load(path)


def test_ids_are_random_and_carry_no_order() -> None:
    ids = [new_id("case") for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert sorted(ids) != ids
    assert all(set(key.removeprefix("case-")) <= set(ALPHABET) and len(key) == 21 for key in ids)
