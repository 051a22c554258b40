"""Terms: the same words for both sides, signed by both, and nothing else binds."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engagement.parties import LAB, OFFICE, PACK, make_terms

from vedette.engagement.terms import (
    Clause,
    Person,
    Quota,
    Terms,
    check_terms,
    clause_text,
    clauses_of,
    sign_terms,
    signed_by,
    signed_by_both,
)
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys


def test_terms_cross_and_read_back_the_same() -> None:
    terms = make_terms()
    check_terms(PACK, terms)
    assert Terms.from_json(terms.to_json()) == terms
    assert Terms.from_json(terms.to_json()).digest == terms.digest


def test_both_sides_signatures_bind_and_one_does_not() -> None:
    terms = make_terms()
    lab, office = sign_terms(terms, LAB), sign_terms(terms, OFFICE)
    assert signed_by_both(terms, lab, LAB.public, office, OFFICE.public)
    assert not signed_by_both(terms, lab, LAB.public, lab, OFFICE.public)
    assert not signed_by_both(terms, lab, LAB.public, lab, LAB.public)
    assert not signed_by_both(terms, office, OFFICE.public, lab, LAB.public)
    assert not signed_by_both(terms, "zz", LAB.public, office, OFFICE.public)


def test_a_strangers_signature_is_none() -> None:
    stranger = PrivateKeys.generate()
    terms = make_terms()
    assert not signed_by(terms, sign_terms(terms, stranger), stranger.public)


CHANGES: dict[str, Any] = {
    "act": "act-3333333333333333",
    "closes": datetime(2026, 12, 15, tzinfo=UTC),
    "people": (Person("x@office", "X"),),
    "purposes": ("robustness",),
    "quota": Quota(1, 1),
    "publication": "summary",
    "pack": "xx@1",
}


@given(st.sampled_from(sorted(CHANGES)))
def test_a_signature_holds_for_no_changed_terms(field: str) -> None:
    terms = make_terms()
    changed = dataclasses.replace(terms, **{field: CHANGES[field]})
    assert changed.digest != terms.digest
    assert not signed_by(changed, sign_terms(terms, LAB), LAB.public)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("clauses", clauses_of(PACK, ["use"]), "without confidentiality"),
        ("clauses", (Clause("use", "1", "sha256:" + "0" * 64),), "other words"),
        ("people", (), "name 1 to"),
        ("people", (Person("a", "A"), Person("a", "B")), "named twice"),
        ("purposes", (), "choose among"),
        ("purposes", ("training",), "choose among"),
        ("quota", Quota(0, 1), "quota"),
        ("publication", "everything", "choose one"),
        ("pack_digest", "sha256:00", "made under"),
        pytest.param("office", LAB.public.keyid, "two parties", id="office-the-lab-itself"),
    ],
)
def test_what_is_no_terms_under_the_pack_names_its_field(
    field: str, value: Any, words: str
) -> None:
    with pytest.raises(BadInput, match=rf"terms\..*{words}"):
        check_terms(PACK, dataclasses.replace(make_terms(), **{field: value}))


@pytest.mark.parametrize(
    "change",
    [
        {"vedette_terms": 2},
        {"people": "everyone"},
        {"people": [{"id": "a"}]},
        {"quota": {"calls": True, "tokens": 1}},
        {"quota": {"calls": 10**13, "tokens": 1}},
        {"opens": "soon"},
        {"opens": 3},
        {"lab": ""},
        {"act": "x" * 301},
        {"clauses": None},
    ],
)
def test_malformed_terms_are_bad_input(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="terms"):
        Terms.from_json({**make_terms().to_json(), **change})


@pytest.mark.parametrize("value", [None, [], "text", {}])
def test_what_is_no_object_of_terms_is_bad_input(value: object) -> None:
    with pytest.raises(BadInput, match="terms"):
        Terms.from_json(value)


def test_every_clause_has_its_words() -> None:
    for clause in clauses_of(PACK):
        title, text = clause_text(PACK, clause)
        assert title
        assert len(text) > 80
    with pytest.raises(BadInput, match="not in us-eo"):
        clauses_of(PACK, ["nonsense"])
