"""Import of findings from a file: idempotent, deconflicted, each rejection with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.services.coordination import Executions, executions, report, reproduced
from tests.services.running import run_jobs

from vedette.clearinghouse.findings import Finding as Given
from vedette.cli import main
from vedette.kernel.errors import Forbidden, NotFound
from vedette.services import imports
from vedette.services.testing import Fixture
from vedette.store.models import Finding, LedgerEntry, Organisation
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]
FIRST = "A block write past the register map of the gateway overflows its heap buffer"
SECOND = "Heap buffer overflow: the gateway's register map lets a block write past its end"
OTHER = "Session cookie of the web console is predictable from the time of day"


def given(name: str, title: str, **more: Any) -> Given:
    return Given.parse({"id": name, "title": title, "product": "RegMap Gateway", **more})


def states() -> dict[str, str]:
    with scoped(SYSTEM):
        return dict(Finding.objects.values_list("external_id", "state"))


def test_again_changes_nothing_and_batches_do_not_matter(
    clearinghouse: Fixture, executions: Executions, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator = clearinghouse.person("coordinator")
    rows = [given("a", FIRST, reporter="x"), given("b", OTHER), given("a", FIRST, reporter="x")]
    counts = imports.import_findings(coordinator, rows)
    assert counts == {"accepted": 2, "already_known": 1, "duplicates": 0, "rejected": 0}
    with scoped(SYSTEM):
        entries = LedgerEntry.objects.count()
    monkeypatch.setattr(imports, "BATCH", 1)
    again = imports.import_findings(coordinator, rows)
    assert again == {"accepted": 0, "already_known": 3, "duplicates": 0, "rejected": 0}
    with scoped(SYSTEM):
        assert LedgerEntry.objects.count() == entries


def test_another_reporters_row_is_a_duplicate_within_the_file_and_of_what_is_known(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = clearinghouse.person("coordinator")
    one = clearinghouse.organisation("One", "finder")
    two = clearinghouse.organisation("Two", "finder")
    where = {"function": "write_registers", "cwe": ["CWE-787"]}
    first = given("a", FIRST, **where)
    assert imports.import_findings(coordinator, [first], reporter=one.name)["accepted"] == 1
    second = given("b", SECOND, **where)
    counts = imports.import_findings(coordinator, [second], reporter=two.id)
    assert counts["duplicates"] == 1
    assert states() == {"a": "received", "b": "duplicate"}
    with scoped(SYSTEM):
        row = Finding.objects.get(external_id="b")
        assert any("write_registers" in why for why in row.why)
        assert row.org_id == two.id


def test_rows_with_a_recipe_are_executed(clearinghouse: Fixture, executions: Executions) -> None:
    row = Given.parse({"id": "r", **{k: v for k, v in report().items() if k != "vendor"}})
    imports.import_findings(clearinghouse.person("coordinator"), [row])
    run_jobs()
    assert states() == {"r": "reproduced"}
    assert reproduced(clearinghouse, title="Found again").state == "duplicate"


def test_a_lab_imports_nothing(lab: Fixture) -> None:
    with pytest.raises(NotFound):
        imports.import_findings(lab.person("finder"), [given("a", FIRST)])


def test_only_the_coordinator_imports_for_others(clearinghouse: Fixture) -> None:
    org = clearinghouse.organisation("One", "finder")
    with pytest.raises(Forbidden):
        imports.import_findings(
            clearinghouse.person("finder", org.id), [given("a", FIRST)], reporter="Two"
        )
    with pytest.raises(NotFound):
        imports.import_findings(
            clearinghouse.person("coordinator"), [given("a", FIRST)], reporter="Nobody"
        )


def test_the_command_prints_the_counts_and_keeps_rejections(
    clearinghouse: Fixture,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vedette.cli.findings.boot", lambda folder: tmp_path)
    file = tmp_path / "findings.jsonl"
    lines = [json.dumps({"id": "a", "title": FIRST}), "{broken", json.dumps({"id": "b"})]
    file.write_text("\n".join(lines) + "\n")
    for accepted in (1, 0):
        with pytest.raises(SystemExit) as stop:
            main(["findings", "import", str(file), "--reporter", "Second Finder"])
        assert not stop.value.code
        out, err = capsys.readouterr()
        counts = json.loads(out)
        assert (counts["accepted"], counts["already_known"]) == (accepted, 1 - accepted)
        assert counts["rejected"] == 2
        assert "findings.jsonl.rejected.jsonl" in err
    kept = (tmp_path / "findings.jsonl.rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in kept] == [2, 3]
    assert "title" in json.loads(kept[1])["reason"]
    with scoped(SYSTEM):
        assert Organisation.objects.get(name="Second Finder").kind == "finder"
    file.write_text(lines[0] + "\n")
    with pytest.raises(SystemExit):
        main(["findings", "import", str(file), "--reporter", "Second Finder"])
    assert not (tmp_path / "findings.jsonl.rejected.jsonl").exists()
