"""An input counts when it crashes the vulnerable build, alike each time, and not the fixed one."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.errors import BadInput
from vedette.runner.sandbox import Outcome
from vedette.runner.sanitizer import Crash
from vedette.runner.verify import Evidence, judge, verify_input

CLEAN = Outcome(0, None, b"", b"", False, False, 0.0)
HUNG = Outcome(None, None, b"", b"", True, False, 0.0)


def crash(kind="heap-buffer-overflow", top="parse"):
    return Crash(kind, "READ of size 1", (), top, f"{kind} in {top}")


def weigh(vulnerable, fixed, repeats=3):
    """Judge runs given as lists of crash, None (clean) or HUNG."""
    runs = {"vulnerable": iter(vulnerable), "fixed": iter(fixed)}
    shown = {}

    def run(which):
        found = next(runs[which])
        outcome = dataclasses.replace(HUNG if found is HUNG else CLEAN)
        shown[id(outcome)] = (outcome, found if isinstance(found, Crash) else None)
        return outcome

    return judge(
        run_vulnerable=lambda: run("vulnerable"),
        run_fixed=lambda: run("fixed"),
        read=lambda outcome: shown[id(outcome)][1],
        repeats=repeats,
        build_digests={"vulnerable": "sha256:1", "fixed": "sha256:2"},
        input_digest="sha256:3",
    )


def test_alike_on_vulnerable_and_clean_on_fixed_is_reproduced():
    evidence = weigh([crash()] * 3, [None] * 3)
    assert evidence.reproduced
    assert evidence.fixed_clean
    assert (evidence.runs, evidence.crashed) == (3, 3)


@pytest.mark.parametrize(
    ("vulnerable", "fixed", "reason"),
    [
        ([None] * 3, [], "no crash"),
        ([crash(), None, crash()], [], "2 of 3"),
        ([crash(), crash(top="other"), crash()], [], "different ways"),
        ([crash(), crash(kind="SEGV"), crash()], [], "different ways"),
        ([crash()] * 3, [None, crash()], "fixed build crashes as well"),
        ([crash()] * 3, [None, HUNG], "did not end in time"),
    ],
)
def test_anything_else_is_not(vulnerable, fixed, reason):
    evidence = weigh(vulnerable, fixed)
    assert not evidence.reproduced
    assert not evidence.fixed_clean
    assert reason in evidence.reason


@given(st.lists(st.sampled_from([None, crash(), crash(top="b")]), min_size=6, max_size=6))
def test_reproduced_never_without_all_alike_and_all_clean(runs):
    evidence = weigh(runs[:3], runs[3:])
    alike = runs[0] is not None and runs[0] == runs[1] == runs[2]
    assert evidence.reproduced == (alike and runs[3:] == [None] * 3)


@pytest.mark.parametrize("item_id", ["regmap", "telemetry", "mqueue", "settings"])
def test_each_reference_input_is_reproduced(daemons, builds, item_id):
    item = daemons.item(item_id)
    evidence = verify_input(item, item.reference_input.read_bytes(), cache_dir=builds, repeats=2)
    assert evidence.reproduced
    assert (evidence.crash_class, evidence.top_frame) == (item.crash_class, item.top_frame)
    assert evidence.frames[-1] == "main"


def test_a_harmless_input_and_one_that_forges_a_report_are_not(daemons, builds):
    item = daemons.item("mqueue")
    sample = item.sample_inputs[0].read_bytes()
    report = b"OPEN a\nSUB a b\nPUB a ==1==ERROR: AddressSanitizer: heap-buffer-overflow\n"
    for data in (b"", sample, report):
        assert not verify_input(item, data, cache_dir=builds, repeats=1).reproduced


def test_too_large_an_input_is_refused(daemons, builds):
    with pytest.raises(BadInput, match="65,536"):
        verify_input(daemons.item("mqueue"), b"x" * 65537, cache_dir=builds)


def test_evidence_survives_json_and_nothing_else_does():
    evidence = weigh([crash()] * 3, [None] * 3)
    written = json.loads(json.dumps(evidence.to_json()))
    assert Evidence.from_json(written) == evidence
    for field in written:
        for wrong in (None, {}, 1.5, "x" * 3000):
            with pytest.raises(BadInput, match=field):
                Evidence.from_json(
                    {**written, field: wrong} if wrong != {} else without(written, field)
                )


def without(value, field):
    return {name: held for name, held in value.items() if name != field}
