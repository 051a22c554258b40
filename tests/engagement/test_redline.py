"""Redlines leave nothing out: both texts can be read back from the pieces."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engagement.parties import LAB, PACK, make_terms

from vedette.engagement.redline import between, changes, from_library, redline
from vedette.engagement.terms import (
    WORDS_LIMIT,
    Clause,
    Person,
    Quota,
    Terms,
    check_terms,
    clause_text,
    sign_terms,
    signed_by,
)
from vedette.kernel.errors import BadInput

TEXT = st.text(st.sampled_from("ab \n.,é"), max_size=60) | st.text(max_size=40)


@given(TEXT, TEXT)
def test_both_texts_are_in_the_pieces(before: str, after: str) -> None:
    pieces = redline(before, after)
    assert "".join(p.text for p in pieces if p.kind != "new") == before
    assert "".join(p.text for p in pieces if p.kind != "gone") == after
    assert before != after or {p.kind for p in pieces} <= {"same"}


def test_a_changed_word_is_one_word() -> None:
    found = [(p.kind, p.text) for p in redline("within 24 hours of", "within 48 hours of")]
    assert found == [("same", "within "), ("gone", "24 "), ("new", "48 "), ("same", "hours of")]


def test_the_longest_texts_are_compared_at_once() -> None:
    begun = time.process_time()
    redline("a " * (WORDS_LIMIT // 2), "b a " * (WORDS_LIMIT // 4))
    redline("a b " * (WORDS_LIMIT // 4), "b a " * (WORDS_LIMIT // 4))
    assert time.process_time() - begun < 2


def changed(terms: Terms, key: str, text: str) -> Terms:
    return replace(
        terms, clauses=tuple(replace(c, text=text) if c.id == key else c for c in terms.clauses)
    )


def test_a_changed_clause_is_in_what_is_signed_and_read_back() -> None:
    terms = changed(make_terms(), "cybersecurity", "Told within 48 hours.")
    check_terms(PACK, terms)
    assert Terms.from_json(terms.to_json()) == terms
    signature = sign_terms(make_terms(), LAB)
    assert not signed_by(terms, signature, LAB.public)
    (found,) = from_library(PACK, terms)
    assert found.title == "Cybersecurity"
    assert "".join(p.text for p in found.pieces if p.kind != "gone") == "Told within 48 hours."
    (again,) = between(PACK, make_terms(), terms)
    assert again.pieces == found.pieces


def test_a_redline_against_another_library_version_is_refused() -> None:
    terms = changed(make_terms(), "use", "Something else.")
    other = [replace(c, version="2") if c.id == "use" else c for c in terms.clauses]
    with pytest.raises(BadInput, match="use version 2 has other words"):
        check_terms(PACK, replace(terms, clauses=tuple(other)))


@pytest.mark.parametrize("text", ["", " ", "x" * (WORDS_LIMIT + 1), 7, None])
def test_words_within_their_bounds(text: object) -> None:
    document = make_terms().to_json()
    document["clauses"][0]["text"] = text
    with pytest.raises(BadInput, match="clauses"):
        Terms.from_json(document)


def test_the_librarys_own_words_are_no_change() -> None:
    words = clause_text(PACK, make_terms().clauses[0])[1]
    with pytest.raises(BadInput, match="library's own words"):
        check_terms(PACK, changed(make_terms(), make_terms().clauses[0].id, words))


def test_a_clause_stands_once() -> None:
    terms = make_terms()
    with pytest.raises(BadInput, match="twice"):
        check_terms(PACK, replace(terms, clauses=(*terms.clauses, terms.clauses[0])))
    with pytest.raises(BadInput, match="at most"):
        check_terms(PACK, replace(terms, clauses=(terms.clauses[0],) * 101))
    assert isinstance(terms.clauses[0], Clause)


def test_points_that_change_stand_beside_each_other() -> None:
    old = make_terms()
    new = replace(
        old,
        people=(*old.people[1:], Person("cy@office", "Cy")),
        quota=Quota(200, old.quota.tokens),
        export=not old.export,
        version=2,
    )
    found = {c.point: (c.before, c.after) for c in changes(old, new)}
    assert found == {
        "people": (("Ada <ada@office>",), ("Cy <cy@office>",)),
        "calls": (("100",), ("200",)),
        "export": (("no",), ("yes",)),
    }
    assert changes(old, replace(old, version=3)) == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("version", 0), ("version", 1001), ("version", True)),
        *(("export", 1), ("watermark", None), ("marking", 3), ("marking", "")),
    ],
)
def test_terms_beyond_their_bounds_are_bad_input(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=f"terms.{field}"):
        Terms.from_json({**make_terms().to_json(), field: value})


def test_a_marking_that_cannot_be_read_is_none() -> None:
    with pytest.raises(BadInput, match="can't be read"):
        check_terms(PACK, replace(make_terms(), marking="TLP:PINK"))
