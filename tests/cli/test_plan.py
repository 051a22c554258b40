"""`vedette plan`: the contract's JSON, the calendar file, and one line for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vedette.cli import main

DATES = ["plan", "--partner-release", "2027-03-01"]


def run(args: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(args)
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_json_is_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run([*DATES, "--public-release", "2027-03-22T12:00+02:00", "--json"], capsys)
    plan = json.loads(out)
    assert code == 0
    assert plan["window"] == {"opens": "2027-01-30T00:00:00Z", "closes": "2027-03-01T00:00:00Z"}
    assert plan["partner_release"] == "2027-03-01T00:00:00Z"
    assert plan["public_release"] == "2027-03-22T10:00:00Z"
    assert all(set(step) == {"name", "latest_start", "due"} for step in plan["steps"])
    assert "Release to the public" in [step["name"] for step in plan["steps"]]


def test_text_shows_window_dates_and_steps(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run([*DATES, "--window-days", "10"], capsys)
    assert (code, err) == (0, "")
    assert "window opens     Fri 2027-02-19 00:00" in out
    assert "10 days" in out
    assert "public release   not given" in out


def test_a_step_whose_start_has_passed_is_marked_and_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(["plan", "--partner-release", "2020-03-01"], capsys)
    assert code == 0
    assert "the dates stay yours" in out


def test_a_calendar_is_written_beside(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "plan.ics"
    code, out, _ = run([*DATES, "--ics", str(file), "--json"], capsys)
    assert code == 0
    assert json.loads(out)["window"]
    data = file.read_bytes()
    assert data.startswith(b"BEGIN:VCALENDAR\r\n")
    assert data.count(b"\r\n") == data.count(b"\n")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--window-days", "31"], "ceiling of 30"),
        (["--window-days", "0"], "no window"),
        (["--window-days", "ten"], "--window-days"),
        (["--public-release", "2027-02-01"], "before the partner release"),
        (["--public-release", "soon"], "--public-release"),
        (["--ics", "missing/folder/plan.ics"], "--ics"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    args: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run([*DATES, *args], capsys)
    assert (code, out) == (2, "")
    assert err.startswith("vedette: ")
    assert err.count("\n") == 1
    assert words in err


def test_the_partner_release_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(["plan"], capsys)
    assert code == 2
    assert "--partner-release" in err
