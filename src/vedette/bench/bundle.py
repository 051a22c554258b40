"""Items there: a suite as a bundle that opens with two persons' keys, and what comes back of it.

Rules:
- A bundle is one signed line that says what it is, then the items, encrypted twice with age: once
  for an inner key, and that once more for an outer one. Both keys are made for this bundle alone.
- Each key is sealed to one person of the office. Neither opens the items alone, and whoever made
  the bundle keeps neither.
- A release is one of the two keys, opened by its holder and sealed anew to the lab that the bundle
  is for; to anybody else it is of no use. The lab needs both.
- What is in a bundle is what was committed to: its suite has the committed digest, or it is
  refused.
- The results come back signed by the lab's key, sealed to the office. The office takes them only
  for the bundle, the commitment and the copy that it gave out, whole, and with nothing of an item
  in their open part.
- What this does not do: on its own machine a lab can read the items in memory while they are open,
  and can change the program that reports. So every item counts as exposed to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from vedette.bench.commitment import Commitment, faults, object_of, taken
from vedette.bench.results import RunResult
from vedette.bench.suites import MOST_BYTES, MOST_FILES, Suite, load_suite
from vedette.kernel.bounds import MIB, Bounds, from_text, read_json, to_text
from vedette.kernel.canonical import canonical, digest, new_salt
from vedette.kernel.dsse import open_envelope, sign
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.keys import PrivateKeys, PublicKeys

BUNDLE, RELEASE, RESULTS = (
    f"application/vnd.vedette.{name}+json"
    for name in ("item-bundle", "item-release", "item-results")
)
OUTER, INNER = LAYERS = ("outer", "inner")
HEADER = Bounds(size=MIB, depth=8, count=1_000)
CONTENT = Bounds(size=2 * MOST_BYTES, depth=16, count=2 * MOST_FILES + 100_000, any_text=True)
RETURNED = Bounds(size=1024 * MIB, depth=16, count=20_000_000, any_text=True)


@dataclass(frozen=True)
class Manifest:
    """The open part of a bundle. `sealed` maps each layer to its key, sealed to its holder."""

    id: str
    commitment_digest: str
    office: PublicKeys
    lab: PublicKeys
    sealed: Mapping[str, str]
    payload_digest: str
    copy_digest: str

    def to_json(self) -> dict[str, Any]:
        return {
            "bundle": self.id,
            "commitment_digest": self.commitment_digest,
            "office": _keys(self.office),
            "lab": _keys(self.lab),
            "sealed": dict(self.sealed),
            "payload_digest": self.payload_digest,
            "copy_digest": self.copy_digest,
        }

    @classmethod
    def from_json(cls, value: Any) -> Manifest:
        given = dict(object_of(value, "bundle"))
        sealed = object_of(given.get("sealed"), "bundle.sealed")
        texts = ("bundle", "commitment_digest", "payload_digest", "copy_digest")
        name, *digests = (taken(given, text, str) for text in texts)
        if set(sealed) != set(LAYERS) or not all(isinstance(v, str) for v in sealed.values()):
            raise BadInput("bundle.sealed: an outer and an inner key expected")
        office, lab = (
            PublicKeys.from_json(object_of(given.get(side), f"bundle.{side}"), f"bundle.{side}")
            for side in ("office", "lab")
        )
        return cls(name, digests[0], office, lab, sealed, digests[1], digests[2])


@dataclass(frozen=True)
class Opened:
    """A bundle's content: the suite as laid out, its commitment, and what tells this copy."""

    suite: Suite
    commitment: Commitment
    copy: str
    secret: bytes


def make_bundle(
    suite: Suite, plan: Commitment, *, office: PrivateKeys, lab: PublicKeys,
    holders: tuple[PublicKeys, PublicKeys],
) -> tuple[Manifest, bytes]:  # fmt: skip
    """Encrypt a suite for a lab, its keys for two persons: the outer for the first of them.

    Raises:
        Refused: the suite is another than was committed to, or both keys go to one person.
    """
    if suite.digest != plan.suite.get("digest"):
        raise Refused(f"suite {suite.name}: is another than was committed to", kept="nothing")
    if holders[0].age == holders[1].age:
        raise Refused(
            "both keys would go to one person", kept="nothing", next_step="name two persons' keys"
        )
    keys = {layer: pyrage.x25519.Identity.generate() for layer in LAYERS}
    copy = new_salt()
    inside = {"copy": copy, "part": list(suite.part), "files": _files(suite)}
    content: bytes = canonical({"commitment": plan.to_json(), **inside})
    for layer in (INNER, OUTER):
        content = pyrage.encrypt(content, [keys[layer].to_public()])
    manifest = Manifest(
        new_id("bundle"),
        plan.digest,
        office.public,
        lab,
        {
            layer: to_text(holder.seal(str(keys[layer]).encode()))
            for layer, holder in zip(LAYERS, holders, strict=True)
        },
        digest(content),
        digest(copy.encode()),
    )
    line = canonical(sign(canonical(manifest.to_json()), BUNDLE, office))
    return manifest, line + b"\n" + content


def read_manifest(data: bytes, *, source: str) -> Manifest:
    """Read and check a bundle's open part. Raises BadInput."""
    line = data[: HEADER.size].partition(b"\n")[0]
    opened = open_envelope(line, BUNDLE, source=source, bounds=HEADER)
    manifest = Manifest.from_json(read_json(opened.payload, source=source, bounds=HEADER))
    if not opened.verify(manifest.office):
        raise BadInput(f"{source}: the bundle is not signed by the office that it names")
    return manifest


def release(manifest: Manifest, holder: PrivateKeys) -> dict[str, Any]:
    """Give the lab the key that this person holds. Raises BadInput where they hold none."""
    for layer, sealed in manifest.sealed.items():
        try:
            key = holder.open(from_text(sealed, field=f"bundle.sealed.{layer}"))
        except BadInput:
            continue
        body = {
            "bundle": manifest.id,
            "layer": layer,
            "sealed": to_text(manifest.lab.seal(key)),
            "by": _keys(holder.public),
        }
        return sign(canonical(body), RELEASE, holder)
    raise BadInput(f"{manifest.id}: these keys hold none of its two")


@dataclass(frozen=True)
class Release:
    """One of a bundle's two keys as its holder released it: still sealed to the lab."""

    layer: str
    by: PublicKeys
    sealed: str


def open_bundle(
    data: bytes, releases: Sequence[bytes], lab: PrivateKeys, target: Path, *, source: str
) -> Opened:
    """Open a bundle into the folder `target` with both keys, and read its suite.

    Raises:
        Refused: a key is not released yet, or the content is not what was committed to.
        BadInput: the bundle or a release is malformed, or for somebody else.
    """
    manifest = read_manifest(data, source=source)
    keys = dict(_released(manifest, each, lab) for each in releases)
    for layer in LAYERS:
        if layer not in keys:
            raise Refused(
                f"{manifest.id}: its {layer} key is not released",
                kept="the items, encrypted",
                next_step="both of the office's two persons release theirs: vedette bench release",
            )
    content = data.partition(b"\n")[2]
    if digest(content) != manifest.payload_digest:
        raise BadInput(f"{source}: its content is not the one that was signed")
    for layer in LAYERS:
        try:
            identity = pyrage.x25519.Identity.from_str(keys[layer].decode("ascii"))
            content = pyrage.decrypt(content, [identity])
        except (ValueError, pyrage.DecryptError, pyrage.IdentityError):
            raise BadInput(f"{manifest.id}: the {layer} key does not open it") from None
    value = object_of(read_json(content, source=source, bounds=CONTENT), source)
    plan = Commitment.from_json(value.get("commitment"))
    _lay_out(object_of(value.get("files"), f"{source}.files"), target)
    part, named = taken(value, "part", list), str(plan.suite.get("digest"))
    suite, copy = load_suite(target, part=part, digest=named), str(value.get("copy", ""))
    if (plan.digest, suite.digest) != (manifest.commitment_digest, plan.suite.get("digest")):
        raise Refused(f"{manifest.id}: its items are not what was committed to", kept="nothing")
    return Opened(suite, plan, copy, keys[OUTER] + keys[INNER])


def read_release(manifest: Manifest, data: bytes) -> Release:
    """Read and check a released key of a bundle; nothing is opened. Raises BadInput."""
    try:
        opened = open_envelope(data, RELEASE, source="release", bounds=HEADER)
    except BadInput as error:
        raise BadInput(error.what, next_step="the file that vedette bench release wrote") from None
    value = object_of(read_json(opened.payload, source="release", bounds=HEADER), "release")
    by = PublicKeys.from_json(object_of(value.get("by"), "release.by"), "release.by")
    if not opened.verify(by):
        raise BadInput("release: not signed by the person that it names")
    if value.get("bundle") != manifest.id:
        raise BadInput(f"release: is for {str(value.get('bundle'))[:40]}, not {manifest.id}")
    layer = str(value.get("layer"))
    if layer not in LAYERS:
        raise BadInput(f"release: layer: {layer[:20]!r} is none of {', '.join(LAYERS)}")
    return Release(layer, by, str(value.get("sealed")))


def _released(manifest: Manifest, data: bytes, lab: PrivateKeys) -> tuple[str, bytes]:
    found = read_release(manifest, data)
    return found.layer, lab.open(from_text(found.sealed, field="release.sealed"))


def seal_results(
    manifest: Manifest, opened: Opened, result: RunResult, lab: PrivateKeys
) -> dict[str, Any]:
    """What the lab sends back: signed by it, and for the office alone to open."""
    content = canonical({"copy": opened.copy, "result": result.to_json()})
    body = {**_shown(manifest, result), "sealed": to_text(manifest.office.seal(content))}
    return sign(canonical(body), RESULTS, lab)


def _shown(manifest: Manifest, result: RunResult) -> dict[str, Any]:
    """The open part of results: digests and a count, no word of an item."""
    return {
        "bundle": manifest.id,
        "commitment_digest": result.commitment.digest,
        "result_digest": result.digest,
        "samples": len(result.samples),
    }


def take_results(data: bytes, manifest: Manifest, office: PrivateKeys) -> RunResult:
    """Open what came back for a bundle.

    Raises:
        Refused: signed by another key, for another bundle, copy or commitment, not whole, or with
            more than digests and a count in its open part.
        BadInput: malformed, or sealed for somebody else.
    """
    envelope = open_envelope(data, RESULTS, source="results", bounds=RETURNED)
    value = object_of(read_json(envelope.payload, source="results", bounds=RETURNED), "results")
    sealed = from_text(str(value.pop("sealed", "")), field="results.sealed")
    if manifest.office != office.public:
        raise _no("the bundle is another office's")
    if not envelope.verify(manifest.lab):
        raise _no("they are not signed by the key that the bundle was for")
    if value.get("bundle") != manifest.id:
        raise _no(f"they are of {str(value.get('bundle'))[:40]}, not of {manifest.id}")
    inner = object_of(
        read_json(office.open(sealed), source="results", bounds=RETURNED), "results.sealed"
    )
    result = RunResult.from_json(inner.get("result"))
    if result.commitment.digest != manifest.commitment_digest:
        raise _no("they are of another commitment")
    if digest(str(inner.get("copy", "")).encode()) != manifest.copy_digest:
        raise _no("they were not made from this copy of the items")
    if value != _shown(manifest, result):
        raise _no("their open part says more or other than what is in them")
    for words in faults(result):
        raise _no(words)
    return result


def _no(why: str) -> Refused:
    return Refused(f"these results are not taken: {why}", kept="the file as it is")


def _files(suite: Suite) -> dict[str, str]:
    paths = sorted(path for path in suite.root.rglob("*") if path.is_file())
    return {path.relative_to(suite.root).as_posix(): to_text(path.read_bytes()) for path in paths}


def _lay_out(files: Mapping[str, Any], target: Path) -> None:
    root = target.resolve()
    for name, text in files.items():
        path = root.joinpath(*Path(name).parts)
        if ".." in Path(name).parts or not path.resolve().is_relative_to(root):
            raise BadInput(f"bundle: {name[:80]!r} leaves its folder")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(from_text(str(text), field=name[:80]))


def _keys(keys: PublicKeys) -> dict[str, str]:
    return {"ed25519": keys.ed25519, "age": keys.age}
