"""Recipes are taken strictly, executed afresh, and a vendor's fix is judged by running it."""

import base64
import contextlib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.bench.suites import SHIPPED
from vedette.kernel.errors import BadInput, MissingPart, NotFound
from vedette.runner.build import SCRIPT_HEAD
from vedette.runner.reproduce import (
    check_script,
    regression,
    reproduce,
    shipped_recipe,
    verify_fix,
)


def recipe(item, data=None):
    data = item.reference_input.read_bytes() if data is None else data
    return {
        "kind": "suite-item",
        "suite": "daemons",
        "item": item.id,
        "input_b64": base64.b64encode(data).decode(),
    }


def test_a_suite_items_recipe_is_reproduced(daemons, builds):
    evidence = reproduce(recipe(daemons.item("mqueue")), cache_dir=builds, repeats=2)
    assert evidence.reproduced
    assert evidence.crash_class == "heap-use-after-free"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "shell"}, "kind"),
        ({"suite": "../daemons"}, "suite"),
        ({"suite": "/etc"}, "suite"),
        ({"suite": 3}, "suite"),
        ({"item": "other"}, "item"),
        ({"input_b64": "@@@"}, "input_b64"),
        ({"input_b64": "ä"}, "input_b64"),
        ({"input_b64": "A" * 90000}, "input_b64"),
        ({"command": "true"}, "command"),
        ({"item": None}, "item"),
    ],
)
def test_a_recipe_that_can_not_be_taken_names_its_field(daemons, builds, change, said):
    with pytest.raises(BadInput, match=said):
        reproduce({**recipe(daemons.item("regmap")), **change}, cache_dir=builds)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "ujson; true"}, "name"),
        ({"name": "../ujson"}, "name"),
        ({"version": "5.1.0 --index-url x"}, "version"),
        ({"sha256": "00"}, "sha256"),
        ({"fixed_sha256": "g" * 64}, "fixed_sha256"),
        ({"script": ""}, "script"),
        ({"script": "import ujson\n" * 1000}, "script"),
        ({"more": 1}, "more"),
    ],
)
def test_a_packages_recipe_too(builds, change, said):
    with pytest.raises(BadInput, match=said):
        reproduce({**shipped_recipe("ujson"), **change}, cache_dir=builds)


@pytest.mark.parametrize(
    "script",
    [
        "import ujson; ujson.dumps([[1]], indent=65537)",
        "import ujson\nujson.loads('[' * 2000)\nujson.dumps({'a': (1, -2.5, None)})",
    ],
)
def test_scripts_of_imports_and_calls_with_literals_are_taken(script):
    assert check_script(script) == {"ujson"}


@pytest.mark.parametrize(
    "script",
    [
        "print('==1==ERROR: AddressSanitizer: forged')",
        "import sys as ujson",
        "import os.path",
        "from ujson import dumps",
        "import ujson\nujson.dumps(open('/etc/passwd'))",
        "import ujson\nujson.sys.stderr.write('forged')",
        "import ujson\nujson.__loader__('x')",
        "import ujson\nujson.dumps(f'{1}')",
        "import ujson\nujson.dumps([x for x in (1,)])",
        "import ujson\nujson.dumps(lambda: 0)",
        "import ujson\nx = 1",
        "import ujson\nujson.dumps(*[1], **{'a': ujson})",
        "ujson.dumps(1)",
        "import ujson\nif 1: pass",
        "\0",
        "import ujson\nujson.dumps('\ud800')",
        "(" * 3000,
    ],
)
def test_scripts_that_do_anything_else_are_refused(script):
    with pytest.raises(BadInput, match="script"):
        check_script(script)


@given(st.text(max_size=200))
def test_any_script_is_taken_or_refused(text):
    with contextlib.suppress(BadInput):
        check_script(text)


def test_no_comment_of_a_script_chooses_its_encoding():
    assert SCRIPT_HEAD.splitlines()[0] == "# coding: utf-8"


def test_the_vendors_fix_is_verified_by_execution(daemons, builds):
    item = daemons.item("telemetry")
    given = recipe(item)
    fixed = verify_fix(given, item.fixed[0].read_bytes(), cache_dir=builds, repeats=1)
    assert fixed.verified
    unfixed = verify_fix(given, item.vulnerable[0].read_bytes(), cache_dir=builds, repeats=1)
    assert not unfixed.fixed
    assert "stack-buffer-overflow in take_feeder" in unfixed.reason


def test_a_fix_that_only_stops_working_is_no_fix(daemons, builds):
    item = daemons.item("telemetry")
    empty = b"int main(void) { return 0; }"
    result = verify_fix(recipe(item), empty, cache_dir=builds, repeats=1)
    assert result.fixed
    assert not result.functional
    assert not result.verified
    assert "no longer works" in result.reason


def test_a_fix_that_never_ends_is_no_fix(daemons, builds, monkeypatch):
    import vedette.runner.reproduce as module

    monkeypatch.setattr(
        module,
        "run_binary",
        lambda binary, data, run=module.run_binary: run(binary, data, timeout=0.3),
    )
    endless = b"int main(void) { volatile int x = 1; while (x) {} return 0; }"
    result = verify_fix(recipe(daemons.item("mqueue")), endless, cache_dir=builds, repeats=1)
    assert not result.fixed
    assert "in time" in result.reason


def test_a_package_has_no_delivered_source(builds):
    with pytest.raises(BadInput):
        verify_fix(shipped_recipe("ujson"), b"", cache_dir=builds)


def test_the_shipped_flaw_names_its_record_and_the_versions():
    shipped = tomllib.loads((SHIPPED / "regressions" / "ujson.toml").read_text())
    assert regression("ujson") == shipped
    assert "CVE-2021-45958" in shipped["aliases"]
    assert shipped["record_says_fixed_in"] == shipped["recipe"]["version"]
    with pytest.raises(NotFound, match="ujson"):
        regression("../ujson")


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "crash_class", "frames"),
    [
        (
            "ujson",
            "stack-buffer-overflow",
            ("Buffer_AppendIndentUnchecked", "encode", "JSON_EncodeObject", "objToJSON"),
        ),
        ("bsdiff4", "heap-buffer-overflow", ("patch",)),
        (
            "bsonjs",
            "heap-buffer-overflow",
            ("_bson_utf8_get_sequence", "bson_utf8_get_char", "bson_utf8_escape_for_json"),
        ),
        ("bsonjs-binary", "heap-buffer-overflow", ("_bson_iter_next_internal",)),
        ("jellyfish", "heap-buffer-overflow", ("nysiis", "jellyfish_nysiis")),
    ],
)
def test_real_flaws_are_there_until_the_version_that_execution_calls_fixed(
    builds, name, crash_class, frames
):
    recipe = shipped_recipe(name)
    assert recipe["fixed_version"] == regression(name)["execution_says_fixed_in"]
    try:
        evidence = reproduce(recipe, cache_dir=builds)
    except MissingPart as missing:
        pytest.skip(str(missing))
    assert evidence.reproduced
    assert (evidence.crash_class, evidence.frames[: len(frames)]) == (crash_class, frames)
