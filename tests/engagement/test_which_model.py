"""Builds, fingerprints, addresses, the access record, usage: the pure rules."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.engagement import access, record
from vedette.engagement.builds import MIXED, Round, Statement, digest_of, join_labels, label_of
from vedette.engagement.fingerprint import compare
from vedette.engagement.record import CallSeen, Evidence
from vedette.engagement.targets import Kind, Reach, acceptable, kind_of, reach_of
from vedette.engagement.usage import StreamUsage, usage_of
from vedette.engagement.window import Window
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import default_pack
from vedette.runner.subjects.talker import Talker

START = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window("eo14409-3b2", START, START + timedelta(days=10), None)
QUESTIONS = [str(q) for q in default_pack().sequence("access", "probes", "questions")]


def answers(talker: Talker, times: int = 8) -> dict[str, list[str]]:
    return {q: [talker.answer(q) for _ in range(times)] for q in QUESTIONS}


def p_of(seed: int, other: Talker, exchanges: int = 199) -> float:
    one = answers(Talker().seeded(seed))
    two = answers(other.seeded(seed + 1_000_000))
    found = compare([one, two], length=160, exchanges=exchanges, seed=seed, alpha=0.05)
    return found.p


def test_the_same_build_passes_as_often_as_the_threshold_says() -> None:
    alarms = sum(p_of(seed, Talker()) <= 0.1 for seed in range(40))
    # binomial(40, 0.1): 12 or more has a chance of 0.0005
    assert alarms < 12


def test_another_build_is_found() -> None:
    assert all(p_of(seed, Talker("b2", 1.0)) <= 0.01 for seed in range(5))


def test_without_noise_any_change_is_found_and_sameness_is_certain() -> None:
    same = {q: ["word " + q] * 8 for q in QUESTIONS}
    other = {**same, QUESTIONS[0]: ["another thing"] * 8}
    options = {"length": 160, "exchanges": 999, "seed": 1, "alpha": 0.001}
    assert compare([same, same], **options).p == 1.0  # type: ignore[arg-type]
    found = compare([same, other], **options)  # type: ignore[arg-type]
    assert found.changed(0.005)
    assert max(found.by_question, key=lambda q: found.by_question[q]) == QUESTIONS[0]


def test_nothing_in_common_says_nothing() -> None:
    found = compare([{"a": ["x", "y"]}, {"b": ["x"]}], length=9, exchanges=99, seed=1, alpha=0.05)
    assert (found.p, found.questions, found.changed(0.05)) == (1.0, 0, False)


@given(st.lists(st.text(max_size=40), min_size=2, max_size=8), st.integers(0, 9))
def test_the_same_seed_gives_the_same_answer(texts: list[str], seed: int) -> None:
    options = {"length": 20, "exchanges": 49, "seed": seed, "alpha": 0.05}
    one = compare([{"q": texts}, {"q": texts[::-1]}], **options)  # type: ignore[arg-type]
    assert one == compare([{"q": texts}, {"q": texts[::-1]}], **options)  # type: ignore[arg-type]
    assert 0 < one.p <= 1


def test_calls_are_put_to_build_and_era() -> None:
    rounds = [Round(START + n * HOUR, v) for n, v in enumerate(["first", "same", "changed"])]
    names = {"build-a": "r7", "build-b": "r7 (2)"}
    label = [label_of("build-a", START + m * HOUR / 2, rounds, names) for m in (1, 3, 5)]
    assert label == ["r7, fingerprint 1", "r7, fingerprint 1 or 2", "r7, fingerprint 2"]
    assert label_of("build-b", START, rounds[:2], names) == "r7 (2)"
    assert label_of("", START, [], names) == "no build named"
    assert join_labels(["a", "a"]) == "a"
    assert join_labels(["a", "b"]) == MIXED


def test_a_change_found_by_several_rounds_may_lie_before_any_of_them() -> None:
    rounds = [Round(START + n * HOUR, "same") for n in range(4)]
    rounds += [Round(START + 4 * HOUR, "changed", recent=3)]
    label = [label_of("", START + m * HOUR / 2, rounds, {}) for m in (1, 2, 3, 7, 8)]
    doubtful = "no build named, fingerprint 1 or 2"
    assert label[:2] == ["no build named, fingerprint 1"] * 2
    assert label[2:] == [doubtful, doubtful, "no build named, fingerprint 2"]


@given(st.lists(st.integers(0, 5), min_size=2, max_size=9), st.integers(0, 5))
def test_where_the_change_lies_is_by_scaled_mmd(kinds: list[int], seed: int) -> None:
    """The statistic of every place, counted anew from its definition."""
    rounds = [{"q": [f"word {kind} {n}" for n in range(3)]} for kind in kinds]
    found = compare(rounds, length=40, exchanges=19, seed=seed, alpha=0.05)
    texts = [text for made in rounds for text in made["q"]]

    def like(a: str, b: str) -> float:
        one, two = ({t[i : i + 3] for i in range(len(t) - 2)} for t in (a, b))
        return len(one & two) / len(one | two)

    def mmd(new: list[str], old: list[str]) -> float:
        def inside(of: list[str]) -> float:
            pairs = [like(a, b) for i, a in enumerate(of) for b in of[:i]]
            return sum(pairs) / len(pairs)

        across = [like(a, b) for a in new for b in old]
        scale = 4 * len(new) * len(old) / (len(new) + len(old)) ** 2
        return scale * (inside(new) + inside(old) - 2 * sum(across) / len(across))

    places = [n for n in (1, 2, 4) if n <= max(1, len(kinds) // 2)]
    by_place = {n: mmd(texts[-3 * n :], texts[: -3 * n]) for n in places}
    assert found.statistic == pytest.approx(max(by_place.values()))
    assert by_place[found.recent] == pytest.approx(found.statistic)


def test_a_statement_is_told_from_another_by_any_part() -> None:
    one = Statement("r7", "sha256:" + "a" * 64, "on", digest_of("You are helpful."), "t=1")
    assert not one.behind_endpoint
    assert Statement("r7").behind_endpoint
    assert one.changed_from(Statement("r7", one.checkpoint, "off", one.system_prompt, "t=1")) == [
        "safeguards"
    ]
    assert digest_of(one.system_prompt) == one.system_prompt
    assert digest_of("") == ""


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", Kind.LOOPBACK),
        ("::1", Kind.LOOPBACK),
        ("::ffff:127.0.0.1", Kind.LOOPBACK),
        ("10.1.2.3", Kind.PRIVATE),
        ("100.64.0.1", Kind.PRIVATE),
        ("fd12::1", Kind.PRIVATE),
        ("169.254.169.254", Kind.NEVER),
        ("::ffff:169.254.169.254", Kind.NEVER),
        ("64:ff9b::a9fe:a9fe", Kind.NEVER),
        ("2002:a9fe:a9fe::1", Kind.NEVER),
        ("fe80::1%eth0", Kind.NEVER),
        ("100.100.100.200", Kind.NEVER),
        ("fd00:ec2::254", Kind.NEVER),
        ("0.0.0.0", Kind.NEVER),
        ("224.0.0.1", Kind.NEVER),
        ("255.255.255.255", Kind.NEVER),
        ("8.8.8.8", Kind.PUBLIC),
        ("no address", Kind.NEVER),
    ],
)
def test_kinds_of_addresses(address: str, kind: Kind) -> None:
    assert kind_of(address) == kind


def test_a_public_name_never_leads_inside() -> None:
    reach = reach_of("api.lab.example", ["8.8.8.8"])
    assert reach == Reach.PUBLIC
    assert acceptable(reach, "api.lab.example", "1.1.1.1")
    for inside in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"):
        assert not acceptable(reach, "api.lab.example", inside)
    assert reach_of("gpu.internal", ["10.0.0.7"]) == Reach.PRIVATE
    assert not acceptable(Reach.PRIVATE, "gpu.internal", "127.0.0.1")
    assert reach_of("localhost", []) == Reach.LOOPBACK
    with pytest.raises(BadInput, match="give the address itself"):
        reach_of("metadata.internal", ["169.254.169.254"])


def test_an_address_set_on_purpose_is_that_address_alone() -> None:
    reach = reach_of("169.254.1.1", [])
    assert reach == Reach.LITERAL
    assert acceptable(reach, "169.254.1.1", "169.254.1.1")
    assert not acceptable(reach, "169.254.1.1", "169.254.169.254")


def test_the_record_adds_up() -> None:
    looks = [Evidence(START + HOUR, True), Evidence(START + 2 * HOUR, False)]
    looks += [Evidence(START + 4 * HOUR, True)]
    found = record.served(WINDOW, START + 5 * HOUR, looks, timedelta(hours=3))
    assert (found.up, found.down, found.unknown, found.open) == (7200, 7200, 3600, 18000)
    assert found.shorter == 0
    late = record.served(WINDOW, START + timedelta(days=10), looks, timedelta(hours=3))
    assert late.promised == 10 * 86400
    assert late.unknown > 9 * 86400


@given(
    st.lists(st.tuples(st.integers(-50, 300), st.booleans()), max_size=30),
    st.integers(-10, 300),
    st.integers(0, 240),
)
def test_no_time_is_counted_twice(looks: list[tuple[int, bool]], now: int, ended: int) -> None:
    window = Window("b", START, START + 240 * HOUR, START + ended * HOUR)
    seen = [Evidence(START + at * HOUR, up) for at, up in looks]
    found = record.served(window, START + now * HOUR, seen, 3 * HOUR)
    assert found.up + found.down + found.unknown == found.open
    assert min(found.up, found.down, found.unknown) >= 0
    assert found.open <= found.promised <= 240 * 3600


def test_what_calls_say() -> None:
    calls = [
        CallSeen(START + HOUR, 200, probe=True),
        CallSeen(START + 2 * HOUR, 429),
        CallSeen(START + 3 * HOUR, 403, "purpose: the terms are for another"),
        CallSeen(START + 3 * HOUR, 502),
        CallSeen(START + 4 * HOUR, 200, odd="no usage named"),
    ]
    found = record.make_record(WINDOW, START + 5 * HOUR, calls, [], 2 * HOUR).to_json()
    assert found["refusals"] == {"purpose": 1}
    assert (found["rate_limited"], found["failed"], found["odd"], found["probes"]) == (1, 1, 1, 1)
    assert found["down_seconds"] == 3600
    assert record.read(json.loads(json.dumps(found))) == found
    said = " ".join(record.limits(found, {**found, "calls": 9}))
    for word in (
        "rate limit",
        "refused 1 calls",
        "no usage",
        "differs from the office's in: calls",
    ):
        assert word in said
    assert record.differences(found, {**found, "down_seconds": 3500}) == {}


@pytest.mark.parametrize("bad", [{}, {"calls": -1}, {"calls": True}, {"refusals": {"x": "y"}}])
def test_a_strangers_record_is_checked(bad: dict[str, object]) -> None:
    good = record.make_record(WINDOW, START, [], [], HOUR).to_json()
    with pytest.raises(BadInput, match="record"):
        record.read({**good, **bad} if bad else {})


def test_usage_of_every_dialect() -> None:
    chat = {"usage": {"prompt_tokens": 7, "completion_tokens": 3}}
    responses = {"response": {"usage": {"input_tokens": 7, "output_tokens": 3}}}
    cached = {"input_tokens": 2, "cache_read_input_tokens": 5, "output_tokens": 1}
    assert usage_of(chat) == usage_of(responses) == (7, 3)
    stream = StreamUsage()
    for event in ({"message": {"usage": cached}}, {"usage": {"output_tokens": 3}}):
        stream.feed(b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n")
    assert stream.end() == (7, 3)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_lie_about_usage_charges_no_more_than_is_possible(
    given_in: int, given_out: int, sent: int, limit: int
) -> None:
    found = access.judge_usage(
        (given_in, given_out), status=200, sent=sent, received=100, limit=limit
    )
    assert found.input_tokens <= sent + access.UNSEEN
    assert found.output_tokens <= max(limit, 1)
    honest = given_in <= sent and 0 < given_out <= limit
    assert not honest or not found.odd
