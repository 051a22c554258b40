"""Who gets in where: every operation of the API and every page, on every profile.

The rows are walked from the router and the URL table, so that a new address without a row in one
of the short tables below is held to the default: strangers 401 or 302, an auditor 403 or 404.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver
from tests.web.visitors import visitor

from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import accounts
from vedette.services.acting import instance_actor
from vedette.services.testing import Fixture, instance
from vedette.site.urls import urlpatterns
from vedette.web.api.routers import api

PROBLEM = "application/problem+json"

# operations that whoever may read the ledger, or every member, may call
AUDITORS_OPERATIONS = frozenset(
    {"listAdvisories", "listCopies", "listIndexes", "listLedger", "listMessages", "listPeers"}
    | {"readMe", "suites"}
)
# what the auditors of these profiles may call and read besides: who read a lab's material
READING_LOGS = {
    Profile.LAB: frozenset({"listReadings"}),
    Profile.OFFICE: frozenset({"listReadings", "listReadingAlerts"}),
}
# they tell of any name, a CVE's too: of one that nobody answered, that nobody did
ABOUT_ANY_NAME = {Profile.CLEARINGHOUSE: {"readAnswers"}}
DATA = {"name": "some.json", "data": "e30="}
# well-formed requests of operations whose schema alone does not say what is well formed
BODIES: dict[str, Any] = {
    "addEndpoint": {"model": "Orion", "base_url": "https://model.example/v1"},
    "decide": {"choice": "decline"},
    "importKev": {"vulnerabilities": [{"cveID": "CVE-2021-44228"}]},
    "deliverFix": {"source": "int main(void) { return 0; }"},
    "requestSession": {"purpose": "confirmation"},
    "setHold": {"kind": "records"},
    "takeDelegatedInventory": DATA,
    "takeIndex": DATA,
    "takeInventory": DATA,
}

# no sign-in: probes, other instances' doors, what is published, the ways in, the API's own words
PUBLIC = re.compile(
    r"healthz|readyz|metrics|exchange/v1/(inbox|batch|attachments|private)|index/v1/|advisories/|csaf/|osv/"
    r"|welcome/|accounts/|api/v1/docs$|api/v1/openapi\.json$"
)
# no page: programs come here with a bearer token, and get problem+json
FOR_PROGRAMS = re.compile("api/|proxy/")
# pages that whoever may read the ledger, or every member, may read; and their own choice
AUDITORS_PAGES = {
    "": 200,
    "documents/": 200,
    "ledger/": 200,
    "messages/": 200,
    "organisation/": 302,
}


@dataclass(frozen=True)
class Operation:
    """One operation of the API with a request that is well formed, about ids of nothing."""

    method: str
    path: str
    id: str
    query: dict[str, Any]
    body: Any

    @property
    def names_something(self) -> bool:
        return "{" in self.path

    def call(self, token: str = "", method: str = "") -> Any:
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return Client().generic(
            method or self.method,
            f"{absent(self.path)}?{query}",
            b"" if self.body is None else json.dumps(self.body).encode(),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )


def absent(path: str) -> str:
    """The address with an id of nothing in each place."""
    return re.sub(r"\{[^}]+\}|<[^>]+>", lambda _: new_id("case"), path)


def operations() -> Iterator[Operation]:
    schema = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/")))
    parts = schema["components"]["schemas"]
    for path, methods in sorted(schema["paths"].items()):
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            # a file as the body: an empty object is the smallest
            body = content.get("application/json", {"schema": {}} if content else None)
            yield Operation(
                method.upper(),
                path,
                operation["operationId"],
                {
                    p["name"]: sample(p["schema"], parts)
                    for p in operation.get("parameters", ())
                    if p["in"] == "query" and p.get("required")
                },
                filled(operation["operationId"], sample(body["schema"], parts)) if body else None,
            )


def filled(operation: str, body: Any) -> Any:
    return body | BODIES[operation] if operation in BODIES else body


def sample(schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    """The smallest value that the schema takes."""
    if "$ref" in schema:
        return sample(parts[schema["$ref"].rpartition("/")[2]], parts)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return sample(schema[choice][0], parts)
    if "default" in schema:
        return schema["default"]
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            needed = schema.get("required", ())
            return {
                n: sample(v, parts) for n, v in schema.get("properties", {}).items() if n in needed
            }
        case "array":
            return [sample(schema["items"], parts)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "string":
            return "x" * max(1, schema.get("minLength", 1))
        case _:
            return {}


def pages(patterns: Any = urlpatterns, before: str = "") -> Iterator[str]:
    """Every address of the URL table, its parameters in angle brackets."""
    for entry in patterns:
        at = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from pages(entry.url_patterns, at)
        elif isinstance(entry, URLPattern):
            yield at


OPERATIONS = tuple(operations())
PAGES = tuple(page for page in pages() if not page.startswith("^") and "^" not in page)
MEMBERS_PAGES = tuple(p for p in PAGES if not PUBLIC.match(p) and not FOR_PROGRAMS.match(p))


@pytest.fixture(params=list(Profile), ids=str)
def house(request: pytest.FixtureRequest, db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(request.param, tmp_path) as made:
        yield made


def token(role: str) -> str:
    email = f"{role}@matrix.example"
    accounts.join(accounts.invite(instance_actor(), email, role, ""), role, "correct horse battery")
    return accounts.make_token(email)


def told(wrong: dict[str, Any]) -> str:
    return "\n" + "\n".join(f"{what}: {why}" for what, why in sorted(wrong.items()))


def test_the_walk_finds_the_whole_api() -> None:
    assert len(OPERATIONS) > 40
    assert len(MEMBERS_PAGES) > 40
    assert {o.id for o in OPERATIONS} >= AUDITORS_OPERATIONS
    assert set(PAGES) >= set(AUDITORS_PAGES)


def test_nobody_calls_the_api_without_signing_in(house: Fixture) -> None:
    wrong = {}
    for operation in OPERATIONS:
        for bearer in ("", "vedette_no-such-token"):
            answer = operation.call(bearer)
            if (answer.status_code, answer.headers["Content-Type"]) != (401, PROBLEM):
                wrong[f"{operation.id} {bearer}"] = (answer.status_code, answer.content[:200])
    assert not wrong, told(wrong)


def test_an_auditor_calls_only_what_every_member_may(house: Fixture) -> None:
    auditor, wrong = token("auditor"), {}
    for operation in OPERATIONS:
        answer = operation.call(auditor)
        own = AUDITORS_OPERATIONS | READING_LOGS.get(house.here.profile, frozenset())
        expected = {200} if operation.id in own else {403, 404}
        if answer.status_code not in expected:
            wrong[operation.id] = (answer.status_code, answer.content[:200])
        elif answer.status_code != 200 and answer.headers["Content-Type"] != PROBLEM:
            wrong[operation.id] = answer.headers["Content-Type"]
    assert not wrong, told(wrong)


def test_a_wrong_method_is_answered_as_a_problem(house: Fixture) -> None:
    administrator, wrong = token("administrator"), {}
    allowed: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        allowed.setdefault(operation.path, set()).add(operation.method)
    for operation in OPERATIONS:
        for method in {"GET", "POST", "PUT", "DELETE"} - allowed[operation.path]:
            answer = operation.call(administrator, method)
            kind = answer.headers["Content-Type"]
            if (answer.status_code, kind) != (405, PROBLEM) or "Allow" not in answer.headers:
                wrong[f"{method} {operation.path}"] = (answer.status_code, kind)
    assert not wrong, told(wrong)


def test_ids_of_nothing_are_not_found(house: Fixture) -> None:
    told_anyway = ABOUT_ANY_NAME.get(house.here.profile, set())
    administrator, wrong = token("administrator"), {}
    for operation in OPERATIONS:
        if operation.names_something and operation.id not in told_anyway:
            answer = operation.call(administrator)
            if answer.status_code != 404 or answer.headers["Content-Type"] != PROBLEM:
                wrong[operation.id] = (answer.status_code, answer.content[:300])
    assert not wrong, told(wrong)


def test_pages_send_strangers_to_the_sign_in(house: Fixture) -> None:
    wrong = {}
    for page in MEMBERS_PAGES:
        answers = [Client().generic(method, f"/{absent(page)}") for method in ("GET", "POST")]
        # a page is for one method at least, and says nothing before the sign-in
        taken = [answer for answer in answers if answer.status_code != 405]
        led = [answer.headers.get("Location", "") for answer in taken]
        if not led or not all(where.startswith("/accounts/login/") for where in led):
            wrong[page] = [answer.status_code for answer in answers]
    assert not wrong, told(wrong)


def test_public_addresses_never_break(house: Fixture) -> None:
    wrong = {}
    for page in PAGES:
        if page not in MEMBERS_PAGES:
            for method in ("GET", "POST"):
                answer = Client().generic(method, f"/{absent(page)}")
                if answer.status_code >= 500:
                    wrong[f"{method} {page}"] = answer.status_code
    assert not wrong, told(wrong)


def test_an_auditor_reads_only_the_pages_of_every_member(house: Fixture) -> None:
    auditor, wrong = visitor(house, "auditor"), {}
    logs = {"readings/": 200} if house.here.profile in READING_LOGS else {}
    pages = AUDITORS_PAGES | logs
    for page in MEMBERS_PAGES:
        statuses = [auditor.generic(m, f"/{absent(page)}").status_code for m in ("GET", "POST")]
        taken = {status for status in statuses if status != 405}
        if not taken or not taken <= ({pages[page]} if page in pages else {403, 404}):
            wrong[page] = statuses
    assert not wrong, told(wrong)
