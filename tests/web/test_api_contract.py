"""The API against its own description: generated requests, on every profile, with and without a
token. Nothing breaks it, and every answer is one that the description tells of.

A generated address is about nothing, so half of the requests name something that is really there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ninja import Schema
from tests.services.advisories import sbom
from tests.services.coordination import Executions, executions, opened
from tests.services.flow import LabStory, OfficeStory
from tests.web.test_access_matrix import MEMBERS_PAGES
from tests.web.test_api import Api
from tests.web.visitors import visitor

from vedette.kernel.permissions import Profile
from vedette.services import inventories, runs
from vedette.services.testing import Fixture, instance
from vedette.store.models import Finding
from vedette.store.tenancy import SYSTEM, scoped
from vedette.web.api.routers import api
from vedette.web.pages.navigation import stands_here

__all__ = ["executions"]
SCHEMA = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/")))
# names that forms of the pages have
FIELDS = (
    "page",
    "state",
    "text",
    "org",
    "name",
    "reason",
    "answer",
    "choice",
    "plan",
    "id",
    "notice",
    "session",
)
PROBLEM = "application/problem+json"
UNREAD = ("\x00", "\ud800")
HOSTILE = ("", *UNREAD, "9" * 300, "ü" * 5000)


@dataclass
class There:
    """An instance, and what its addresses can name."""

    fixture: Fixture
    token: str
    ids: dict[str, str] = field(default_factory=dict)

    def named(self, path: str) -> str:
        """The address with what is really there in its places, where there is such a thing."""
        return re.sub(r"\{(\w+)\}", lambda found: self.ids.get(found[1], "nothing"), path)


def lab_ids(fixture: Fixture) -> dict[str, str]:
    story = LabStory.start(fixture)
    plan, act = story.planned(), story.opened()
    return {"plan_id": plan, "act_id": act, "session_id": story.session(act)}


def office_ids(fixture: Fixture) -> dict[str, str]:
    story = OfficeStory.start(fixture)
    session, act = story.opened(), story.offer()
    run = runs.start_run(story.evaluator, "daemons", references=["null"])
    return {"act_id": act, "session_id": session, "run_id": run.id}


def clearinghouse_ids(fixture: Fixture) -> dict[str, str]:
    case = opened(fixture)
    with scoped(SYSTEM):
        finding = Finding.objects.get(case=case)
    return {"case_id": case.id, "finding_id": finding.id}


def operator_ids(fixture: Fixture) -> dict[str, str]:
    made = inventories.take_inventory(
        fixture.person("operator"), "plant", sbom("pkg:pypi/ujson@5.1.0")
    )
    return {"inventory_id": made.id}


IDS: dict[Profile, Callable[[Fixture], dict[str, str]]] = {
    Profile.LAB: lab_ids,
    Profile.OFFICE: office_ids,
    Profile.CLEARINGHOUSE: clearinghouse_ids,
    Profile.OPERATOR: operator_ids,
}


@pytest.fixture(params=list(Profile), ids=str)
def there(
    request: pytest.FixtureRequest, db: None, tmp_path: Path, executions: Executions
) -> Iterator[There]:
    with instance(request.param, tmp_path) as made:
        token = Api.of("administrator", "root@test.example").token
        yield There(made, token, IDS[request.param](made))


def described() -> Any:
    """The description as what generates requests reads it; imported by the worker that needs it."""
    import schemathesis

    return schemathesis.openapi.from_dict(SCHEMA)


@pytest.mark.any_database
def test_the_description_is_a_valid_openapi_document(client: Client) -> None:
    assert SCHEMA["openapi"].startswith("3.1")
    served = client.get("/api/v1/openapi.json")
    assert served.status_code == 200
    assert served.json() == SCHEMA
    described().validate()
    for name, part in SCHEMA["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(part), name
    ids = [o["operationId"] for methods in SCHEMA["paths"].values() for o in methods.values()]
    assert len(ids) == len(set(ids))


def test_every_operation_tells_of_its_problems_and_of_its_key() -> None:
    for path, methods in SCHEMA["paths"].items():
        for method, operation in methods.items():
            assert PROBLEM in operation["responses"]["4XX"]["content"], path
            names = {p["name"] for p in operation.get("parameters", ())}
            assert ("Idempotency-Key" in names) == (method == "post"), path
            assert operation["summary"], path


def test_no_two_shapes_go_by_one_name() -> None:
    """The description has one place for each name: the second to come would replace the first."""
    shapes: dict[str, set[type]] = {}
    for shape in subclasses(Schema):
        if shape.__module__.startswith("vedette.web.api") and "[" not in shape.__name__:
            shapes.setdefault(shape.__name__, set()).add(shape)
    assert {name for name, found in shapes.items() if len(found) > 1} == set()


def subclasses(of: type) -> Iterator[type]:
    for below in of.__subclasses__():
        yield below
        yield from subclasses(below)


@pytest.fixture(scope="module")
def generated(request: pytest.FixtureRequest) -> list[tuple[Any, dict[str, Any], bool]]:
    """Requests from the description, the same for every profile: each with its path's parameters,
    and whether it is to name what is really there."""
    examples = 60 if request.config.getoption("--long") else 3
    schema = described()
    schema.app = WSGIHandler()
    found: list[tuple[Any, dict[str, Any], bool]] = []
    for operation in schema.get_all_operations():
        generate(operation.ok(), examples, found)
    return found


def generate(operation: Any, examples: int, found: list[Any]) -> None:
    """Draw requests to one operation."""

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), really=st.booleans())
    def one(case: Any, really: bool) -> None:
        found.append((case, dict(case.path_parameters), really))

    one()


@pytest.fixture
def connected() -> Iterator[None]:
    """Requests leave the test's own connection open."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def test_generated_requests_get_described_answers(
    there: There, generated: list[tuple[Any, dict[str, Any], bool]], connected: None
) -> None:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [not_a_server_error, status_code_conformance]
    checks += [content_type_conformance, response_schema_conformance]
    for case, named, really in generated:
        ids = {name: there.ids[name] for name in named if name in there.ids} if really else {}
        case.path_parameters = named | ids
        answer = case.call(headers={"Authorization": f"Bearer {there.token}"})
        case.validate_response(answer, checks=checks)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [PROBLEM]


def test_text_that_no_database_takes_is_refused(there: There, pytestconfig: pytest.Config) -> None:
    """Each text of each body in turn is hostile; what is wrong is the request, never the server.

    What no reader of bodies lets through comes to no database: one text at a time on the first.
    """
    again = connection.vendor == "postgresql" and not pytestconfig.getoption("--long")
    wrong = {}
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {there.token}"}
    for path, methods in SCHEMA["paths"].items():
        address = there.named(path)
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            continue
        for hostile in HOSTILE:
            most = 1 if again and hostile in UNREAD else None
            for body in islice(bodies(schema, hostile), most):
                answer = client.post(
                    address, json.dumps(body), content_type="application/json", headers=headers
                )
                if answer.status_code >= 500:
                    wrong[f"{address} {hostile[:9]!r}"] = (answer.status_code, body)
    assert not wrong, json.dumps(wrong, indent=1)[:6000]


def bodies(schema: dict[str, Any], hostile: str) -> Iterator[Any]:
    """The smallest body with `hostile` as each of its own texts, one at a time, then all."""
    whole = least(schema, hostile)
    yield whole
    plain = least(schema, "x")
    if isinstance(whole, dict):
        for name in whole:
            if whole[name] != plain.get(name):
                yield {**plain, name: whole[name]}


def least(schema: dict[str, Any], text: str) -> Any:
    """A value of `schema` with every property, its texts being `text` wherever any will do."""
    if "$ref" in schema:
        return least(SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]], text)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return least(schema[choice][0], text)
    if "enum" in schema or "const" in schema:
        return schema.get("const") or schema["enum"][0]
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: least(value, text) for name, value in schema["properties"].items()}
        case "object":
            return {text or "x": text}
        case "array":
            return [least(schema["items"], text)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "string" if schema.get("format") == "date-time":
            return "2026-12-05T09:00:00Z"
        case _:
            return text


def test_hostile_words_in_addresses_are_answered(there: There) -> None:
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {there.token}"}
    words = ["%00", "a%00b", "%ff", "%ed%a0%80", "..%2f", "%0d%0aSet-Cookie:x", "9" * 3000]
    for path, methods in SCHEMA["paths"].items():
        names = [p["name"] for p in methods.get("get", {}).get("parameters", ())]
        for word in words:
            address = re.sub(r"\{[^}]+\}", word, path)
            query = "&".join(f"{name}={word}" for name in names)
            for method in methods:
                answer = client.generic(method.upper(), f"{address}?{query}", headers=headers)
                assert answer.status_code < 500, (method, address, query)


def test_hostile_words_in_pages_are_answered(there: There, pytestconfig: pytest.Config) -> None:
    """Pages of other profiles are refused before they read anything: one word for each of those."""
    thorough = pytestconfig.getoption("--long")
    words = ["\u0660", "x\x00", "x" * 3000]
    if thorough:
        words.append("\x00")
    client = visitor(there.fixture, "administrator")
    client.raise_request_exception = False
    for page in MEMBERS_PAGES:
        stands = stands_here(there.fixture.here.profile, f"/{page}")
        for word in words if stands or thorough else words[:1]:
            address = "/" + re.sub(r"<[^>]+>", quote(word), page)
            answer = client.get(address, dict.fromkeys(FIELDS, word))
            assert answer.status_code < 500, (page, word)
            answer = client.post(address, dict.fromkeys(FIELDS, word))
            assert answer.status_code < 500, (page, word)


CONTENTS = (
    *(b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"1" * 5000),
    *(b"[" * 200_000, b'{"a":' * 50_000),
)
READ_BY_NOBODY = (b"", CONTENTS[-1])  # of an operation that takes no content; all with --long
UNKNOWN = ("nothing", "cases/x/y/z", "plans/", "", "..%2f..%2fx", "%00")


@pytest.mark.any_database
def test_any_content_is_answered(there: There, pytestconfig: pytest.Config) -> None:
    thorough = pytestconfig.getoption("--long")
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {there.token}"}
    for path, methods in SCHEMA["paths"].items():
        address = there.named(path)
        for method, operation in methods.items():
            read = thorough or "requestBody" in operation
            contents = CONTENTS if read else READ_BY_NOBODY
            for content in contents:
                answer = client.generic(
                    method.upper(),
                    address,
                    content,
                    content_type="application/json",
                    headers=headers,
                )
                assert answer.status_code < 500, (
                    method,
                    address,
                    content[:9],
                    answer.content[:300],
                )
                if answer.status_code >= 400:
                    assert answer.headers["Content-Type"] == PROBLEM, (method, address)


@pytest.mark.any_database
def test_unknown_addresses_are_problems(there: There) -> None:
    bearers = ({}, {"Authorization": f"Bearer {there.token}"})
    methods = ("GET", "POST", "DELETE", "PATCH", "OPTIONS")
    for path, headers, method in product(UNKNOWN, bearers, methods):
        answer = Client().generic(method, f"/api/v1/{path}", headers=headers)
        assert answer.status_code in (400, 401, 404, 405), (path, method, answer.status_code)
        assert answer.headers["Content-Type"] == PROBLEM, (path, method)


def test_a_fault_of_ours_is_a_problem_too(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("of nobody's business")

    monkeypatch.setattr("vedette.services.peers.peers", broken)
    answer = Client().get("/api/v1/peers", headers={"Authorization": f"Bearer {there.token}"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, PROBLEM)
    assert b"nobody" not in answer.content
