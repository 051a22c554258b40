"""`vedette priority`: the contract's JSON and text."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from vedette.cli import main


def run(facts: str, *more: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    kev, exposed, automatable, impact = facts.split("/")
    args = ["priority", "--kev", kev, "--exposed", exposed, "--automatable", automatable]
    with pytest.raises(SystemExit) as stop:
        main([*args, "--impact", impact, *more])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_json_is_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("y/n/y/total", "--from", "2026-12-30", "--json", capsys=capsys)
    assert code == 0
    assert json.loads(out) == {
        "row": "y/n/y/total",
        "deadline_days": 3,
        "next_upgrade": False,
        "forensics": True,
        "deadline": "2027-01-02",
        "pack": "us-eo-14409@1",
    }


def test_next_upgrade_has_no_deadline(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("n/n/n/total", "--json", capsys=capsys)
    found = json.loads(out)
    assert (found["deadline_days"], found["deadline"], found["next_upgrade"]) == (None, None, True)


def test_counts_from_today_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now(UTC).date()
    _, out, _ = run("n/n/y/partial", "--json", capsys=capsys)
    days = date.fromisoformat(json.loads(out)["deadline"]) - timedelta(days=60)
    assert before <= days <= datetime.now(UTC).date()


def test_a_time_counts_from_its_utc_day(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("n/y/y/total", "--from", "2026-12-01T23:00-05:00", "--json", capsys=capsys)
    assert json.loads(out)["deadline"] == "2026-12-05"


def test_text_names_deadline_row_and_pack(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("y/y/y/total", "--from", "2026-12-01", capsys=capsys)
    assert "by 2026-12-04 (3 days), and look for traces" in out
    assert "row y/y/y/total of us-eo-14409@1" in out
    _, out, _ = run("n/n/n/partial", capsys=capsys)
    assert "next upgrade" in out


@pytest.mark.parametrize(
    ("facts", "more"),
    [("x/n/n/total", []), ("y/n/n/huge", []), ("y/y/y/total", ["--from", "9999-12-31"])],
)
def test_bad_input_is_one_line_and_exit_2(
    facts: str, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(facts, *more, capsys=capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
