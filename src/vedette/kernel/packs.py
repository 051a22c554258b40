"""Policy packs: deadlines, ceilings, forms and bases as signed, versioned, replaceable data.

Rules:
- A pack in the package is pinned by digest in this file; any other needs an Ed25519 signature,
  in a DSSE envelope, by a key that the instance trusts.
- A pack holds text, whole numbers, true, false and null, never a fraction; its digest is over its
  canonical form, so spaces and line ends do not matter.
- A pack is read only; a new rule is a new version.
- A rule that a pack lacks, or has in another shape, is an error that names the pack and the rule;
  nothing falls back to a constant in code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from vedette.kernel import dsse
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput, OurFault, Refused
from vedette.kernel.keys import PrivateKeys, PublicKeys

T = TypeVar("T")

PAYLOAD_TYPE = "application/vnd.vedette.policy-pack+json"
BOUNDS = Bounds(size=2 * MIB, depth=20, count=50_000)

DEFAULT = "us-eo-14409@1"
# packs in the package: reference -> file and digest of the canonical form
PINNED: Mapping[str, tuple[str, str]] = {
    DEFAULT: (
        "us-eo-14409-1.json",
        "sha256:b218ab9d6d3ab71da4d06e9f041e9381f5e7670c3045ccee6e896ad32cbf1ce5",
    ),
}


@dataclass(frozen=True)
class PolicyPack:
    """One version of the rules. `rules` is deeply read-only: mappings and tuples."""

    name: str
    version: str
    digest: str
    rules: Mapping[str, Any]
    title: str = ""

    @property
    def ref(self) -> str:
        """`name@version`, as decisions and outputs name the pack."""
        return f"{self.name}@{self.version}"

    def mapping(self, *path: str) -> Mapping[str, Any]:
        """Return the rule at `path` as a mapping. Raises BadInput naming pack and rule."""
        return self._typed(path, MappingProxyType, "an object")

    def sequence(self, *path: str) -> Sequence[Any]:
        """Return the rule at `path` as a tuple. Raises BadInput naming pack and rule."""
        return self._typed(path, tuple, "a list")

    def records(self, *path: str) -> tuple[Mapping[str, Any], ...]:
        """Return the rule at `path` as a tuple of objects, each with an `id` of its own."""
        rows = self.sequence(*path)
        ids = [row.get("id") if isinstance(row, Mapping) else None for row in rows]
        if not all(isinstance(key, str) for key in ids) or len(set(ids)) != len(ids):
            raise self._wrong(path, "a list of objects, each with an id of its own")
        return tuple(rows)

    def text(self, *path: str) -> str:
        return self._typed(path, str, "text")

    def integer(self, *path: str) -> int:
        """Return a whole number of at least 0."""
        value = self._typed(path, int, "a whole number")
        if isinstance(value, bool) or value < 0:
            raise self._wrong(path, "a whole number of at least 0")
        return value

    def integer_or_none(self, *path: str) -> int | None:
        """Return a whole number of at least 0, or None where the pack says null."""
        return None if self._at(path) is None else self.integer(*path)

    def boolean(self, *path: str) -> bool:
        return self._typed(path, bool, "true or false")

    def _typed(self, path: tuple[str, ...], kind: type[T], words: str) -> T:
        value = self._at(path)
        if not isinstance(value, kind):
            raise self._wrong(path, words)
        return value

    def _at(self, path: tuple[str, ...]) -> Any:
        value: Any = self.rules
        for depth, key in enumerate(path):
            if not isinstance(value, Mapping) or key not in value:
                raise BadInput(
                    f"policy pack {self.ref} has no rule {'.'.join(path[: depth + 1])}",
                    next_step="use a pack that states it",
                )
            value = value[key]
        return value

    def _wrong(self, path: tuple[str, ...], words: str) -> BadInput:
        return BadInput(f"policy pack {self.ref}: rule {'.'.join(path)} should be {words}")


def pack_digest(data: bytes) -> str:
    """Return the digest of a pack file: what `PINNED` holds and what decisions keep."""
    return digest(canonical(_document(data)))


def read_pack(data: bytes) -> PolicyPack:
    """Read a pack's own form without asking who signed it. Raises BadInput naming the field."""
    document = _document(data)
    for key, form in (
        ("name", r"[a-z0-9][a-z0-9-]{1,60}"),
        ("version", r"[0-9a-z][0-9a-z.-]{0,20}"),
    ):
        if not isinstance(document.get(key), str) or not re.fullmatch(form, document[key]):
            raise BadInput(f"policy pack: {key} should have the form {form}")
    if not isinstance(document.get("rules"), dict):
        raise BadInput("policy pack: rules should be an object")
    title = document.get("title", "")
    if not isinstance(title, str):
        raise BadInput("policy pack: title should be text")
    return PolicyPack(
        document["name"],
        document["version"],
        digest(canonical(document)),
        _frozen(document["rules"]),
        title,
    )


def _document(data: bytes) -> dict[str, Any]:
    document = read_json(data, source="policy pack", bounds=BOUNDS)
    if not isinstance(document, dict):
        raise BadInput("policy pack: object expected")
    return document


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value


def plain(value: Any) -> Any:
    """Return rules as plain objects and lists, to be written out."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


@cache
def packaged(ref: str) -> PolicyPack:
    """Return a pack that comes with the package. Raises BadInput when there is none of `ref`."""
    if ref not in PINNED:
        raise BadInput(
            f"policy pack {ref!r} is not in the package", next_step=f"packs: {', '.join(PINNED)}"
        )
    file, pinned = PINNED[ref]
    pack = read_pack(resources.files("vedette.kernel").joinpath("data", file).read_bytes())
    if pack.digest != pinned or pack.ref != ref:
        raise OurFault(
            f"policy pack {ref} in the package has digest {pack.digest}, pinned is {pinned}",
            next_step="install the package again",
        )
    return pack


def default_pack() -> PolicyPack:
    """Return the pack that a new instance starts with."""
    return packaged(DEFAULT)


def sign_pack(data: bytes, keys: PrivateKeys) -> bytes:
    """Return a signed envelope around a pack file that reads well."""
    read_pack(data)
    return json.dumps(dsse.sign(data, PAYLOAD_TYPE, keys), indent=1).encode("ascii")


def load_pack(envelope: bytes, trusted: Iterable[PublicKeys]) -> PolicyPack:
    """Open a signed pack.

    Raises BadInput when the envelope or the pack is malformed, Refused when no trusted key signed.
    """
    opened = dsse.open_envelope(
        envelope, PAYLOAD_TYPE, source="policy pack envelope", bounds=BOUNDS
    )
    if not opened.verify_any(trusted):
        raise Refused(
            "policy pack envelope: no trusted key signed it",
            kept="the pack in force as it was",
            next_step="have it signed by a key this instance trusts",
        )
    return read_pack(opened.payload)
