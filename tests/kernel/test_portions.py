"""Portions: nothing above a reader's clearance is left, and every marking is computed."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.kernel.test_markings import markings

from vedette.kernel.markings import AMBER, CLEAR, GREEN, RED, TLP, Marking
from vedette.kernel.portions import (
    Gap,
    Portion,
    Source,
    banner,
    marking_of,
    portion_mark,
    seen_by,
    sources_of,
    with_gaps,
)

SECRET = Marking(TLP.RED, 3)
CUI = Marking(TLP.GREEN, 1)
portions = st.lists(
    st.builds(
        lambda n, marking, sources: Portion(f"text {n}", marking, tuple(sources)),
        st.integers(0, 99),
        markings,
        st.lists(st.builds(Source, st.sampled_from(["A", "B", "C"]), markings), max_size=2),
    ),
    max_size=8,
)


@given(portions, markings)
def test_a_reader_gets_every_portion_they_dominate_and_no_other(
    parts: list[Portion[str]], clearance: Marking
) -> None:
    seen = seen_by(parts, clearance)
    assert all(clearance.dominates(part.marking) for part in seen)
    assert [p for p in parts if clearance.dominates(p.marking)] == seen
    assert clearance.dominates(marking_of(seen)) or not seen
    left_out = {s for p in parts for s in p.sources} - {s for p in seen for s in p.sources}
    assert not left_out & set(sources_of(seen))


@given(portions, markings)
def test_gaps_say_neither_what_nor_how_many(parts: list[Portion[str]], clearance: Marking) -> None:
    shown = list(with_gaps(parts, clearance))
    assert [part for part in shown if part != Gap()] == seen_by(parts, clearance)
    assert all(not (a == Gap() and b == Gap()) for a, b in pairwise(shown))
    assert (Gap() in shown) == (len(seen_by(parts, clearance)) < len(parts))


@given(portions)
def test_the_documents_marking_dominates_every_portion_and_is_the_least(
    parts: list[Portion[str]],
) -> None:
    whole = marking_of(parts)
    assert all(whole.dominates(part.marking) for part in parts)
    for label in TLP:
        lower = Marking(label, whole.level, whole.compartments)
        if lower != whole and whole.dominates(lower):
            assert not all(lower.dominates(part.marking) for part in parts) or not parts


@given(portions)
def test_the_banner_is_the_whole_marking(parts: list[Portion[str]]) -> None:
    whole, line = marking_of(parts), banner(parts)
    assert Marking.parse(line.replace("//CUI//", "//") if whole.level > 1 else line) == whole
    assert line.endswith(whole.tlp.label)


@given(markings, markings)
def test_a_portion_mark_names_its_own_level_and_label(marking: Marking, other: Marking) -> None:
    mark = portion_mark(marking, marking.join(other))
    assert mark.startswith("(")
    assert mark.endswith(f"{marking.tlp.label})")
    assert all(name in mark for name in marking.compartments)
    if marking.join(other).level:
        assert mark[1:].split("//")[0] in ("U", "CUI", "C", "S", "TS")


def test_marks_as_the_standards_write_them() -> None:
    assert portion_mark(AMBER) == "(TLP:AMBER)"
    assert portion_mark(CLEAR, SECRET) == "(U//TLP:CLEAR)"
    assert portion_mark(SECRET) == "(S//TLP:RED)"
    assert portion_mark(Marking(TLP.RED, 4, frozenset({"B", "A"}))) == "(TS//A/B//TLP:RED)"
    assert portion_mark(CUI, SECRET) == "(CUI//TLP:GREEN)"


def test_a_classified_document_that_holds_cui_says_so() -> None:
    mixed = [Portion("a", SECRET), Portion("b", CUI), Portion("c", CLEAR)]
    assert banner(mixed) == "SECRET//CUI//TLP:RED"
    assert banner(seen_by(mixed, Marking(TLP.RED, 2))) == "CUI//TLP:GREEN"
    assert banner(seen_by(mixed, RED)) == "TLP:CLEAR"
    assert banner([Portion("a", GREEN), Portion("b", AMBER)]) == "TLP:AMBER"
    assert banner([]) == "TLP:CLEAR"
