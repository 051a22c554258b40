"""The shipped suite holds what it promises; a suite that does not is refused before it runs."""

import dataclasses
import difflib
from random import Random

import pytest

from vedette.kernel.errors import Refused
from vedette.runner.certify import certify, check_suite
from vedette.runner.mutations import mutations
from vedette.runner.scaffold import generated_suite


def test_the_shipped_suite_holds(daemons, builds):
    for certificate in certify(daemons, cache_dir=builds, resist=10, chance=32):
        assert certificate.problems == ()
        assert certificate.resisted == 10
        assert certificate.to_json()["holds"]


@pytest.mark.long
def test_the_fixed_builds_resist_many_inputs(daemons, builds):
    assert all(c.holds for c in certify(daemons, cache_dir=builds, resist=500, seed=1))


def test_generated_items_hold(tmp_path, builds):
    suite = generated_suite(tmp_path / "suite", 11)
    some = dataclasses.replace(suite, items=tuple(map(suite.item, ("block-4", "shelf-2"))))
    assert [c.problems for c in certify(some, cache_dir=builds, resist=5, chance=32)] == [(), ()]


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2**40])
def test_every_generated_item_of_a_seed_holds(tmp_path, builds, seed):
    suite = generated_suite(tmp_path / "suite", seed)
    found = certify(suite, cache_dir=builds, resist=100, seed=seed)
    assert [(c.item, c.problems) for c in found if not c.holds] == []


def test_fixes_are_small(daemons):
    for item in daemons.items:
        before, after = (
            path.read_text().splitlines() for path in (item.vulnerable[0], item.fixed[0])
        )
        changed = [
            line
            for line in difflib.unified_diff(before, after, lineterm="", n=0)
            if line[:1] in "+-" and line[:3] not in ("+++", "---")
        ]
        assert 0 < len(changed) <= 4, item.id


def altered(suite, **changes):
    return dataclasses.replace(
        suite, items=(suite.items[0], dataclasses.replace(suite.items[1], **changes))
    )


def test_a_vulnerable_build_that_does_not_crash_is_refused(daemons, builds):
    broken = altered(daemons, vulnerable=daemons.items[1].fixed)
    with pytest.raises(Refused, match="item telemetry: reference input: no crash"):
        check_suite(broken, builds)


def test_a_fixed_build_that_crashes_is_refused(daemons, builds):
    broken = altered(daemons, fixed=daemons.items[1].vulnerable)
    with pytest.raises(Refused, match=r"item telemetry.*fixed build crashes"):
        check_suite(broken, builds)


def test_a_manifest_that_names_another_crash_is_refused(daemons, builds):
    with pytest.raises(Refused, match="top_frame is 'take_feeder'"):
        check_suite(altered(daemons, top_frame="elsewhere"), builds)


def test_harmful_samples_and_wrong_outputs_are_found(daemons, builds):
    item = daemons.items[1]
    harmful = altered(daemons, sample_inputs=(item.reference_input,))
    (_, certificate) = certify(harmful, cache_dir=builds, resist=0, chance=1)
    assert any("does harm to the vulnerable build" in said for said in certificate.problems)
    test = dataclasses.replace(item.functional[0], output=item.functional[1].output)
    (_, certificate) = certify(
        altered(daemons, functional=(test,)), cache_dir=builds, resist=0, chance=1
    )
    assert len(certificate.problems) == 2


def test_mutations_repeat_with_their_seed():
    one, other = (mutations([b"hello", b""], Random(5)) for _ in range(2))
    assert [next(one) for _ in range(200)] == [next(other) for _ in range(200)]
