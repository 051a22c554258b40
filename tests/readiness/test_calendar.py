"""The plan as iCalendar: lines, folding and escapes after RFC 5545."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.packs import default_pack, read_pack
from vedette.readiness.calendar import to_ics
from vedette.readiness.plan import make_plan

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
AT = datetime(2027, 3, 1, tzinfo=UTC)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def named(name: str) -> str:
    step = {"id": "s", "name": name, "anchor": "partner", "latest_start_days": 3, "due_days": 1}
    rules = {
        "engagement": {"default_basis": "x", "bases": {"x": {"ceiling_days": 10}}},
        "plan": {"steps": [step]},
    }
    document = {"name": "xx", "version": "1", "rules": rules}
    return to_ics(make_plan(read_pack(json.dumps(document).encode()), AT), NOW)


@given(NAMES)
def test_no_line_is_over_75_octets_and_text_reads_back(name: str) -> None:
    text = named(name)
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    summaries = [line[8:] for line in unfolded(text) if line.startswith("SUMMARY:")]
    plain = summaries[1]
    for escaped, char in (("\\;", ";"), ("\\,", ","), ("\\\\", "\\")):
        plain = plain.replace(escaped, char) if "\\\\" not in summaries[1] else plain
    if "\\" not in name:
        assert plain == name


def test_special_characters_are_escaped() -> None:
    assert "SUMMARY:a\\\\b\\; c\\, d\\ne" in unfolded(named("a\\b; c, d\ne"))


def test_control_characters_cannot_start_a_line_of_their_own() -> None:
    lines = unfolded(named("a\r\nATTENDEE:mailto:x\x01\x7f"))
    assert "SUMMARY:a\\nATTENDEE:mailto:x" in lines
    assert not any(line.startswith("ATTENDEE") for line in lines)


def test_every_event_has_what_the_standard_asks_for() -> None:
    plan = make_plan(default_pack(), AT, AT + timedelta(days=21))
    lines = unfolded(to_ics(plan, NOW))
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    events = "\n".join(lines).split("BEGIN:VEVENT")[1:]
    assert len(events) == len(plan.steps) + 1
    uids = [event.split("UID:")[1].split("\n")[0] for event in events]
    assert len(set(uids)) == len(events)
    for event in events:
        assert "\nDTSTAMP:20261201T093000Z\n" in event
        assert "\nCLASS:CONFIDENTIAL\n" in event
        assert event.count("DTSTART:") == 1
    assert "DTSTART:20270130T000000Z\nDTEND:20270301T000000Z" in events[0]


def test_an_event_without_length_has_no_end() -> None:
    release = named("x").split("BEGIN:VEVENT")
    assert "DTEND" in release[1]
    lines = to_ics(make_plan(default_pack(), AT), NOW).split("BEGIN:VEVENT")
    moments = [event for event in lines if "Release to trusted" in event]
    assert len(moments) == 1
    assert "DTEND" not in moments[0]


def test_the_same_plan_has_the_same_uids() -> None:
    plan = make_plan(default_pack(), AT)
    later = to_ics(plan, NOW + timedelta(days=1))
    uids = [line for line in unfolded(later) if line.startswith("UID")]
    assert uids == [line for line in unfolded(to_ics(plan, NOW)) if line.startswith("UID")]
