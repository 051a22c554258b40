"""What the tests of coordination share: findings reproduced without a sandbox, and a case."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from vedette.services import cases, findings, fixes, reproduction
from vedette.services.testing import Fixture
from vedette.store.models import Case, Finding, LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped

FRAMES = ["write_registers", "serve", "handle"]


def shown(**changes: Any) -> dict[str, Any]:
    """What an execution shows: reproduced, unless changed."""
    return {
        "reproduced": True,
        "crash_class": "heap-buffer-overflow",
        "access": "WRITE of size 2",
        "top_frame": "write_registers",
        "frames": FRAMES,
        "runs": 3,
        "crashed": 3,
        "fixed_clean": True,
        "isolation": "a test",
        "build_digests": {},
        "input_digest": "sha256:" + "0" * 64,
        "reason": "heap-buffer-overflow in write_registers",
        **changes,
    }


def fixed(**changes: Any) -> dict[str, Any]:
    """What executing a fix shows."""
    return {
        "fixed": True,
        "functional": True,
        "runs": 6,
        "isolation": "a test",
        "build_digest": "sha256:" + "0" * 64,
        "reason": "fixed, and working as before",
        **changes,
    }


def recipe(data: bytes = b"x", item: str = "regmap") -> dict[str, str]:
    encoded = base64.b64encode(data).decode()
    return {"kind": "suite-item", "suite": "daemons", "item": item, "input_b64": encoded}


UJSON = {
    "kind": "pypi",
    "name": "ujson",
    "version": "5.1.0",
    "sha256": "a" * 64,
    "fixed_version": "5.2.0",
    "fixed_sha256": "b" * 64,
    "script": "import ujson\nujson.dumps([[1]], indent=65537)",
}


def report(**changes: Any) -> dict[str, Any]:
    """A finding's fields."""
    return {
        "title": "Overflow",
        "vendor": "Norrvik Pumpworks",
        "product": "RegMap Gateway",
        "version": "3.2.0",
        "cwe": ["CWE-787"],
        "recipe": recipe(),
        **changes,
    }


class Executions:
    """Stands in for the sandbox: what executions of recipes and of fixes show from now on."""

    def __init__(self) -> None:
        self.finding: Any = shown()
        self.fix: Any = fixed()
        self.ran: list[Mapping[str, Any]] = []
        self.builds: list[Any] = []

    def execute(self, recipe: Mapping[str, Any], build: Any = None) -> Any:
        self.ran.append(recipe)
        self.builds.append(build)
        return _or_raise(self.finding)

    def verify(self, recipe: Mapping[str, Any], source: bytes, build: Any = None) -> Any:
        self.ran.append(recipe)
        return _or_raise(self.fix)


def _or_raise(found: Any) -> Any:
    if isinstance(found, Exception):
        raise found
    return found


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> Executions:
    made = Executions()
    monkeypatch.setattr(reproduction, "execute", made.execute)
    monkeypatch.setattr(fixes, "verify", made.verify)
    return made


def reproduced(here: Fixture, **changes: Any) -> Finding:
    """A finding that a finder reported and we reproduced."""
    row = findings.report_finding(here.person("coordinator"), report(**changes))
    reproduction.reproduce_finding(row.id)
    return finding(row.id)


def opened(here: Fixture, **changes: Any) -> Case:
    """A case on a reproduced finding."""
    return cases.open_case(here.person("coordinator"), reproduced(here, **changes).id)


def finding(finding_id: str) -> Finding:
    with scoped(SYSTEM):
        rows = Finding.objects.select_related("org", "case", "duplicate_of")
        found: Finding = rows.get(id=finding_id)
        return found


def case(case_id: str) -> Case:
    with scoped(SYSTEM):
        found: Case = Case.objects.get(id=case_id)
        return found


def events(object_id: str) -> list[str]:
    with scoped(SYSTEM):
        rows = LedgerEntry.objects.filter(object_id=object_id).order_by("seq")
        return list(rows.values_list("event", flat=True))
