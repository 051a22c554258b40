"""A suite of the office's own is certified, taken in, and run like a shipped one."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.services.sealed_suites import Certified, two_holders, unseal

from vedette.bench.suites import load_suite, shipped_suites
from vedette.kernel.errors import BadInput, Forbidden, Refused
from vedette.kernel.markings import LEVELS, Marking
from vedette.kernel.permissions import Profile
from vedette.services import assessments, run_crashes, runs
from vedette.services.acting import reading
from vedette.services.suites import certificates_of, row_of, suite_of, suites, take_suite
from vedette.services.testing import Fixture, instance
from vedette.store.models import LedgerEntry, TakenSuite
from vedette.store.tenancy import SYSTEM, scoped


def rows() -> int:
    with scoped(SYSTEM):
        return TakenSuite.objects.count()


def test_it_is_run_and_assessed_like_a_shipped_one(office: Fixture, certified: Certified) -> None:
    suite, made = certified
    evaluator, holders = office.person("evaluator"), two_holders(office)
    row = take_suite(evaluator, suite, made, seed=0)
    assert take_suite(evaluator, suite, made, seed=0).id == row.id
    assert rows() == 1
    with scoped(SYSTEM):
        events = LedgerEntry.objects.filter(object_id=row.id).values_list("event", flat=True)
        assert list(events) == ["bench:suite:taken"]
    unseal(row, holders)
    held: Any = certificates_of(row_of(suite.name, suite.digest))
    assert held["suite"]["digest"] == suite.digest
    assert [item["holds"] for item in held["items"]] == [True]
    assert [each.name for each in suites()] == [*shipped_suites(), suite.name]
    run = runs.start_run(evaluator, suite.name, references=["null", "oracle"])
    assert run.suite_digest == suite.digest
    runs.carry_out(run.id)
    scores = assessments.make_assessment(evaluator, run.id).document["subjects"]
    assert {s["name"]: s["score"]["solved"] for s in scores} == {"null": 0, "oracle": 1}
    with pytest.raises(Refused, match="items are not public"):
        run_crashes.report_crashes(evaluator, run.id)


def test_a_later_version_is_offered_and_a_run_keeps_to_its_own(
    office: Fixture, certified: Certified, tmp_path: Path
) -> None:
    suite, made = certified
    evaluator, holders = office.person("evaluator"), two_holders(office)
    unseal(take_suite(evaluator, suite, made, seed=0), holders)
    run = runs.start_run(evaluator, suite.name, references=["null"])
    shutil.copytree(suite.root, tmp_path / "later")
    manifest = tmp_path / "later" / "suite.toml"
    manifest.write_text(manifest.read_text().replace('version = "', 'version = "9.', 1))
    later = load_suite(tmp_path / "later")
    office.clock.time += timedelta(minutes=1)
    take_suite(evaluator, later, made, seed=0)
    assert {each.name: each.digest for each in suites()}[suite.name] == later.digest
    assert suite_of(run.suite, run.suite_digest).version == suite.version
    runs.carry_out(run.id)
    with reading(evaluator):
        done = runs.result_of(runs.find_run(run.id))
    assert done.commitment.suite["digest"] == suite.digest


def test_what_does_not_fit_is_kept_out_whole(office: Fixture, certified: Certified) -> None:
    suite, made = certified
    evaluator = office.person("evaluator")
    with pytest.raises(Refused, match="two keyholders, and there are 0"):
        take_suite(evaluator, suite, made, seed=0)
    two_holders(office)
    failed = [dataclasses.replace(each, problems=("it fails",)) for each in made]
    for certificates in (failed, []):
        with pytest.raises(Refused, match="1 of 1 items do not certify"):
            take_suite(evaluator, suite, certificates, seed=0)
    with pytest.raises(BadInput, match="shipped suite has that name"):
        take_suite(evaluator, dataclasses.replace(suite, name="daemons"), made, seed=0)
    with pytest.raises(BadInput, match="changed while"):
        take_suite(evaluator, dataclasses.replace(suite, digest="sha256:" + "0" * 64), made, seed=0)
    above = dataclasses.replace(suite, marking=Marking.parse(f"{LEVELS[-1]}//TLP:RED"))
    with pytest.raises(Refused, match="above this instance's ceiling"):
        take_suite(evaluator, above, made, seed=0)
    with pytest.raises(Forbidden):
        take_suite(office.person("auditor"), suite, made, seed=0)
    assert rows() == 0
    assert [each.name for each in suites()] == [*shipped_suites()]


@pytest.mark.parametrize("profile", [Profile.LAB, Profile.CLEARINGHOUSE, Profile.OPERATOR])
def test_only_an_office_takes_suites(
    db: None, tmp_path: Path, profile: Profile, certified: Certified
) -> None:
    suite, made = certified
    with instance(profile, tmp_path) as there, pytest.raises(Refused, match="by an office"):
        take_suite(there.person("administrator"), suite, made, seed=0)
