"""Publications: narrowed with reasons, never stopped; left without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engagement.parties import PACK

from vedette.engagement.publication import (
    PUBLICATION,
    Mark,
    PublicationState,
    check_draft,
    check_marks,
    forms_for,
    published,
    redacted,
)
from vedette.engagement.table import Actor
from vedette.kernel.errors import BadInput, Refused

TEXT = "The model found eleven flaws. Its scaffold is named Heron. Prompts were in English."
HERON = Mark("named Heron", "trade-secret", "The name is not public.", agrees=False, view="It is.")


def test_the_author_needs_nobody_to_publish_or_leave() -> None:
    """From every state that is not over, author and clock alone reach both ends."""
    for state in PublicationState:
        if state in (PublicationState.PUBLISHED, PublicationState.LEFT):
            assert not [row for row in PUBLICATION.rows if row.source == state]
            continue
        reached, ahead = set(), {str(state)}
        while ahead:
            at = ahead.pop()
            reached.add(at)
            for row in PUBLICATION.rows:
                if row.source == at and row.trigger in ("silence", "settle", "publish", "leave"):
                    ahead |= {str(row.target)} - reached
        assert {"published", "left"} <= reached


def test_who_may_publish_what_is_the_packs_word() -> None:
    assert forms_for(PACK, "none", Actor.OFFICE) == ()
    assert forms_for(PACK, "summary", Actor.LAB) == ("summary",)
    full = "full-after-public-release"
    assert forms_for(PACK, full, Actor.OFFICE) == ("summary", "assessment")
    assert "assessment" not in forms_for(PACK, full, Actor.LAB)
    assert forms_for(PACK, "unknown", Actor.LAB) == ()
    with pytest.raises(Refused, match="the office publishes nothing"):
        check_draft(PACK, "none", Actor.OFFICE, "summary", TEXT)
    with pytest.raises(BadInput, match="text"):
        check_draft(PACK, "summary", Actor.OFFICE, "summary", " ")


def test_what_goes_out_says_where_and_why_something_is_missing() -> None:
    check_marks(PACK, TEXT, [HERON])
    out = published(PACK, "Summary", "summary", "office", TEXT, [HERON])
    assert "Heron" not in str(out)
    assert "Its scaffold is [left out: A secret of trade]. Prompts" in out["text"]
    (left,) = out["left_out"]
    assert (left["author_agrees"], left["author_view"]) == (False, "It is.")
    assert "not public" not in str(out), "the words of the reason stay with both sides"
    assert published(PACK, "S", "summary", "lab", TEXT, [])["text"] == TEXT


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        (Mark("not in it", "trade-secret", "x"), "passage 1 is not in the draft"),
        (Mark("", "trade-secret", "x"), "passage 1 is not in the draft"),
        (Mark("flaws", "embarrassing", "x"), "reason of 1 is none of"),
        (Mark("flaws", "trade-secret", " "), "say in some words"),
        (Mark(TEXT, "trade-secret", "x"), "more than 50 percent"),
    ],
)
def test_a_mark_that_is_none(mark: Mark, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        check_marks(PACK, TEXT, [mark])
    with pytest.raises(BadInput, match="1 to 100"):
        check_marks(PACK, TEXT, [])
    with pytest.raises(BadInput, match="1 to 100"):
        check_marks(PACK, TEXT, [HERON] * 101)


@given(st.text("ab c", min_size=1, max_size=40), st.data())
def test_no_marked_passage_is_left_and_the_rest_is_whole(text: str, data: st.DataObject) -> None:
    passages = data.draw(
        st.lists(
            st.integers(0, len(text) - 1).flatmap(
                lambda a: st.integers(a + 1, len(text)).map(lambda b: text[a:b])
            ),
            max_size=4,
        )
    )
    marks = [Mark(passage, "trade-secret", "x") for passage in passages]
    parts = redacted(PACK, text, marks).split("[left out: A secret of trade]")
    assert all(passage not in part for passage in passages for part in parts)
    kept, at = [], 0
    for part in parts:
        at = text.index(part, at)
        kept.append(part)
        at += len(part)
    assert sum(map(len, kept)) <= len(text)
    assert bool(marks) == (len(parts) > 1)
