"""Merkle tree over a ledger: head, inclusion and consistency proofs, and their verification.

After RFC 6962 section 2.1 (SHA-256; leaves prefixed 0x00, nodes 0x01), verification after
RFC 9162 section 2.1.3.2 and 2.1.4.2. Functions take leaf *hashes*; `leaf_hash` makes one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from vedette.kernel.errors import BadInput

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The tree head of a growing tree, from its O(log n) complete subtrees alone.

    `peaks` holds the roots of the complete subtrees, largest first: one for each bit of `size`.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size < 0 or len(peaks) != size.bit_count():
            raise BadInput(f"frontier: size {size} goes with {max(size, 0).bit_count()} peaks")
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the tree head over all leaves so far (32 bytes)."""
        if not self._peaks:
            return EMPTY
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node

    def to_json(self) -> dict[str, Any]:
        return {"size": self.size, "peaks": [peak.hex() for peak in self._peaks]}

    @classmethod
    def from_json(cls, value: Any) -> Frontier:
        try:
            return cls(value["size"], [bytes.fromhex(peak) for peak in value["peaks"]])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadInput("frontier: size and peaks expected") from None


def tree_head(leaves: Sequence[bytes]) -> bytes:
    """Return the tree head over all leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of leaf `index` (from 0) in the tree over `leaves`."""
    if not 0 <= index < len(leaves):
        raise BadInput(f"index: {index} is not within the {len(leaves)} entries")
    path: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(tree_head(leaves[middle:high]))
            high = middle
        else:
            path.append(tree_head(leaves[low:middle]))
            low = middle
    return path[::-1]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the tree over `leaves` extends its own first `old_size` leaves."""
    if not 0 < old_size <= len(leaves):
        raise BadInput(f"old size: {old_size} is not within 1 to {len(leaves)}")
    path: list[bytes] = []
    low, high, rest, whole = 0, len(leaves), old_size, True
    while rest < high - low:
        split = _split(high - low)
        middle = low + split
        if rest <= split:
            path.append(tree_head(leaves[middle:high]))
            high = middle
        else:
            path.append(tree_head(leaves[low:middle]))
            low, rest, whole = middle, rest - split, False
    if not whole:
        path.append(tree_head(leaves[low:high]))
    return path[::-1]


def _split(size: int) -> int:
    """Return the largest power of two below `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether `proof` shows leaf hash `leaf` at `index` of the tree of `size` and `root`."""
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether `proof` shows that the new tree only adds to the old one."""
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root
