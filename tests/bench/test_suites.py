"""Suites are read within bounds; whatever is wrong is named, and nothing outside is touched."""

import dataclasses
import shutil
import tomllib

import pytest

from vedette.bench import suites
from vedette.bench.suites import SHIPPED, find_suite, load_suite, shipped_suites
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.markings import CLEAR


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(SHIPPED / "daemons", tmp_path / "copy")


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_shipped_suite_is_found_by_name_and_by_folder(copy):
    suite = find_suite("daemons")
    assert "daemons" in shipped_suites()
    assert [item.id for item in suite.items] == ["regmap", "telemetry", "mqueue", "settings"]
    assert suite.marking == CLEAR
    assert find_suite(copy).digest == suite.digest
    for item in suite.items:
        assert len(item.functional) >= 3
        assert 80 <= len(item.vulnerable[0].read_text().splitlines()) <= 220
        assert item.reference_input.stat().st_size <= 65536


def test_an_unknown_suite_or_item_names_what_there_is(tmp_path):
    with pytest.raises(NotFound, match="daemons"):
        find_suite(tmp_path / "none")
    with pytest.raises(NotFound, match="telemetry"):
        find_suite("daemons").item("other")


def test_the_digest_covers_content_and_names(copy):
    before = load_suite(copy).digest
    sample = copy / "mqueue" / "inputs" / "sample-1"
    sample.write_bytes(sample.read_bytes() + b"\n")
    changed = load_suite(copy).digest
    assert changed != before
    (copy / "notes").write_text("more")
    assert load_suite(copy).digest not in (before, changed)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"inputs/reference"', '"../../../etc/passwd"', "reference_input.*leaves"),
        ('"inputs/reference"', '"/etc/passwd"', "reference_input.*leaves"),
        ('"inputs/reference"', '"inputs/none"', "reference_input.*no file"),
        ('"inputs/reference"', "7", "reference_input must be text"),
        ('["vulnerable.c"]', "[]", "vulnerable"),
        ('["vulnerable.c"]', "[1]", "vulnerable"),
        ("human_minutes = 8", "human_minutes = nan", "human_minutes"),
        ("human_minutes = 8", "human_minutes = true", "human_minutes"),
        ("executions = 600", "executions = -1", "executions"),
        ("executions = 600", "", "executions"),
        ('id = "regmap"', 'id = "other"', "id is not"),
        ('title = "', 'title = ""\nother = "', "title is empty"),
        ("[product]", "[products]", "product must be a table"),
        ("id = ", "id = = ", "no TOML"),
    ],
)
def test_what_is_wrong_in_an_item_is_named(copy, old, new, said):
    edit(copy / "regmap" / "item.toml", old, new)
    with pytest.raises(BadInput, match=said):
        load_suite(copy)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('marking = "TLP:CLEAR"', 'marking = "open"', "marking"),
        ('"regmap", "telemetry"', '"regmap", "regmap"', "twice"),
        ('"regmap", "telemetry"', '"../copy", "telemetry"', "plain folder name"),
        ('name = "daemons"', 'name = "dae mons"', "name may hold"),
        ("items = [", "other = [", "items"),
    ],
)
def test_what_is_wrong_in_the_suite_is_named(copy, old, new, said):
    edit(copy / "suite.toml", old, new)
    with pytest.raises(BadInput, match=said):
        load_suite(copy)


def test_links_are_refused(copy, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (copy / "regmap" / "inputs" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match="no regular file"):
        load_suite(copy)


def test_size_and_count_are_bounded(copy, monkeypatch):
    monkeypatch.setattr(suites, "MOST_FILE_BYTES", 100)
    with pytest.raises(BadInput, match="too large"):
        load_suite(copy)
    monkeypatch.setattr(suites, "MOST_FILES", 3)
    with pytest.raises(BadInput, match="more than 3 files"):
        load_suite(copy)


def test_real_releases_are_those_of_the_recipes() -> None:
    items = find_suite("releases").items
    for item in items:
        recipe = tomllib.loads((SHIPPED / "regressions" / f"{item.id}.toml").read_text())["recipe"]
        assert item.release is not None
        told = dataclasses.asdict(item.release)
        assert {field: recipe[field] for field in told} == told
        assert (item.product.version, item.product.fixed_version) == (
            item.release.version,
            item.release.fixed_version,
        )
    assert len(items) == 4
