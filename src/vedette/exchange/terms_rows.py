"""Rows of the table about terms and publications."""

from __future__ import annotations

from vedette.exchange.fields import (
    DIGEST,
    HEX,
    ID,
    LONG,
    NOTE,
    Document,
    ListOf,
    Record,
    Text,
    Time,
    Whole,
    YesNo,
)
from vedette.exchange.rows import LAB, OFFICE, MessageType, row

TERMS = 1_048_576  # as many clauses of as many words as terms may have

TERMS_ROWS: tuple[MessageType, ...] = (
    row(
        "publication.left",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "The author leaves a publication; no reason is asked, none crosses.",
        publication=ID,
    ),
    row(
        "publication.marked",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "What the other side would leave out of a draft, each with its reason; none: it is seen.",
        publication=ID,
        marks=ListOf(
            Record({"passage": LONG, "reason": Text(60), "words": Text(2000)}),
            100,
        ),
    ),
    row(
        "publication.published",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "What went out, with the list of what is left out of it.",
        publication=ID,
        document=Document(limit=1_048_576),
        digest=DIGEST,
    ),
    row(
        "publication.settled",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "What the author thinks of each mark.",
        publication=ID,
        views=ListOf(Record({"agrees": YesNo(), "view": Text(2000)}), 100),
    ),
    row(
        "publication.shown",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "A draft for publication, shown to the other side before it goes out.",
        publication=ID,
        act=ID,
        form=Text(60),
        title=Text(),
        text=LONG,
        digest=DIGEST,
    ),
    row(
        "terms.accepted",
        {OFFICE},
        {LAB},
        "A named person accepted one version of the terms.",
        act=ID,
        digest=DIGEST,
        person=Text(),
        accepted=Time(),
    ),
    row(
        "terms.proposed",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "Another version of the terms, signed by the side that proposes it.",
        act=ID,
        terms=Document(limit=TERMS),
        digest=DIGEST,
        base=DIGEST,
        note=NOTE,
        signature=HEX,
        signed_by=Text(),
    ),
    row(
        "terms.signed",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "The terms of a window with one side's detached signature.",
        act=ID,
        terms=Document(limit=TERMS),
        digest=DIGEST,
        signature=HEX,
        signed_by=Text(),
    ),
    row(
        "terms.struck",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "One side takes a person off the list of the terms, at once.",
        act=ID,
        person=Text(),
        through=Whole(1, 1_000),
    ),
)
