"""Every format is read, every record that can't be taken is named with its line and reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.clearinghouse.findings import Finding
from vedette.formats import findings_in
from vedette.formats.findings_in import Rejection, read_findings
from vedette.kernel.errors import BadInput


def read(tmp_path: Path, name: str, content: str | bytes) -> list[Finding | Rejection]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_findings(path))


def taken(items: list[Finding | Rejection]) -> list[Finding]:
    assert all(isinstance(item, Finding) for item in items), items
    return [item for item in items if isinstance(item, Finding)]


def test_json_lines_go_on_after_a_bad_line(tmp_path: Path) -> None:
    lines = ['{"id":"f-1","title":"t"}', "", "{", '{"id":"f-2"}', '{"id":"f-3","title":"t"}']
    first, broken, untitled, last = read(tmp_path, "f.jsonl", "\ufeff" + "\n".join(lines))
    assert isinstance(first, Finding)
    assert isinstance(last, Finding)
    assert isinstance(broken, Rejection)
    assert isinstance(untitled, Rejection)
    assert (broken.line, untitled.line) == (3, 4)
    assert untitled.reason == "line 4: title: missing"
    assert untitled.content == '{"id":"f-2"}'


def test_a_line_too_long_is_rejected_and_the_next_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_in, "LINE_LIMIT", 1_000)
    content = "x" * 5_000 + '\n{"id":"f-1","title":"t"}\n'
    long, finding = read(tmp_path, "f.jsonl", content)
    assert isinstance(long, Rejection)
    assert long.line == 1
    assert isinstance(finding, Finding)


def test_deep_nesting_is_one_clear_reason(tmp_path: Path) -> None:
    (item,) = read(tmp_path, "f.jsonl", "[" * 200_000 + "\n")
    assert isinstance(item, Rejection)
    assert "nested deeper" in item.reason


def test_csv_rows_become_findings(tmp_path: Path) -> None:
    content = (
        "id,title,cwe,stack,references,owner\n"
        'f-1,"a, b","CWE-787,CWE-125","f\ng",https://a.example https://b.example,me\n'
        "f-2,,,,,\n"
        ",untitled no more,,,,\n"
    )
    first, bad, third = read(tmp_path, "f.csv", content)
    assert isinstance(first, Finding)
    assert first.cwe == ("CWE-787", "CWE-125")
    assert first.stack == ("f", "g")
    assert len(first.references) == 2
    assert isinstance(bad, Rejection)
    assert bad.line == 4
    assert isinstance(third, Finding)
    assert third.id.startswith("content-")


def test_csv_without_a_title_column_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="title: no such column"):
        read(tmp_path, "f.csv", "a,b\n1,2\n")


def test_csv_line_too_long_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_in, "LINE_LIMIT", 1_000)
    bad, good = read(tmp_path, "f.csv", "id,title\nf-1," + "x" * 3_000 + "\nf-2,t\n")
    assert isinstance(bad, Rejection)
    assert "longer than" in bad.reason
    assert isinstance(good, Finding)


OSV = {
    "id": "PYSEC-1",
    "modified": "2022-01-01T00:00:00Z",
    "summary": "crash",
    "details": "it crashes",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "ujson", "purl": "pkg:pypi/ujson"}}],
    "references": [{"type": "WEB", "url": "https://a.example"}],
    "database_specific": {"cwe_ids": ["CWE-787"]},
}
SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {
                "driver": {
                    "name": "scanner",
                    "rules": [{"id": "r1", "properties": {"tags": ["external/cwe/cwe-078"]}}],
                }
            },
            "results": [
                {
                    "ruleId": "r1",
                    "message": {"text": "command built from input"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "a.c"},
                                "region": {"startLine": 7},
                            },
                            "logicalLocations": [{"fullyQualifiedName": "run"}],
                        }
                    ],
                },
                {"ruleId": "r1"},
                {},
            ],
        }
    ],
}
CSAF = {
    "document": {
        "title": "Advisory",
        "publisher": {"name": "Acme"},
        "tracking": {"id": "ACME-1"},
    },
    "product_tree": {"branches": [{"product": {"product_id": "P1", "name": "Acme Pump"}}]},
    "vulnerabilities": [
        {
            "title": "overflow",
            "cwe": {"id": "CWE-787", "name": "Out-of-bounds Write"},
            "notes": [{"category": "description", "text": "long"}],
            "product_status": {"known_affected": ["P1"]},
        }
    ],
}


def test_osv_alone_in_a_list_and_by_line(tmp_path: Path) -> None:
    for name, content in (
        ("a.json", json.dumps(OSV, indent=1)),
        ("b.json", json.dumps([OSV])),
        ("c.jsonl", json.dumps(OSV) + "\n"),
    ):
        (finding,) = taken(read(tmp_path, name, content))
        assert (finding.id, finding.title, finding.product) == ("PYSEC-1", "crash", "ujson")
        assert finding.cwe == ("CWE-787",)


def test_sarif_results_become_findings(tmp_path: Path) -> None:
    first, second, third = read(tmp_path, "s.sarif", json.dumps(SARIF))
    assert isinstance(first, Finding)
    assert (first.file, first.function, first.cwe) == ("a.c:7", "run", ("CWE-78",))
    assert first.reporter == "scanner"
    assert isinstance(second, Finding)
    assert second.title == "r1"
    assert isinstance(third, Rejection)
    assert third.reason == "runs[0].results[2]: title: missing"


def test_csaf_vulnerabilities_become_findings(tmp_path: Path) -> None:
    (finding,) = taken(read(tmp_path, "c.json", json.dumps(CSAF)))
    assert (finding.id, finding.product, finding.reporter) == ("ACME-1", "Acme Pump", "Acme")


def test_reading_again_gives_the_same_ids(tmp_path: Path) -> None:
    assert read(tmp_path, "s.sarif", json.dumps(SARIF)) == read(
        tmp_path, "s.sarif", json.dumps(SARIF)
    )


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="can't be read"):
        list(read_findings(tmp_path / "none.jsonl"))


_keys = st.sampled_from(
    [
        "id",
        "title",
        "runs",
        "results",
        "document",
        "vulnerabilities",
        "affected",
        "tool",
        "driver",
        "rules",
        "locations",
        "stacks",
        "frames",
        "references",
        "product_tree",
        "branches",
        "message",
        "text",
        "package",
        "cwe",
        "recipe",
    ]
)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(_json)
def test_no_shape_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name, content in (("x.json", json.dumps(value)), ("x.jsonl", json.dumps(value) + "\n")):
        try:
            found = read(folder, name, content)
        except BadInput:
            assert "\\u0000" in content
            continue
        assert all(isinstance(item, Finding | Rejection) for item in found)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    for name in ("x.csv", "x.jsonl", "x.json", "x"):
        try:
            read(tmp_path_factory.getbasetemp(), name, data)
        except BadInput:
            continue
