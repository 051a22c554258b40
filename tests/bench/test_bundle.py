"""Item bundles: two persons' keys open them, for one lab, and only whole true results come back."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bench.runs import sample

from vedette.bench.bundle import (
    Manifest,
    make_bundle,
    open_bundle,
    read_manifest,
    release,
    seal_results,
    take_results,
)
from vedette.bench.commitment import Commitment
from vedette.bench.results import RunResult
from vedette.bench.suites import Suite, find_suite
from vedette.kernel.canonical import canonical
from vedette.kernel.dsse import sign
from vedette.kernel.errors import BadInput, Refused, VedetteError
from vedette.kernel.keys import PrivateKeys

pytestmark = pytest.mark.any_database

OFFICE, LAB, ADA, BO, OTHER = (PrivateKeys.generate() for _ in range(5))
SUITE = find_suite("daemons")
PLAN = Commitment(
    suite={"name": SUITE.name, "digest": SUITE.digest},
    subjects=({"name": "m", "kind": "endpoint", "role": "assessed", "model": "m"},),
    budgets={item.id: dict(item.budget) for item in SUITE.items},
    seed=1,
    trials=1,
    isolation={},
    committed_at="2026-12-01T09:00:00Z",
    run="run-x",
    custody="items-there",
    nonce="ab" * 32,
)
SAMPLES = tuple(replace(sample("m", "queue", 0), item=item) for item in PLAN.budgets)
RESULT = RunResult(PLAN, SAMPLES, (), "2026-12-01T10:00:00Z")


def made(suite: Suite = SUITE, plan: Commitment = PLAN) -> tuple[Manifest, bytes]:
    holders = (ADA.public, BO.public)
    return make_bundle(suite, plan, office=OFFICE, lab=LAB.public, holders=holders)


MANIFEST, BUNDLE = made()


def released(holder: PrivateKeys, manifest: Manifest = MANIFEST) -> bytes:
    return canonical(release(manifest, holder))


def opened(target: Path, *releases: bytes, lab: PrivateKeys = LAB, data: bytes = BUNDLE) -> Any:
    return open_bundle(data, releases, lab, target, source="b")


def test_both_keys_open_it_for_the_lab_and_nothing_of_an_item_shows_before(tmp_path: Path) -> None:
    found = opened(tmp_path / "s", released(BO), released(ADA))
    assert (found.suite.digest, found.commitment) == (SUITE.digest, PLAN)
    assert read_manifest(BUNDLE, source="b") == MANIFEST
    shown = BUNDLE + released(ADA) + released(BO)
    for item in SUITE.items:
        assert item.id.encode() not in shown
        assert item.reference_input.read_bytes()[:40] not in shown
    assert SUITE.canary.encode() not in shown
    assert found.copy.encode() not in shown


def test_one_key_alone_opens_nothing_and_neither_do_others(tmp_path: Path) -> None:
    for held, layer in ((ADA, "inner"), (BO, "outer")):
        with pytest.raises(Refused, match=f"its {layer} key is not released"):
            opened(tmp_path / "s", released(held), released(held))
    with pytest.raises(BadInput, match="does not open"):
        opened(tmp_path / "s", released(ADA), released(BO), lab=OTHER)
    with pytest.raises(BadInput, match="hold none of its two"):
        release(MANIFEST, OTHER)
    manifest, data = made()
    with pytest.raises(BadInput, match="is for bundle-"):
        opened(tmp_path / "s", released(ADA), released(BO), data=data)
    swapped = replace(MANIFEST, id=manifest.id)
    with pytest.raises(BadInput, match="does not open it"):
        opened(tmp_path / "s", released(ADA, swapped), released(BO, manifest), data=data)
    assert not (tmp_path / "s").exists()


def test_it_is_made_of_what_was_committed_to_and_for_two_persons() -> None:
    with pytest.raises(Refused, match="another than was committed to"):
        made(plan=replace(PLAN, suite={"name": "daemons", "digest": "sha256:" + "0" * 64}))
    with pytest.raises(Refused, match="one person"):
        make_bundle(SUITE, PLAN, office=OFFICE, lab=LAB.public, holders=(ADA.public, ADA.public))


@settings(max_examples=40)
@given(at=st.integers(0, len(BUNDLE) - 1), bit=st.integers(0, 7))
def test_a_changed_bundle_opens_to_nothing_else(
    at: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    changed = bytearray(BUNDLE)
    changed[at] ^= 1 << bit
    target = tmp_path_factory.mktemp("changed") / "suite"
    try:
        found = opened(target, released(ADA), released(BO), data=bytes(changed))
    except VedetteError:
        assert not target.exists()
    else:  # a hint that no signature covers, such as the name of the key
        assert (found.suite.digest, found.commitment) == (SUITE.digest, PLAN)
        assert changed.partition(b"\n")[2] == BUNDLE.partition(b"\n")[2]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    content = opened(tmp_path_factory.mktemp("s") / "suite", released(ADA), released(BO))
    return {"content": content, "results": seal_results(MANIFEST, content, RESULT, LAB)}


def test_results_come_back_to_the_office_alone(sent: dict[str, Any]) -> None:
    data = canonical(sent["results"])
    assert take_results(data, MANIFEST, OFFICE) == RESULT
    for item in SUITE.items:
        assert item.id.encode() not in data
    with pytest.raises(Refused, match="another office"):
        take_results(data, MANIFEST, OTHER)


def test_results_that_are_not_those_given_out_are_not_taken(sent: dict[str, Any]) -> None:
    content = sent["content"]

    def back(result: RunResult = RESULT, lab: PrivateKeys = LAB, **changes: Any) -> bytes:
        return canonical(seal_results(MANIFEST, replace(content, **changes), result, lab))

    other, _ = made()
    more = json.loads(base64.b64decode(sent["results"]["payload"]))
    cases = {
        "not signed by the key": back(lab=OTHER),
        "of another commitment": back(replace(RESULT, commitment=replace(PLAN, seed=2))),
        "not made from this copy": back(copy="0" * 64),
        "samples missing: 1 of 4": back(replace(RESULT, samples=RESULT.samples[1:])),
        "trial re-run": back(replace(RESULT, samples=(*RESULT.samples, RESULT.samples[0]))),
        "says more or other": canonical(
            sign(canonical({**more, "note": "x"}), "application/vnd.vedette.item-results+json", LAB)
        ),
    }
    for words, data in cases.items():
        with pytest.raises(Refused, match=words):
            take_results(data, MANIFEST, OFFICE)
    with pytest.raises(Refused, match="not of bundle-"):
        take_results(back(), other, OFFICE)
    hidden = {**more, "samples": SUITE.canary}
    data = canonical(sign(canonical(hidden), "application/vnd.vedette.item-results+json", LAB))
    with pytest.raises(Refused, match="says more or other"):
        take_results(data, MANIFEST, OFFICE)
