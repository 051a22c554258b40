"""A commitment: any change of a committed thing is found, by digest and in words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.runs import ITEMS, commitment, result

from vedette.bench.commitment import Commitment, Criterion, differences, faults, open_signed
from vedette.bench.custody import BY_NAME, CUSTODIES, choose
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys

pytestmark = pytest.mark.any_database

PLAN = replace(
    commitment(["null", "m"], trials=2),
    custody="endpoint",
    criterion=Criterion("rule-1", "sha256:" + "1" * 64, "sha256:" + "2" * 64),
    nonce="ab" * 32,
)


def leaves(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every single value of a document, and to every list and object in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [at] if at else []
    if isinstance(value, dict | list):
        for key, each in inner:
            found += leaves(each, (*at, key)) if isinstance(each, dict | list) else [(*at, key)]
    return found


def changed(document: Any, way: tuple[Any, ...], how: str) -> Any:
    """The document with one thing changed: another value, one more, or one gone."""
    made = json.loads(json.dumps(document))
    place = made
    for key in way[:-1]:
        place = place[key]
    value = place[way[-1]]
    if isinstance(value, dict):
        place[way[-1]] = {**value, "new": 1} if how == "more" else {}
    elif isinstance(value, list):
        place[way[-1]] = [*value, *value] if how == "more" else []
    else:
        place[way[-1]] = value + 1 if isinstance(value, int) else value + "x"
    return made


WAYS = [way for way in leaves(PLAN.to_json()) if way != ("format",)]


@given(way=st.sampled_from(WAYS), how=st.sampled_from(["more", "less"]))
def test_any_single_change_of_a_committed_thing_is_found(way: tuple[Any, ...], how: str) -> None:
    document = changed(PLAN.to_json(), way, how)
    try:
        other = Commitment.from_json(document)
    except BadInput:
        return  # it is no commitment any more, which is found, too
    assert other.digest != PLAN.digest
    said = list(differences(PLAN, other))
    assert said
    assert PLAN.same_plan(other) == (way[0] in ("committed_at", "run", "nonce"))


def test_what_differs_is_said_in_words() -> None:
    more = {**PLAN.budgets, "queue": {**PLAN.budgets["queue"], "executions": 900}}
    cases = {
        "suite changed: digest": replace(PLAN, suite={**PLAN.suite, "digest": "sha256:x"}),
        "subject added: n": replace(PLAN, subjects=(*PLAN.subjects, {"name": "n"})),
        "subject dropped: null": replace(PLAN, subjects=PLAN.subjects[1:]),
        "subject changed: null: kind": replace(
            PLAN, subjects=({**PLAN.subjects[0], "kind": "agent"}, *PLAN.subjects[1:])
        ),
        "budget changed: queue: executions 100 committed, 900 here": replace(PLAN, budgets=more),
        "item dropped: queue": replace(
            PLAN, budgets={k: v for k, v in PLAN.budgets.items() if k != "queue"}
        ),
        "rule changed": replace(PLAN, criterion=replace(PLAN.criterion, rule="rule-2")),
        "threshold changed": replace(PLAN, criterion=replace(PLAN.criterion, threshold_digest="")),
        "trials changed: committed 2, here 3": replace(PLAN, trials=3),
        "seed changed": replace(PLAN, seed=9),
        "custody changed": replace(PLAN, custody="joint"),
    }
    for words, other in cases.items():
        assert next(differences(PLAN, other)).startswith(words)
    assert not list(differences(PLAN, replace(PLAN)))


SCORES = {"null": [0] * len(ITEMS), "m": [1, 0, 0, 1]}
RUN = result(SCORES, trials=2)


@given(data=st.data())
def test_every_sample_is_there_once(data: st.DataObject) -> None:
    assert not list(faults(RUN, RUN.samples))
    index = data.draw(st.integers(0, len(RUN.samples) - 1))
    one, rest = RUN.samples[index], RUN.samples[:index] + RUN.samples[index + 1 :]
    other = replace(one, score=1 - one.score)
    broken = {
        "samples missing: 1 of 16": (rest, ()),
        "trial re-run": ((*RUN.samples, other), ()),
        "sample added": ((*rest, replace(one, trial=2)), ()),
        "sample changed": ((*rest, other), RUN.samples),
        "sample dropped": (rest, RUN.samples),
    }
    for words, (samples, log) in broken.items():
        said = list(faults(replace(RUN, samples=samples), log))
        assert any(each.startswith(words) for each in said), (words, said)
    twice = list(faults(RUN, (*RUN.samples, other)))
    assert twice[0].startswith("trial re-run")


def test_a_signed_commitment_opens_with_its_signers_key_alone() -> None:
    keys, other = PrivateKeys.generate(), PrivateKeys.generate()
    data = canonical(PLAN.signed(keys))
    document = open_signed(data, source="c", signer=keys.public)
    assert Commitment.from_json(json.loads(document)) == PLAN
    assert open_signed(data, source="c", signer=None) == document
    with pytest.raises(BadInput, match="signature"):
        open_signed(data, source="c", signer=other.public)


@pytest.mark.parametrize("name", ["custody", "criterion", "nonce"])
def test_a_commitment_that_lacks_a_field_is_named(name: str) -> None:
    document = {key: value for key, value in PLAN.to_json().items() if key != name}
    with pytest.raises(BadInput, match=name):
        Commitment.from_json(document)


def test_custody_is_a_table_that_says_who_sees_what() -> None:
    assert list(BY_NAME) == ["here", "endpoint", "weights-here", "items-there", "joint"]
    for row in CUSTODIES:
        assert all((row.title, row.items_seen_by, row.weights_seen_by, row.report.endswith(".")))
        assert row.exposes == ("counts as exposed" in row.report), row.name
        assert row.away <= row.exposes
        assert (row.name == "here") == (not row.needs)


def test_custody_fits_the_subjects() -> None:
    assert choose("", ["reference"]).name == choose("here", ["reference"]).name == "here"
    assert choose("", ["reference", "endpoint"]).name == "endpoint"
    assert choose("", ["inspect"]).name == "endpoint"
    assert choose("", ["agent", "reference"]).name == "weights-here"
    assert choose("joint", ["endpoint"]).name == "joint"
    for asked, kinds in (("endpoint", ["reference"]), ("here", ["inspect"]), ("x", ["agent"])):
        with pytest.raises(BadInput, match="custody"):
            choose(asked, kinds)
