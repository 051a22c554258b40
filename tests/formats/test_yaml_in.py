"""OSV as YAML gives what the same record as JSON gives, and no file makes more than it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.formats import osv_in, yaml_in
from vedette.formats.detect import AdvisoryPaths
from vedette.kernel.errors import BadInput
from vedette.matching.building import build

pytestmark = pytest.mark.any_database
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=12)
versions = st.sampled_from(["1.0", "1.10", "0", "2!1", "1e3", "2026-01-01", "010", "no", "0x10"])
events = st.lists(st.dictionaries(st.sampled_from(["introduced", "fixed"]), versions), max_size=3)
records = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["PYSEC-1", "1"]),
        "modified": st.just("2026-01-01T00:00:00Z"),
        "affected": st.lists(
            st.fixed_dictionaries(
                {
                    "package": st.just({"ecosystem": "PyPI", "name": "foo"}),
                    "ranges": st.lists(
                        st.fixed_dictionaries({"type": st.just("ECOSYSTEM"), "events": events}),
                        max_size=2,
                    ),
                    "versions": st.lists(versions, max_size=3),
                }
            ),
            max_size=2,
        ),
    },
    optional={"summary": texts, "details": texts, "aliases": st.lists(texts, max_size=2)},
)


@settings(max_examples=40, deadline=None)
@given(records, st.booleans())
def test_a_record_is_the_same_in_both_forms(record: dict[str, Any], flow: bool) -> None:
    form = {"default_flow_style": flow, "sort_keys": False, "allow_unicode": True}
    written = yaml.safe_dump(record, **form).encode()
    if b"&id" not in written:  # the dumper's own aliases for equal objects
        assert yaml_in.read(written, "x") == osv_in.read(record, "x")


def test_unquoted_scalars_are_texts() -> None:
    written = (
        b"id: 1\nmodified: 2026-01-01T00:00:00Z\nwithdrawn: null\nsummary: ~\naffected:\n"
        b"- package: {ecosystem: PyPI, name: foo}\n  versions: [1.10, 2026-01-01]\n"
    )
    found = yaml_in.read(written, "x")
    assert (found.id, found.modified, found.withdrawn) == ("1", "2026-01-01T00:00:00Z", False)
    assert found.affected[0].versions == ("1.10", "2026-01-01")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (b"a: &a [x, x]\nb: [*a, *a]\nid: 1\n", "aliases"),
        (b"id: &a\n  modified: *a\n", "aliases"),
        (b"[" * 100_000, "nested deeper|not YAML"),
        (b"- " * 100_000, "nested deeper"),
        (b"? " * 100_000, "nested deeper"),
        (b"\n".join(b" " * n + b"a:" for n in range(300)), "nested deeper"),
        (b"id: [1", "not YAML"),
        (b"id: \xff\xfe", "not YAML"),
        (b"id: PYSEC-1\n", "no OSV record"),
        (b"", "no OSV record"),
    ],
)
def test_what_is_no_record_is_one_plain_error(written: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        yaml_in.read(written, "x.yaml")


def test_a_folder_may_hold_both_forms(tmp_path: Path) -> None:
    package = {"ecosystem": "PyPI", "name": "foo"}
    record = {"id": "A", "modified": "2026-01-01", "affected": [{"package": package}]}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(record))
    (tmp_path / "b.YML").write_text(yaml.safe_dump(record | {"id": "B"}))
    (tmp_path / "c.yaml").write_text("on: push")
    (tmp_path / "d.json").write_text(json.dumps(record | {"id": "D"}))
    source = AdvisoryPaths([tmp_path])
    found = list(source.advisories())
    assert [one.id for one in found] == ["A", "B", "D"]
    (problem,) = source.problems
    assert "c.yaml: no OSV record" in problem
    assert build(found) == build(reversed(found))
