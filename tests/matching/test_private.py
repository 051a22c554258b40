"""Buckets of product keys: every real match is found, nothing else opens, sizes say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.matching.build import osv

from vedette.kernel.errors import BadInput
from vedette.matching import private
from vedette.matching.building import build
from vedette.matching.index import Index

NAMES = [f"pypi/product-{n}" for n in range(12_000)]
SOME = st.lists(st.sampled_from(NAMES), max_size=40, unique=True)
SALT = bytes(16)
SECRET = bytes(range(32))
DIVISION = private.divide(NAMES)


def asked_and_opened(
    held: list[str], cases: list[str], questions: int, turns: int
) -> list[tuple[str, bytes]]:
    """What an operator that holds some names opens of the cases, over several runs."""
    bits = DIVISION.bits
    entries = [(name, b"of " + name.encode()) for name in cases]
    by_bucket: dict[int, list[str]] = {}
    for name in held:
        by_bucket.setdefault(private.bucket(name, bits), []).append(name)
    found = []
    for turn in range(turns):
        asking = private.ask(by_bucket, DIVISION, SECRET, questions=questions, turn=turn)
        for question in asking.questions:
            filled = private.fill(entries, question, bits, SALT)
            found += [(k, p) for _, k, p in private.opened(filled, question, by_bucket, SALT)]
    return found


@settings(max_examples=20)
@given(held=SOME, cases=SOME)
def test_every_match_is_found_and_nothing_else_opens(held: list[str], cases: list[str]) -> None:
    found = asked_and_opened(held, cases, 1, 1)
    assert sorted(found) == [(name, b"of " + name.encode()) for name in sorted({*held} & {*cases})]


def test_what_finds_no_room_has_its_turn() -> None:
    cases = NAMES[:40]
    turns = -(-DIVISION.buckets // DIVISION.asked)
    assert turns > 1
    found = {name for name, _ in asked_and_opened(NAMES, cases, 1, turns)}
    assert found == set(cases)
    needed = range(DIVISION.buckets)
    asking = private.ask(needed, DIVISION, SECRET, questions=1)
    assert asking.waiting == DIVISION.buckets - DIVISION.asked


@given(held=st.sets(st.integers(0, DIVISION.buckets - 1)), questions=st.integers(1, 9))
def test_a_run_asks_for_as_many_buckets_whatever_is_held(held: set[int], questions: int) -> None:
    asking = private.ask(held, DIVISION, SECRET, questions=questions)
    empty = private.ask((), DIVISION, SECRET, questions=questions)
    assert [len(q) for q in asking.questions] == [len(q) for q in empty.questions]
    every = [each for q in asking.questions for each in q]
    assert every == sorted(set(every))
    assert asking.waiting == len(held - set(every))
    assert asking == private.ask(held, DIVISION, SECRET, questions=questions)


@given(held=st.sets(st.integers(0, DIVISION.buckets - 1), min_size=1, max_size=20))
def test_a_product_less_changes_one_bucket_asked(held: set[int]) -> None:
    (before,) = private.ask(held, DIVISION, SECRET).questions
    (after,) = private.ask(held - {min(held)}, DIVISION, SECRET).questions
    assert len(set(before) ^ set(after)) <= 2


@settings(max_examples=20)
@given(cases=SOME, more=SOME)
def test_an_answer_has_one_size(cases: list[str], more: list[str]) -> None:
    (question,) = private.ask((), DIVISION, SECRET).questions
    sizes = {
        len(private.fill([(n, b"x" * len(n)) for n in names], question, DIVISION.bits, SALT))
        for names in ([], cases, more)
    }
    assert sizes == {len(question) * private.SLOTS * private.SLOT}


def test_a_crowded_bucket_loses_nothing() -> None:
    crowd = [("pypi/one", str(n).encode()) for n in range(private.SLOTS + 1)]
    at = private.bucket("pypi/one", DIVISION.bits)
    question = tuple(sorted({at, (at + 1) % DIVISION.buckets}))
    filled = private.fill(crowd, question, DIVISION.bits, SALT)
    assert len(filled) == 2 * 2 * private.SLOTS * private.SLOT
    found = private.opened(filled, question, {at: ["pypi/one"]}, SALT)
    assert {payload for _, _, payload in found} == {payload for _, payload in crowd}


@settings(max_examples=30)
@given(st.sets(st.text(max_size=12), max_size=900))
def test_no_bucket_is_shared_by_fewer_than_stated(names: set[str]) -> None:
    found = private.divide(names)
    loads = [0] * found.buckets
    for name in names:
        loads[private.bucket(name, found.bits)] += 1
    assert min(loads) == found.shared
    assert found.products == len(names)
    assert found.shared >= private.LEAST or found.bits == 0


def test_the_universe_is_the_names_of_the_index() -> None:
    flaws = [osv(f"A-{n}", name, [{"introduced": "0"}]) for n, name in enumerate(("one", "Two"))]
    index = Index(build(flaws), "index")
    assert set(index.keys()) == {"pypi/one", "pypi/two"}
    assert private.divide(index.keys()) == private.Division(0, 2, 2)


def test_what_does_not_fit_is_told() -> None:
    private.seal("pypi/one", b"x" * private.ROOM, SALT)
    with pytest.raises(BadInput, match="at most"):
        private.seal("pypi/one", b"x" * (private.ROOM + 1), SALT)
    with pytest.raises(BadInput, match="no 2 buckets"):
        list(private.opened(b"short", (0, 1), {}, SALT))
