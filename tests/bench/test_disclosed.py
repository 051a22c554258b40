"""A disclosed item: all that is executed of it crosses, and no word more."""

from __future__ import annotations

import dataclasses
import tempfile
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.bench.disclosed import FORMAT, digest_of, disclosed_item, open_disclosed
from vedette.bench.suites import Item, Suite, find_suite
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput, Refused
from vedette.runner.scaffold import generated_suite


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return generated_suite(tmp_path_factory.mktemp("generated") / "suite", 3)


def executed(item: Item) -> tuple[Any, ...]:
    """All of an item that builds, runs and fixes are held to."""
    paths = (*item.vulnerable, *item.fixed, *((item.outside,) if item.outside else ()))
    tests = [(t.input.read_bytes(), t.output.read_bytes()) for t in item.functional]
    plant = item.plant.read_bytes() if item.plant else b""
    sources = [(path.name, path.read_bytes()) for path in paths]
    return sources, tests, plant, item.release, item.product, item.cwe, item.crash_class


def kinds(suite: Suite) -> dict[str, Item]:
    return {item.family + item.domain: item for item in suite.items}


def test_every_kind_of_item_opens_as_it_was(suite: Suite, tmp_path: Path) -> None:
    shown = [(suite, item) for item in kinds(suite).values()]
    shown += [(found, found.items[0]) for found in map(find_suite, ("daemons", "releases"))]
    assert len(shown) > 20
    for number, (whole, item) in enumerate(shown):
        made = disclosed_item(whole, item)
        part = open_disclosed(made, tmp_path / str(number), whole.name)
        assert executed(part.items[0]) == executed(item)
        assert (part.name, part.digest) == (whole.name, digest_of(made))


def test_nothing_else_crosses(suite: Suite) -> None:
    for item in kinds(suite).values():
        made = disclosed_item(suite, item)
        told = canonical(made) + b"".join(map(b64decode, made["files"].values()))
        others = {other.id for other in suite.items if "-" in other.id} - {item.id}
        for words in (item.title, item.summary, item.prompt[:60], suite.canary, *others):
            assert words.encode() not in told, (item.id, words)
        harmless = [test.input.read_bytes() for test in item.functional]
        for path in (item.reference_input, *item.hidden):
            if path.read_bytes() not in harmless:
                assert path.read_bytes() not in map(b64decode, made["files"].values())


def test_a_source_that_tells_the_canary_stays(suite: Suite) -> None:
    telling = dataclasses.replace(suite, canary=suite.items[0].vulnerable[0].read_text()[:30])
    with pytest.raises(Refused, match="canary"):
        disclosed_item(telling, suite.items[0])


@settings(max_examples=40)
@given(
    change=st.dictionaries(
        st.sampled_from(["vulnerable", "fixed", "outside", "functional", "id", "product", "plant"]),
        st.none() | st.text(max_size=9) | st.lists(st.sampled_from(["../x", "/etc/passwd", "i.c"])),
        min_size=1,
    ),
    names=st.lists(st.sampled_from(["../../x", "/tmp/x", "a/../../../x", "a", "a/b", "input", ""])),
)
def test_what_a_stranger_writes_is_bad_input_and_leaves_no_folder(
    change: dict[str, Any], names: list[str]
) -> None:
    whole = find_suite("daemons")
    made = disclosed_item(whole, whole.items[0])
    files = {**made["files"], **dict.fromkeys(names, "eA==")}
    bad = {"format": FORMAT, "item": {**made["item"], **change}, "files": files}
    with tempfile.TemporaryDirectory() as at:
        folder = Path(at) / "in" / "it"
        with suppress(BadInput):
            (item,) = open_disclosed(bad, folder, "daemons").items
            assert all(p.resolve().is_relative_to(folder) for p in (*item.vulnerable, *item.fixed))
        written = [p for p in Path(at).rglob("*") if p.is_file()]
        assert all(path.is_relative_to(folder) for path in written)
