"""The Merkle tree of RFC 6962: published vectors, a naive tree as oracle, proofs that can fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.errors import BadInput
from vedette.ledger.merkle import (
    EMPTY,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    tree_head,
    verify_consistency,
    verify_inclusion,
)

# inputs and roots as published with Certificate Transparency's reference implementation
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
INPUTS.append("606162636465666768696a6b6c6d6e6f")
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATH_0_OF_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
PROOF_6_TO_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]

leaf_lists = st.lists(st.binary(max_size=4).map(leaf_hash), min_size=1, max_size=70)


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive(leaves[:split]), naive(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    assert tree_head(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_published_proofs() -> None:
    assert [node.hex() for node in inclusion_proof(LEAVES, 0)] == PATH_0_OF_8
    assert [node.hex() for node in consistency_proof(LEAVES, 6)] == PROOF_6_TO_8


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree_head([]).hex().startswith("e3b0c44298fc1c14")


@given(leaf_lists)
def test_the_growing_root_is_the_naive_one(leaves: list[bytes]) -> None:
    frontier = Frontier()
    for count, leaf in enumerate(leaves, 1):
        frontier.append(leaf)
        frontier = Frontier.from_json(frontier.to_json())
        assert frontier.root() == naive(leaves[:count])
    assert len(frontier.to_json()["peaks"]) <= len(leaves).bit_length()


@given(leaf_lists, st.data())
def test_inclusion_proofs_hold_and_hold_for_nothing_else(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size, root = len(leaves), tree_head(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, index)
    assert len(proof) <= (size - 1).bit_length()
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert not verify_inclusion(leaf_hash(b"another leaf"), index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(root))
    assert not verify_inclusion(leaves[index], size, size, proof, root)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = leaf_hash(proof[at])
        assert not verify_inclusion(leaves[index], index, size, proof, root)


@given(leaf_lists, st.data())
def test_consistency_proofs_hold_and_hold_for_nothing_else(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size, new = len(leaves), tree_head(leaves)
    old_size = data.draw(st.integers(1, size))
    old, proof = tree_head(leaves[:old_size]), consistency_proof(leaves, old_size)
    assert verify_consistency(old_size, size, old, new, proof)
    assert not verify_consistency(old_size, size, leaf_hash(old), new, proof)
    assert not verify_consistency(old_size, size, old, leaf_hash(new), proof)
    assert not verify_consistency(old_size, size, old, new, [*proof, new])
    assert not verify_consistency(size + 1, size, old, new, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = leaf_hash(proof[at])
        assert not verify_consistency(old_size, size, old, new, proof)


@given(leaf_lists, st.data())
def test_a_changed_past_has_no_consistency_proof(leaves: list[bytes], data: st.DataObject) -> None:
    old_size = data.draw(st.integers(1, len(leaves)))
    at = data.draw(st.integers(0, old_size - 1))
    old = tree_head(leaves[:old_size])
    leaves[at] = leaf_hash(b"another leaf")
    proof = consistency_proof(leaves, old_size)
    assert not verify_consistency(old_size, len(leaves), old, tree_head(leaves), proof)


@pytest.mark.parametrize("value", [None, {}, {"size": 2, "peaks": []}, {"size": 1, "peaks": ["x"]}])
def test_a_malformed_frontier_is_bad_input(value: object) -> None:
    with pytest.raises(BadInput, match="frontier"):
        Frontier.from_json(value)


def test_proofs_outside_the_tree_are_bad_input() -> None:
    with pytest.raises(BadInput):
        inclusion_proof(LEAVES, 8)
    with pytest.raises(BadInput):
        consistency_proof(LEAVES, 0)
