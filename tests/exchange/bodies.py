"""Valid bodies of every message type, generated from the table itself."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from vedette.exchange import fields
from vedette.exchange.messages import MessageType

WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
)


def value(field: fields.Field) -> st.SearchStrategy[Any]:
    """Values that `field` takes."""
    if isinstance(field, fields.Text):
        if field.pattern:
            return st.from_regex(field.pattern, fullmatch=True).filter(
                lambda text: len(text) <= field.limit and text.isascii()
            )
        return WORDS.filter(lambda text: len(text) <= field.limit)
    if isinstance(field, fields.Choice):
        return st.sampled_from(field.words)
    if isinstance(field, fields.Time):
        return st.just("2026-12-01T09:00:00Z")
    if isinstance(field, fields.Whole):
        return st.integers(field.low, field.high)
    if isinstance(field, fields.YesNo):
        return st.booleans()
    if isinstance(field, fields.Mark):
        return st.sampled_from(["TLP:AMBER", "TLP:RED", "SECRET//TLP:RED"])
    if isinstance(field, fields.ListOf):
        return st.lists(value(field.item), max_size=min(3, field.limit))
    if isinstance(field, fields.Record):
        return body(field)
    if isinstance(field, fields.TextMap):
        return st.dictionaries(st.from_regex(r"[a-z][a-z0-9_.-]{0,9}", fullmatch=True), WORDS)
    assert isinstance(field, fields.Document), f"no strategy for {type(field).__name__}"
    return st.dictionaries(WORDS, st.integers(-5, 5) | WORDS | st.none(), max_size=4)


def body(record: fields.Record) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies with every required field and any of the others."""
    required = {name: value(f) for name, f in record.fields.items() if f.required}
    optional = {name: value(f) for name, f in record.fields.items() if not f.required}
    return st.fixed_dictionaries(required, optional=optional)


def body_of(row: MessageType) -> st.SearchStrategy[dict[str, Any]]:
    return body(row.body)
