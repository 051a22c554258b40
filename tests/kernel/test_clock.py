"""Times are read strictly, kept in UTC and written as RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kernel.clock import FileClock, FixedClock, SystemClock, format_time, parse_time
from vedette.kernel.errors import BadInput

zones = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))
times = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones)  # noqa: DTZ001


@given(times)
def test_a_time_reads_back_to_the_second(time: datetime) -> None:
    whole = time.replace(microsecond=0)
    assert parse_time(format_time(time), field="t") == whole
    assert parse_time(whole.isoformat(), field="t") == whole
    assert len(format_time(time)) == 20


@given(st.dates())
def test_a_bare_day_is_midnight_utc(day: object) -> None:
    assert format_time(parse_time(str(day), field="t")) == f"{day}T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        *("", "tomorrow", "2026-13-01", "2026-02-29", "2026-12-01T09:00", "2026-12-01T25:00Z"),
        *("20261201", "2026-W49-2", "2026-12-1", "01.12.2026", "0001-01-01T00:00+14:00"),
        *("9999-12-31T23:00-05:00", "2026-12-01T09:00Z\n", "２０２６-12-01", "2026-12-01Tx"),
    ],
)
def test_what_is_no_time_is_bad_input_naming_the_field(text: str) -> None:
    with pytest.raises(BadInput, match=r"^--partner-release: "):
        parse_time(text, field="--partner-release")


def test_instances_share_one_clock_file(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    one, two = FileClock(file), FileClock(file)
    file.write_text("2026-12-01T09:00:00Z\n")
    assert one.now() == two.now() == datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert one.simulated


@pytest.mark.parametrize("content", [None, b"", b"soon", b"\xff"])
def test_a_clock_file_that_tells_no_time_is_bad_input(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "clock"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInput, match="clock"):
        FileClock(file).now()


def test_the_machines_clock_says_that_it_is_real() -> None:
    assert not SystemClock.simulated
    assert SystemClock().now().tzinfo is UTC
    assert FixedClock(datetime(2026, 1, 1, tzinfo=UTC)).simulated
