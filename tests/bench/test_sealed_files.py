"""A suite as sealed files: whole, in part, and with one file in another's place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from vedette.bench.sealed_files import item_names, open_suite, opens, seal_suite
from vedette.bench.suites import Suite, find_suite
from vedette.kernel.errors import BadInput
from vedette.kernel.sealing import WindowKey
from vedette.runner.harness import Harness

KEY = WindowKey.generate()


@pytest.fixture(scope="module")
def suite() -> Suite:
    return find_suite("daemons")


@pytest.fixture
def sealed(suite: Suite, tmp_path: Path) -> Path:
    seal_suite(suite, KEY, tmp_path / "sealed")
    return tmp_path / "sealed"


def test_all_of_it_is_the_suite_again(suite: Suite, sealed: Path, tmp_path: Path) -> None:
    found = open_suite(sealed, suite.digest, KEY, tmp_path / "open")
    assert dataclasses.replace(found, root=suite.root, items=()) == dataclasses.replace(
        suite, items=()
    )
    assert [item.prompt for item in found.items] == [item.prompt for item in suite.items]
    assert len(list(sealed.iterdir())) == len(suite.items) + 1
    assert item_names(sealed, suite.digest, KEY) == [item.id for item in suite.items]


def test_nothing_of_it_reads_without_the_key(suite: Suite, sealed: Path, tmp_path: Path) -> None:
    words = [suite.canary, *(w for item in suite.items for w in (item.id, item.title))]
    for path in sealed.iterdir():
        data = path.read_bytes()
        assert not [word for word in words if word.encode() in data]
    assert not opens(sealed, suite.digest, WindowKey(KEY.id, b"x" * 32))
    with pytest.raises(BadInput):
        open_suite(sealed, suite.digest, WindowKey.generate(), tmp_path / "open")


def test_a_part_holds_its_items_alone(suite: Suite, sealed: Path, tmp_path: Path) -> None:
    part = open_suite(sealed, suite.digest, KEY, tmp_path / "open", [1, 3])
    assert [item.id for item in part.items] == [suite.items[0].id, suite.items[2].id]
    assert (part.digest, part.part) == (suite.digest, (1, 3))
    assert not (tmp_path / "open" / suite.items[1].id).exists()
    harness = Harness(part, tmp_path)
    assert harness.described()["items"] == "1, 3"
    assert Harness.of(harness.ref).suite == part
    for numbers in ([0], [len(suite.items) + 1]):
        with pytest.raises(BadInput):
            open_suite(sealed, suite.digest, KEY, tmp_path / f"{numbers[0]}", numbers)


@pytest.mark.parametrize("change", ["swapped", "cut", "gone", "another version's"])
def test_a_changed_one_does_not_open(
    suite: Suite, sealed: Path, tmp_path: Path, change: str
) -> None:
    first, second = sealed / "0001.sealed", sealed / "0002.sealed"
    digest = suite.digest
    match change:
        case "swapped":
            a, b = first.read_bytes(), second.read_bytes()
            first.write_bytes(b)
            second.write_bytes(a)
        case "cut":
            first.write_bytes(first.read_bytes()[:-20])
        case "gone":
            first.unlink()
        case _:
            digest = "sha256:" + "0" * 64
    with pytest.raises(BadInput):
        open_suite(sealed, digest, KEY, tmp_path / "open")
