"""A folder of feeds becomes notices: advisories, KEV rows, EPSS lines; again changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.services.advisories import CVE, osv
from tests.services.operators import OLD, hosted, take
from tests.services.running import run_jobs

from vedette.cli import feeds as command
from vedette.formats.feeds.folder import FeedFolder
from vedette.formats.feeds.syncing import sync
from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.permissions import Profile
from vedette.services import feed_files, feeds, index, jobs, notices
from vedette.services.here import use
from vedette.services.testing import START, Fixture
from vedette.site import checking
from vedette.store.models import Schedule, SourceAdvisory
from vedette.store.tenancy import SYSTEM, scoped

KEV = {
    "catalogVersion": "1",
    "dateReleased": "2026-11-01",
    "vulnerabilities": [{"cveID": CVE}, {"cveID": "CVE-2020-1234"}],
}
EPSS = f"#model_version:v1,score_date:2026-11-01T00:00:00Z\ncve,epss,percentile\n{CVE},0.9,0.99\n"


def write(folder: Path, **files: Any) -> None:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        ending = "csv" if "epss" in name else "json"
        (folder / f"{name}.{ending}").write_text(text)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    write(
        made, ujson=osv("PYSEC-1", "5.2.0", aliases=(CVE,)), other=osv("PYSEC-2", "2", package="b")
    )
    write(made, kev=KEV, epss=EPSS)
    return made


@pytest.fixture
def folder(source: Path, tmp_path: Path) -> Path:
    made = tmp_path / "feeds"
    sync(FeedFolder(made), str(source))
    return made


def counts(taken: feeds.Taken) -> tuple[int, int, int, int]:
    return taken.accepted, taken.updated, taken.already_known, taken.broken


def test_notices_rows_and_scores_come_from_it(
    clearinghouse: Fixture, folder: Path, source: Path
) -> None:
    actor = hosted(clearinghouse)
    take(actor, OLD)
    taken = feeds.take_feeds(clearinghouse.person("coordinator"), folder)
    assert (counts(taken), taken.kev, taken.epss) == ((2, 0, 0, 0), 2, 1)
    run_jobs()
    [notice] = notices.notices(actor)
    here = feed_files.kept(clearinghouse.person("coordinator"))
    said = [(each["source"], each["records"]) for each in here]
    assert said == [(str(source), 2), ("EPSS", 1), ("KEV", 2)]
    assert (notice["advisory"], notice["row"][0]) == ("PYSEC-1", "y")
    assert notices.notice_view(actor, notice["id"])["epss"] == 0.9
    assert index.latest()


def test_only_what_changed_is_taken(clearinghouse: Fixture, folder: Path, source: Path) -> None:
    coordinator = clearinghouse.person("coordinator")
    first = feeds.take_feeds(coordinator, folder)
    again = feeds.take_feeds(coordinator, folder)
    assert (counts(again), again.kev, again.epss) == ((0, 0, 2, 0), None, None)
    assert again.index == first.index
    with scoped(SYSTEM):
        later = START + timedelta(hours=1)
        SourceAdvisory.objects.filter(key="PYSEC-2").update(problem="x", taken_at=later)
    assert feeds.take_feeds(coordinator, folder).advisories == 1, "as after a run that was killed"
    with scoped(SYSTEM):
        SourceAdvisory.objects.filter(key="PYSEC-2").update(problem="")
    write(source, other=osv("PYSEC-2", "3", package="b"), third=osv("PYSEC-3", "1", package="c"))
    write(source, kev={**KEV, "dateReleased": "2026-11-02", "vulnerabilities": []})
    sync(FeedFolder(folder), str(source))
    later = feeds.take_feeds(coordinator, folder)
    assert counts(later)[:3] == (1, 1, 1)
    assert (later.advisories, later.index != first.index) == (3, True)
    assert (later.broken, "KEV: " in later.problems[0]) == (1, True), "an empty catalogue is none"


def test_a_broken_record_stops_nothing_and_is_listed_until_it_is_mended(
    clearinghouse: Fixture, folder: Path
) -> None:
    coordinator = clearinghouse.person("coordinator")
    plain = folder / "by-hand"
    plain.mkdir()
    write(plain, good=osv("X-1", "2"), bad='{"id": "X-2", "affected": 5')
    for _ in range(2):
        taken = feeds.take_feeds(coordinator, folder)
        assert taken.broken == 1
        assert "bad.json" in taken.problems[0]
    write(plain, bad=osv("X-2", "2"))
    mended = feeds.take_feeds(coordinator, folder)
    assert (counts(mended), mended.problems) == ((1, 0, 3, 0), [])
    with scoped(SYSTEM):
        assert not SourceAdvisory.objects.exclude(problem="").exists()


def test_one_record_in_two_files_is_taken_once(clearinghouse: Fixture, tmp_path: Path) -> None:
    coordinator = clearinghouse.person("coordinator")
    write(tmp_path, a=osv("X-1", "2"), b=osv("X-1", "3"))
    first = feeds.take_feeds(coordinator, tmp_path)
    assert (counts(first)[0], first.advisories) == (1, 1)
    again = feeds.take_feeds(coordinator, tmp_path)
    assert (counts(again)[:2], again.index) == ((0, 0), first.index)


def test_an_operators_own_index_is_shown_to_nobody(operator: Fixture, folder: Path) -> None:
    actor = operator.person("operator")
    taken = feeds.take_feeds(actor, folder)
    assert taken.advisories == 2
    take(actor, OLD)
    [notice] = notices.notices(actor)
    assert (notice["row"][0], notices.notice_view(actor, notice["id"])["epss"]) == ("y", 0.9)
    with pytest.raises(NotFound):
        index.latest()


def test_who_may(clearinghouse: Fixture, folder: Path) -> None:
    with pytest.raises(Forbidden):
        feeds.take_feeds(clearinghouse.person("reader"), folder)
    with pytest.raises(NotFound):
        feeds.take_feeds(hosted(clearinghouse), folder)
    with pytest.raises(BadInput, match="no folder"):
        feeds.take_feeds(clearinghouse.person("coordinator"), folder / "nowhere")


def test_a_lab_has_no_index(lab: Fixture, folder: Path) -> None:
    with pytest.raises(NotFound):
        feeds.take_feeds(lab.person("administrator"), folder)


def test_with_the_setting_it_runs_every_night(
    clearinghouse: Fixture, folder: Path, source: Path
) -> None:
    feeds.every_night()
    with scoped(SYSTEM):
        assert not Schedule.objects.filter(name=feeds.DAILY).exists(), "off without the setting"
    with use(replace(clearinghouse.here, feeds=folder)):
        feeds.every_night()
        feeds.every_night()
        write(source, third=osv("PYSEC-3", "1", package="c"))
        clearinghouse.clock.time = START + timedelta(days=1)
        jobs.tick()
        run_jobs()
        with scoped(SYSTEM):
            assert SourceAdvisory.objects.filter(key="PYSEC-3").exists(), "synced, then taken"
            due = Schedule.objects.get(name=feeds.DAILY)
        assert (due.done_at, due.due_at.hour) == (None, 2)
        assert due.due_at > clearinghouse.clock.time


def test_the_command_says_what_it_took(
    clearinghouse: Fixture, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "boot", lambda *_, **__: folder)
    answer = CliRunner().invoke(command.feeds, ["take", str(folder)])
    assert answer.exit_code == 0, answer.output
    for part in ("2 new, 0 newer, 0 unchanged", "KEV: 2 listed", "EPSS: 1 scores", "2 advisories"):
        assert part in answer.output
    answer = CliRunner().invoke(command.feeds, ["take", str(folder), "--json"])
    told = json.loads(answer.output)
    assert (told["already_known"], told["kev"], told["problems"]) == (2, None, [])


def test_check_says_what_can_not_be_done_by_itself(
    lab: Fixture, folder: Path, tmp_path: Path
) -> None:
    def levels(**changes: Any) -> list[str]:
        with use(replace(lab.here, **changes)):
            return [result.level for result in checking.by_itself()]

    assert levels() == []
    assert levels(feeds=folder, ask_daily=True) == ["wrong", "wrong"]
    home = {"profile": Profile.OPERATOR}
    assert levels(feeds=folder, ask_daily=True, **home) == ["ok", "ok"]
    assert levels(feeds=tmp_path / "nowhere", **home) == ["wrong"]
