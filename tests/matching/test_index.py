"""The index: the same lines as without it, the same bytes every time, plain refusals."""

from __future__ import annotations

import json
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.matching.build import inventory, osv

from vedette.kernel.errors import BadInput
from vedette.matching import records
from vedette.matching.building import build
from vedette.matching.engine import match
from vedette.matching.index import MAGIC, Index, open_index
from vedette.matching.model import Advisory

PURLS = [f"pkg:pypi/{name}@{version}" for name in "abc" for version in ("1.0", "1.5", "odd")]


@st.composite
def advisories(draw: st.DrawFn) -> Advisory:
    bound = st.sampled_from(["0.5", "1.2", "1.5", "2.0", "odd"])
    return osv(
        f"A-{draw(st.integers(0, 30))}",
        draw(st.sampled_from(["a", "b", "c", "D_d", "ö\tx"])),
        [{"introduced": "0"}, {"fixed": draw(bound)}] if draw(st.booleans()) else [],
        versions=draw(st.lists(st.sampled_from(["1.0", "1.5", "odd"]), max_size=2)),
        aliases=draw(st.lists(st.sampled_from(["CVE-1", "CVE-2"]), max_size=2, unique=True)),
        modified=draw(st.sampled_from(["2026-01-01", "2026-01-02"])),
    )


def unique(records: list[Advisory]) -> list[Advisory]:
    return list({r.id: r for r in records}.values())


@given(st.lists(advisories(), max_size=12).map(unique), st.randoms(use_true_random=False))
def test_index_gives_the_same_lines_and_bytes(records: list[Advisory], rng: random.Random) -> None:
    data = build(records)
    assert build(rng.sample(records, len(records))) == data
    index = Index(data, "x")
    index.verify()
    inv = [inventory(*PURLS)]
    assert list(match(inv, index)) == list(match(inv, records))
    assert build(Index(data, "x")) == data


def test_the_newest_record_stays_and_withdrawn_ones_go() -> None:
    old = osv("A", "a", [{"introduced": "0"}])
    new = osv("A", "a", [{"introduced": "9"}], modified="2027-01-01T00:00:00Z")
    gone = osv("B", "a", [{"introduced": "0"}], withdrawn="2026-01-01T00:00:00Z")
    assert list(Index(build([new, old, gone]), "x")) == [new]


def test_a_double_that_is_passed_over_harms_no_other() -> None:
    records = [osv(name, name.lower(), [{"introduced": "0"}]) for name in "ABC"]
    one, two, three = records
    assert build([one, two, one, three]) == build(records)


def test_corrections_survive_the_index() -> None:
    own = {"vedette": {"corrects": ["A"], "evidence": "execution"}}
    fix = osv("x_1", "a", [{"introduced": "0"}, {"fixed": "2"}], database_specific=own)
    public = osv("A", "a", [{"introduced": "0"}, {"fixed": "1"}])
    lines = list(match([inventory("pkg:pypi/a@1.5")], Index(build([fix, public]), "x")))
    assert [m.advisory for m in lines] == ["A", "x_1"]


def test_listed_versions_inside_the_range_are_not_stored() -> None:
    record = osv("A", "a", [{"introduced": "0"}, {"fixed": "2"}], versions=["1.0", "odd", "3"])
    (stored,) = Index(build([record]), "x")
    assert stored.affected[0].versions == ("odd", "3")


@given(advisories())
def test_a_record_is_one_line_of_compact_json(record: Advisory) -> None:
    line = records.dump(record)
    assert line == json.dumps(json.loads(line), separators=(",", ":")).encode("ascii")
    assert records.dump(records.load(line)) == line


GOOD = build([osv("A", "a", [{"introduced": "0"}])])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a Vedette advisory index"),
        (b"{}", "not a Vedette advisory index"),
        (MAGIC + b"6\n{}\n", "index version 6, this program reads version 5"),
        (GOOD[:-1], "header says"),
        (GOOD + b"x", "header says"),
        (MAGIC + b"5\nnonsense\n", "header can't be read"),
    ],
)
def test_foreign_indexes_are_refused_in_plain_words(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Index(data, "some.idx")


def test_tampering_shows_in_the_digest() -> None:
    with pytest.raises(BadInput, match="digest differ"):
        Index(GOOD.replace(b'"PyPI"', b'"PyPJ"'), "some.idx").verify()


@given(st.binary(max_size=200))
def test_damage_never_breaks_the_reader(noise: bytes) -> None:
    cut = len(GOOD) // 2
    damaged = (GOOD[:cut] + noise + GOOD[cut:])[: len(GOOD)]
    with suppress(BadInput):
        list(match([inventory("pkg:pypi/a@1.0")], Index(damaged, "some.idx")))


def test_places_beyond_the_file_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "advisories.idx"
    at = GOOD.index(b"\n", GOOD.index(b"\n") + 1) + 1
    path.write_bytes(GOOD[: at + 4] + b"\xff" * 16 + GOOD[at + 20 :])
    with pytest.raises(BadInput, match="damaged"):
        list(match([inventory("pkg:pypi/a@1.0")], open_index(path)))


def test_an_index_file_is_opened_in_place(tmp_path: Path) -> None:
    path = tmp_path / "advisories.idx"
    path.write_bytes(GOOD)
    assert open_index(path).header["advisories"] == 1
    with pytest.raises(BadInput, match="can't be opened"):
        open_index(tmp_path / "absent.idx")


def test_many_advisories_for_one_name_never_lie_in_memory_at_once() -> None:
    many = [
        osv(f"A-{n:05}", "a", [{"introduced": f"{n}"}, {"fixed": f"{n + 1}"}])
        for n in range(20_000)
    ]
    index = Index(build(many), "x")
    inv = [inventory("pkg:pypi/a@7.5", "pkg:pypi/a@19999.5")]
    tracemalloc.start()
    found = [(m.component, m.advisory) for m in match(inv, index)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [("pkg:pypi/a@19999.5", "A-19999"), ("pkg:pypi/a@7.5", "A-00007")]
    assert peak < 5_000_000
