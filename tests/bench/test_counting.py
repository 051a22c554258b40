"""Our own count of tokens: what is odd is said, and a budget can't be fooled by a claim."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.counting import (
    FACTOR,
    SLACK,
    UNSEEN_INPUT,
    UNSEEN_OUTPUT,
    characters,
    count,
    tokens_of,
)

pytestmark = pytest.mark.any_database

sizes = st.integers(0, 10**7)
claims = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))


@given(claims, sizes, sizes)
def test_a_claim_charges_neither_nothing_nor_more_than_is_possible(
    claimed: tuple[int, int], sent: int, received: int
) -> None:
    found = count(claimed, status=200, sent=sent, received=received)
    for charged, size, unseen in zip(
        found.charged, (sent, received), (UNSEEN_INPUT, UNSEEN_OUTPUT), strict=True
    ):
        assert charged * FACTOR + SLACK >= tokens_of(size)
        assert charged <= size + 4 + unseen
    assert found.claimed == claimed


@given(sizes, sizes, st.floats(1 / FACTOR, FACTOR), st.floats(1 / FACTOR, FACTOR))
def test_a_claim_within_the_factor_is_taken_as_it_is(
    sent: int, received: int, first: float, second: float
) -> None:
    claimed = int(tokens_of(sent) * first), int(tokens_of(received) * second)
    found = count(claimed, status=200, sent=sent, received=received)
    if any(claimed):
        assert (found.odd, found.charged) == ("", claimed)


@pytest.mark.parametrize(
    ("claimed", "odd"),
    [
        ((0, 0), "no usage named"),
        ((10, 100), "10 input tokens claimed, 1000 by our count"),
        ((1000, 10**6), "1000000 output tokens claimed, 100 by our count"),
        ((1100, 120), ""),
    ],
)
def test_what_is_odd_is_told_with_both_counts(claimed: tuple[int, int], odd: str) -> None:
    assert count(claimed, status=200, sent=4000, received=400).odd == odd
    assert count(claimed, status=500, sent=4000, received=400).odd == ""


@given(st.text(max_size=40), st.text(max_size=40))
def test_characters_are_counted_once_in_either_dialect(said: str, given_to_tool: str) -> None:
    arguments = json.dumps({"x": given_to_tool})
    call = {"function": {"name": "go", "arguments": arguments}}
    message = {"role": "assistant", "content": said, "tool_calls": [call]}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"message": message}]}
    assert characters(answer) == len(said) + len(arguments) + 2
    events = [
        {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 5}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": said}},
        {"type": "response.output_text.delta", "delta": said},
        {"type": "response.output_text.done", "text": said},
        {"type": "response.completed", "response": {"output": [{"content": [{"text": said}]}]}},
    ]
    assert characters(events) == 2 * len(said)
