"""Valid bodies of every message type, generated from the table itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import find
from hypothesis import strategies as st

from vedette.exchange import fields
from vedette.exchange.messages import BY_NAME
from vedette.exchange.rows import MessageType

WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
)


@cache
def spelled(pattern: str, limit: int) -> st.SearchStrategy[str]:
    """Texts of a form; reading the form into a strategy takes longer than drawing from it."""
    return st.from_regex(pattern, fullmatch=True).filter(
        lambda text: len(text) <= limit and text.isascii()
    )


def value(field: fields.Field) -> st.SearchStrategy[Any]:
    """Values that `field` takes."""
    if isinstance(field, fields.Text):
        if field.pattern:
            return spelled(field.pattern, field.limit)
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
    return _bodies(row.name)


@cache
def _bodies(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return body(BY_NAME[name].body)


CANDIDATES = (
    *("", "act-2222222222222222", "0" * 256, "0" * 64, "sha256:" + "0" * 64, "CWE-79"),
    *("2026-12-01", "en", "a", "0", "text/plain", "build-2222222222222222"),
)


def one(field: fields.Field) -> Any:
    """The same valid value of a field each time; a record has all of its fields."""
    if isinstance(field, fields.Text):
        form = field.pattern or ".+"
        fitting = (t for t in CANDIDATES if len(t) <= field.limit and re.fullmatch(form, t))
        found = next(fitting, None)
        return find(value(field), lambda _: True) if found is None else found
    if isinstance(field, fields.Choice):
        return field.words[0]
    if isinstance(field, fields.Time):
        return "2026-12-01T09:00:00Z"
    if isinstance(field, fields.Whole):
        return field.low
    if isinstance(field, fields.YesNo):
        return True
    if isinstance(field, fields.Mark):
        return "TLP:AMBER"
    if isinstance(field, fields.ListOf):
        return [one(field.item)]
    if isinstance(field, fields.Record):
        return {name: one(inner) for name, inner in field.fields.items()}
    if isinstance(field, fields.TextMap):
        return {"name": "text"}
    assert isinstance(field, fields.Document), f"no value for {type(field).__name__}"
    return {"any": "thing"}


def over(field: fields.Field) -> Any:
    """A value of the right kind that is beyond the field's limit."""
    if isinstance(field, fields.Text):
        return "x" * (field.limit + 1)
    if isinstance(field, fields.Whole):
        return field.high + 1
    if isinstance(field, fields.ListOf):
        return [one(field.item)] * (field.limit + 1)
    if isinstance(field, fields.TextMap):
        return {f"n{number}": "" for number in range(field.limit + 1)}
    if isinstance(field, fields.Document):
        return {"any": "x" * field.limit}
    if isinstance(field, fields.Record):
        return {**one(field), "unheard_of": 1}
    return "no such word, time or marking"


def paths(record: fields.Record, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every field of a record and of the records in it, with the way to it through `one`'s body."""
    for name, field in record.fields.items():
        yield (*at, name), field
        inner, way = field, (*at, name)
        if isinstance(inner, fields.ListOf):
            inner, way = inner.item, (*way, 0)
        if isinstance(inner, fields.Record):
            yield from paths(inner, way)


def put(body: Any, way: tuple[Any, ...], value: Any) -> Any:
    """`body` with `value` at the end of the way; without it where the value is `GONE`."""
    copy = dict(body) if isinstance(body, dict) else list(body)
    if len(way) > 1:
        copy[way[0]] = put(copy[way[0]], way[1:], value)
    elif value is GONE:
        del copy[way[0]]
    else:
        copy[way[0]] = value
    return copy


GONE = object()
