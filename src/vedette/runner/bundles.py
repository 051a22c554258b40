"""A run on the lab's own machine, from an item bundle.

Rules:
- The items are laid out in memory only, in a folder that only this user reads, and so are their
  builds; both are removed when the run ends, however it ends short of a kill. What a kill leaves
  is removed when the next bundle is opened.
- Nothing else of them is written but samples, each sealed under a key that follows from the two
  released keys, so that a broken-off run goes on; and at the end the results, sealed to the office.
- The process leaves no core file.
"""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vedette.bench.bundle import Opened, open_bundle, read_manifest, seal_results
from vedette.bench.results import RunResult
from vedette.kernel.errors import BadInput
from vedette.kernel.ids import ALPHABET
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.sealing import Box, WindowKey
from vedette.runner.plans import SubjectSpec
from vedette.runner.private import private_folder, sweep
from vedette.runner.runs import Progress, run_suite


def run_bundle(
    bundle: Path,
    releases: Sequence[bytes],
    lab: PrivateKeys,
    *,
    out_dir: Path,
    addresses: Mapping[str, Any],
    progress: Callable[[Progress], None] | None = None,
    tell: Callable[[RunResult], None] | None = None,
) -> dict[str, Any]:
    """Run what a bundle commits to, and return the results, signed and sealed to the office.

    Args:
        out_dir: keeps the samples, sealed; a run broken off there goes on.
        tell: is shown the result before it is sealed.
        addresses: how a committed model is reached: SubjectSpec fields, `base_url` among them.

    Raises:
        BadInput, Refused: as `open_bundle` and `run_suite`; Refused without a place in memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = bundle.read_bytes()
    manifest = read_manifest(data, source=str(bundle))
    sweep()
    with private_folder() as folder:
        opened = open_bundle(data, releases, lab, folder / "suite", source=str(bundle))
        del data
        result = run_suite(
            opened.suite,
            [spec_of(entry, addresses) for entry in opened.commitment.subjects],
            out_dir=out_dir,
            plan=opened.commitment,
            box=Box(_sealing_key(opened), f"bundle/{manifest.id}"),
            cache_dir=folder / "builds",
            progress=progress,
        )
        if tell is not None:
            tell(result)
        return seal_results(manifest, opened, result, lab)


def spec_of(entry: Mapping[str, Any], addresses: Mapping[str, Any]) -> SubjectSpec:
    """A committed subject, reached as it is here. Raises BadInput."""
    name, kind, model = (str(entry.get(key)) for key in ("name", "kind", "model"))
    if kind == "reference":
        return SubjectSpec(name, "reference")
    if kind == "inspect":
        return SubjectSpec(name, "inspect", model=model)
    if kind != "endpoint":
        raise BadInput(f"subject {name[:60]!r}: a bundle runs models and reference subjects")
    if not addresses.get("base_url"):
        raise BadInput(f"subject {name[:60]!r}: where is it served?", next_step="--subject-url URL")
    return SubjectSpec(name, "endpoint", model=model, **addresses)


def _sealing_key(opened: Opened) -> WindowKey:
    raw = hashlib.sha256(b"vedette samples of a bundle 1\n" + opened.secret).digest()
    name = hashlib.sha256(raw).digest()
    return WindowKey("key-" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in name[:16]), raw)
