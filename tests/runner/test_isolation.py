"""What isolation there is, is looked at; a machine that lacks it runs nothing of a marked suite."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.bench.isolation import Level
from vedette.bench.suites import Suite
from vedette.kernel.errors import Refused
from vedette.kernel.markings import CLEAR, RED, Marking
from vedette.runner import cgroups
from vedette.runner.harness import Ref
from vedette.runner.isolation import isolation, measured
from vedette.runner.runs import SubjectSpec, run_suite
from vedette.runner.sandbox import require_bubblewrap
from vedette.runner.subjects.job import Job
from vedette.runner.subjects.reference import run_reference

BWRAP = shutil.which("bwrap")
pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(BWRAP is None, reason="bubblewrap is not installed"),
]
OLD = """
for a in "$@"; do
  [ "$a" = --disable-userns ] && echo "bwrap: Unknown option $a" >&2 && exit 1
done
"""
SHARING = """
n=$#
for a in "$@"; do set -- "$@" "$a"; [ "$a" = --unshare-all ] && set -- "$@" --share-net; done
shift "$n"
"""


@pytest.fixture
def afresh() -> Iterator[None]:
    for forget in (measured, require_bubblewrap):
        forget.cache_clear()
    yield
    for forget in (measured, require_bubblewrap):
        forget.cache_clear()


def bwrap_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a bubblewrap on PATH that does something else first."""
    path = folder / "bwrap"
    path.write_text(f'#!/bin/sh\n{does}\nexec {BWRAP} "$@"\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def run(suite: Suite, marking: Marking, folder: Path) -> object:
    marked = dataclasses.replace(suite, marking=marking)
    null = SubjectSpec("null", "reference")
    return run_suite(marked, [null], out_dir=folder / "out", cache_dir=folder / "cache")


def test_this_machine_is_looked_at_from_inside() -> None:
    found = measured()
    assert found.level >= Level.NAMESPACES
    assert found.lacking == ()
    assert isolation().startswith("bubblewrap ")
    assert "net" in isolation()
    assert "cgroup" in isolation() or "no memory and process limits" in isolation()


def test_a_bubblewrap_that_lacks_an_option_runs_nothing(
    afresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, daemons: Suite
) -> None:
    bwrap_that(OLD, tmp_path, monkeypatch)
    assert measured().level is Level.NONE
    with pytest.raises(Refused, match="Unknown option --disable-userns"):
        run(daemons, CLEAR, tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_bubblewrap_that_quietly_shares_the_network_is_found_out(
    afresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, daemons: Suite
) -> None:
    bwrap_that(SHARING, tmp_path, monkeypatch)
    assert measured().lacking == ("own net namespace",)
    with pytest.raises(
        Refused, match=r"suite marked TLP:CLEAR asks for namespaces \(missing: own net"
    ):
        run(daemons, CLEAR, tmp_path)
    job = Job("null", Ref("", ""), "regmap", 0, 0, {}, least="namespaces")
    with pytest.raises(Refused, match="asks for namespaces"):
        run_reference(job)


def test_without_cgroups_a_red_suite_does_not_run(
    afresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, daemons: Suite
) -> None:
    bare = cgroups.Cgroups(0, {}, "neither cgroup v1 nor v2 is writable")
    monkeypatch.setattr(cgroups, "detect", lambda: bare)
    assert measured().level is Level.NAMESPACES
    with pytest.raises(Refused, match=r"TLP:RED asks for limits .*neither cgroup v1 nor v2"):
        run(daemons, RED, tmp_path)
    assert not (tmp_path / "out").exists()
