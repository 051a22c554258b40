"""JSON Lines carry exactly the fields of the contract, as any JSON writer would write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from vedette.formats.matches_out import jsonl
from vedette.matching.model import Match

texts = st.text(max_size=12)  # half characters too, as names of files have them
several = st.lists(texts, max_size=3).map(tuple)
matches = st.builds(
    Match,
    *[texts] * 5,
    verdict=st.sampled_from(["affected", "unknown"]),
    confidence=st.sampled_from(["exact", "likely", "possible"]),
    reason=texts,
    purl=texts,
    aliases=several,
    fixed=several,
)


@given(st.lists(matches, max_size=3))
def test_a_line_is_what_a_json_writer_writes(rows: list[Match]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert "".join(jsonl(rows, [], now)).splitlines(keepends=True) == [
        json.dumps(row.line(), separators=(",", ":")) + "\n" for row in rows
    ]
