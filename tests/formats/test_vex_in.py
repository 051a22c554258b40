"""OpenVEX, CSAF VEX and CycloneDX VEX take the same match away, with the reason they give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component as Written
from cyclonedx.model.impact_analysis import (
    ImpactAnalysisJustification,
    ImpactAnalysisState,
)
from cyclonedx.model.vulnerability import (
    BomTarget,
    BomTargetVersionRange,
    Vulnerability,
    VulnerabilityAnalysis,
)
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from vedette.cli import main
from vedette.formats.detect import read_inventory

OSV = {
    "id": "PYSEC-1",
    "modified": "2026-01-01T00:00:00Z",
    "aliases": ["CVE-2026-1"],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "foo"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
        }
    ],
}
OPENVEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.com/vex/1",
    "author": "Example",
    "timestamp": "2026-02-01T00:00:00Z",
    "version": 1,
    "statements": [
        {
            "vulnerability": {"name": "CVE-2026-1"},
            "products": [{"@id": "pkg:pypi/foo"}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_present",
            "impact_statement": "built without it",
        }
    ],
}
CSAF = {
    "document": {
        "category": "csaf_vex",
        "csaf_version": "2.0",
        "title": "VEX",
        "tracking": {"id": "EX-1", "current_release_date": "2026-02-01T00:00:00Z"},
    },
    "product_tree": {
        "full_product_names": [
            {
                "product_id": "P1",
                "name": "foo",
                "product_identification_helper": {"purl": "pkg:pypi/foo"},
            }
        ]
    },
    "vulnerabilities": [
        {
            "cve": "CVE-2026-1",
            "product_status": {"known_not_affected": ["P1"]},
            "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["P1"]}],
            "threats": [
                {"category": "impact", "details": "built without it", "product_ids": ["P1"]}
            ],
        }
    ],
}


def cyclonedx(
    schema: SchemaVersion = SchemaVersion.V1_6,
    form: OutputFormat = OutputFormat.JSON,
    state: ImpactAnalysisState = ImpactAnalysisState.NOT_AFFECTED,
    versions: tuple[BomTargetVersionRange, ...] = (),
    ref: str = "u",
) -> bytes:
    purl = PackageURL("pypi", None, "foo", "1.0")
    bom = Bom(components=[Written(name="foo", version="1.0", bom_ref="u", purl=purl)])
    bom.metadata.component = Written(name="plant", version="7", bom_ref="root")
    analysis = VulnerabilityAnalysis(
        state=state,
        justification=ImpactAnalysisJustification.CODE_NOT_PRESENT,
        detail="built without it",
    )
    target = BomTarget(ref=BomRef(ref).value or "", versions=versions)
    bom.vulnerabilities.add(Vulnerability(id="CVE-2026-1", analysis=analysis, affects=[target]))
    return make_outputter(bom, form, schema).output_as_string().encode()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "osv.json").write_text(json.dumps(OSV))
    (tmp_path / "site.csv").write_text("serial;purl\nS1;pkg:pypi/foo@1.0\n")
    (tmp_path / "vex").mkdir()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(list(args))
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


MATCH = ("match", "--advisories", "osv.json", "--inventory", "site.csv")


@pytest.mark.parametrize(
    ("document", "label"),
    [
        (OPENVEX, "vulnerable_code_not_present"),
        (CSAF, "vulnerable_code_not_present"),
        (json.loads(cyclonedx(ref="pkg:pypi/foo")), "code_not_present"),
        (json.loads(cyclonedx()), "code_not_present"),
    ],
)
def test_each_format_takes_the_match_away_and_shows_why(
    files: Path, capsys: pytest.CaptureFixture[str], document: Any, label: str
) -> None:
    (files / "vex/v.json").write_text(json.dumps(document))
    code, out, err = run(capsys, *MATCH, "--vex", "vex", "--fail-on", "any")
    assert (code, out) == (0, "")
    assert "1 matches taken away by VEX (1 not_affected)" in err
    _, table, _ = run(capsys, *MATCH, "--vex", "vex", "--format", "table")
    assert f"not_affected, {label}: built without it (stated by vex/v.json" in table
    assert table.endswith("0 matches, 1 taken away by VEX\n")
    _, out, _ = run(capsys, *MATCH, "--vex", "vex", "--format", "vex")
    statement = json.loads(out)["statements"][0]
    assert statement["status"] == "not_affected"
    standard = label == "vulnerable_code_not_present"  # then the schema has no impact statement
    assert "built without it" in statement["status_notes" if standard else "impact_statement"]
    assert statement.get("justification") == (label if standard else None)
    _, out, _ = run(capsys, *MATCH, "--vex", "vex", "--format", "sarif")
    result = json.loads(out)["runs"][0]["results"][0]
    assert "built without it" in result["suppressions"][0]["justification"]


@pytest.mark.parametrize("document", [OPENVEX, CSAF, json.loads(cyclonedx())])
def test_vex_among_the_advisories_counts(
    files: Path, capsys: pytest.CaptureFixture[str], document: Any
) -> None:
    (files / "vex/v.json").write_text(json.dumps(document))
    code, out, err = run(capsys, *MATCH, "--advisories", "vex")
    assert (code, out) == (0, "")
    assert "taken away by VEX" in err


@pytest.mark.parametrize("status", ["known_affected", "under_investigation"])
def test_other_states_of_csaf_take_nothing_away(
    files: Path, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    document = json.loads(json.dumps(CSAF))
    document["vulnerabilities"][0]["product_status"] = {status: ["P1"]}
    (files / "vex/v.json").write_text(json.dumps(document))
    _, out, err = run(capsys, *MATCH, "--vex", "vex")
    assert [json.loads(line)["advisory"] for line in out.splitlines()] == ["PYSEC-1"]
    assert "taken away" not in err


SCHEMAS = [SchemaVersion.V1_4, SchemaVersion.V1_5, SchemaVersion.V1_6, SchemaVersion.V1_7]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("form", [OutputFormat.JSON, OutputFormat.XML])
def test_an_sbom_is_its_own_vex(
    files: Path, capsys: pytest.CaptureFixture[str], schema: SchemaVersion, form: OutputFormat
) -> None:
    (files / "sbom.json").write_bytes(cyclonedx(schema, form))
    _, out, err = run(capsys, "match", "--advisories", "osv.json", "--inventory", "sbom.json")
    assert out == ""
    assert "1 not_affected" in err


@pytest.mark.parametrize(
    ("state", "versions", "stays"),
    [
        (ImpactAnalysisState.RESOLVED, (), False),
        (ImpactAnalysisState.FALSE_POSITIVE, (), False),
        (ImpactAnalysisState.EXPLOITABLE, (), True),
        (ImpactAnalysisState.IN_TRIAGE, (), True),
        (ImpactAnalysisState.NOT_AFFECTED, (BomTargetVersionRange(version="1.0"),), False),
        (ImpactAnalysisState.NOT_AFFECTED, (BomTargetVersionRange(version="2.0"),), True),
        (ImpactAnalysisState.NOT_AFFECTED, (BomTargetVersionRange(range="vers:pypi/<2"),), False),
        (ImpactAnalysisState.NOT_AFFECTED, (BomTargetVersionRange(range="vers:pypi/>2"),), True),
    ],
)
@pytest.mark.parametrize("form", [OutputFormat.JSON, OutputFormat.XML])
def test_states_and_versions_of_cyclonedx(
    files: Path,
    capsys: pytest.CaptureFixture[str],
    form: OutputFormat,
    state: ImpactAnalysisState,
    versions: tuple[BomTargetVersionRange, ...],
    stays: bool,
) -> None:
    (files / "sbom.json").write_bytes(cyclonedx(form=form, state=state, versions=versions))
    _, out, _ = run(capsys, "match", "--advisories", "osv.json", "--inventory", "sbom.json")
    assert bool(out) is stays


def test_a_statement_on_the_whole_covers_its_parts() -> None:
    inventory = read_inventory(cyclonedx(ref="root"), "sbom.json")
    assert inventory.subject == "root"
    assert [s.references for s in inventory.statements] == [("root",)]


def test_what_is_no_vex_is_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "vex/v.json").write_text("[1]")
    _, out, err = run(capsys, *MATCH, "--vex", "vex")
    assert out
    assert "vex/v.json: neither OpenVEX, a CSAF VEX nor CycloneDX VEX" in err
    code, _, err = run(capsys, *MATCH, "--vex", "vex/v.json")
    assert code == 2
    assert len(err.splitlines()) == 1
