"""A ledger that nobody touched is intact; any other names its first broken entry."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.ledgers import KEYS, START, chain, entry, exported, lines, rewrite, verify

from vedette.kernel.keys import PrivateKeys
from vedette.ledger.checkpoint import Checkpoint, make_checkpoint
from vedette.ledger.entry import GENESIS, leaf
from vedette.ledger.merkle import Frontier
from vedette.ledger.verify import verify_chain

EDITABLE = [
    *("event", "org", "role", "object_id", "marking", "payload_digest", "pack_digest"),
    "message_id",
]


def test_an_untouched_ledger_is_intact_and_says_what_that_proves(tmp_path: Path) -> None:
    verdict = verify(exported(tmp_path))
    assert verdict.intact
    assert (verdict.size, verdict.first_broken) == (23, None)
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.size == 20
    assert "entries 1 to 20" in verdict.proves
    assert "the 3 after them hang on by hash only" in verdict.proves
    assert "only one kept elsewhere shows a cut-off end" in verdict.proves


@given(st.integers(1, 23), st.sampled_from(EDITABLE))
def test_an_edited_entry_is_found(
    tmp_path_factory: pytest.TempPathFactory, seq: int, field: str
) -> None:
    folder = exported(tmp_path_factory.mktemp("ledger"))
    rows = lines(folder)
    rows[seq - 1][field] = "something else"
    rewrite(folder, rows)
    verdict = verify(folder)
    assert (verdict.intact, verdict.first_broken) == (False, seq)


@given(st.integers(1, 22), st.integers(1, 22))
def test_a_removed_inserted_or_swapped_entry_is_found(
    tmp_path_factory: pytest.TempPathFactory, one: int, two: int
) -> None:
    folder = exported(tmp_path_factory.mktemp("ledger"))
    rows = lines(folder)
    rewrite(folder, rows[: one - 1] + rows[one:])
    assert verify(folder).first_broken == one
    rewrite(folder, [*rows[:one], rows[one - 1], *rows[one:]])
    assert verify(folder).first_broken == one + 1
    if one != two:
        rows[one - 1], rows[two - 1] = rows[two - 1], rows[one - 1]
        rewrite(folder, rows)
        assert verify(folder).first_broken == min(one, two)


def test_other_spacing_is_no_break(tmp_path: Path) -> None:
    rewrite(exported(tmp_path), lines(tmp_path))
    assert verify(tmp_path).intact


def test_a_chain_written_anew_fails_its_checkpoints(tmp_path: Path) -> None:
    exported(tmp_path)
    entries, _ = chain(23, role="somebody-else")
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(e.to_line() for e, _ in entries))
    verdict = verify(tmp_path)
    assert verdict.first_broken == 1
    assert "entries 1 to 5" in verdict.reason
    assert verdict.proves == "nothing: no checkpoint holds"


@given(st.integers(0, 19))
def test_a_cut_off_end_shows_against_the_checkpoints(
    tmp_path_factory: pytest.TempPathFactory, size: int
) -> None:
    folder = exported(tmp_path_factory.mktemp("ledger"))
    rewrite(folder, lines(folder)[:size])
    verdict = verify(folder)
    assert verdict.first_broken == size + 1
    assert "the end is missing" in verdict.reason


def test_a_cut_off_end_with_its_checkpoints_shows_only_against_one_kept_elsewhere(
    tmp_path: Path,
) -> None:
    _, points = chain(23)
    exported(tmp_path, 12)
    assert verify(tmp_path).intact
    verdict = verify(tmp_path, kept=[points[-1]])
    assert (verdict.intact, verdict.first_broken) == (False, 13)


def test_a_checkpoint_kept_elsewhere_proves_more(tmp_path: Path) -> None:
    _, points = chain(23)
    verdict = verify(exported(tmp_path), kept=[points[1]])
    assert verdict.intact
    assert verdict.kept_elsewhere
    assert "kept elsewhere" in verdict.proves


def test_keys_that_did_not_sign_prove_nothing() -> None:
    entries, points = chain(10)
    verdict = verify_chain(entries, points, [PrivateKeys.generate().public])
    assert not verdict.intact
    assert "unknown key" in verdict.reason


def test_a_checkpoint_with_a_changed_root_or_signature_fails() -> None:
    entries, points = chain(10)
    forged = Checkpoint.from_json({**points[0].to_json(), "root": "00" * 32})
    verdict = verify_chain(entries, [forged], [KEYS.public])
    assert "signature" in verdict.reason
    broken = Checkpoint.from_json({**points[0].to_json(), "signature": "zz"})
    assert "signature" in verify_chain(entries, [broken], [KEYS.public]).reason


def test_checkpoints_out_of_order_fail() -> None:
    entries, points = chain(10)
    verdict = verify_chain(entries, points[::-1], [KEYS.public])
    assert "out of order" in verdict.reason


def test_without_a_checkpoint_it_says_that_it_could_be_written_anew() -> None:
    entries, _ = chain(3)
    verdict = verify_chain(entries, [], [])
    assert verdict.intact
    assert "written it anew" in verdict.proves


def test_an_empty_ledger_is_intact() -> None:
    verdict = verify_chain([], [], [])
    assert (verdict.intact, verdict.size, verdict.head) == (True, 0, GENESIS)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not json", "not JSON"),
        ("[1]", "not a ledger entry"),
        ("[" * 60_000, "not JSON|deep"),
        ("x" * 70_000, "longer than"),
        ("{}", "not a ledger entry"),
    ],
)
def test_a_line_that_cannot_be_read_is_the_break(tmp_path: Path, line: str, words: str) -> None:
    exported(tmp_path)
    rows = (tmp_path / "ledger.jsonl").read_text().splitlines()
    rows[6] = line
    (tmp_path / "ledger.jsonl").write_text("\n".join(rows))
    verdict = verify(tmp_path)
    assert verdict.first_broken == 7
    assert any(word in verdict.reason for word in words.split("|"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("seq", "1"), ("seq", True), ("simulated", 1), ("time", "2026-12-01"), ("org", None)),
        *(("hash", None), ("note", "x"), ("vedette", 2), ("time", "2026-12-01T01:01:00+01:00")),
        ("role", "\ud800"),
    ],
)
def test_a_field_of_another_kind_is_the_break(tmp_path: Path, field: str, value: object) -> None:
    rows = lines(exported(tmp_path))
    rows[0][field] = value
    rewrite(tmp_path, rows)
    assert verify(tmp_path).first_broken == 1


def test_a_field_named_twice_is_the_break(tmp_path: Path) -> None:
    exported(tmp_path)
    text = (tmp_path / "ledger.jsonl").read_text()
    (tmp_path / "ledger.jsonl").write_text(text.replace("{", '{"role":"x",', 1))
    verdict = verify(tmp_path)
    assert verdict.first_broken == 1
    assert "twice" in verdict.reason


def test_the_hash_covers_every_field() -> None:
    base = entry(1, GENESIS)
    changed = [entry(1, GENESIS, **{field: "x"}) for field in EDITABLE] + [
        entry(2, GENESIS),
        entry(1, base.hash),
        entry(1, GENESIS, simulated=True),
        entry(1, GENESIS, time=START),
    ]
    assert len({made.hash for made in [base, *changed]}) == len(changed) + 1
    assert json.loads(base.to_line())["hash"] == base.hash


def test_memory_does_not_grow_with_the_ledger() -> None:
    def peak(size: int) -> int:
        def stream() -> object:
            prev = GENESIS
            for seq in range(1, size + 1):
                made = entry(seq, prev)
                prev = made.hash
                yield made, prev

        tracemalloc.start()
        assert verify_chain(stream(), [], []).intact  # type: ignore[arg-type]
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(3000) < peak(300) + 20_000


def test_a_frontier_kept_beside_the_table_gives_the_same_checkpoint() -> None:
    entries, points = chain(10)
    frontier = Frontier()
    for _, stated in entries:
        frontier.append(leaf(stated))
    assert make_checkpoint("lab", 10, frontier.root(), points[-1].time, KEYS) == points[-1]
