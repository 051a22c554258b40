"""Nothing gates a release: whatever anybody but the lab sends or calls, in whatever order.

The lab has a plan, an offer, and where it comes to that signed terms and a window. An office, a
clearinghouse and everybody on the lab's instance who is no release lead then do what they can.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.exchange.bodies import one
from tests.services.flow import (
    CLOSES,
    MODEL,
    OPENS,
    PEOPLE,
    PERSON,
    QUOTA,
    RELEASE,
    LabStory,
    run_due,
    signature,
)

from vedette.engagement.acts import ACTS
from vedette.engagement.terms import Terms as Document
from vedette.engagement.window import WINDOW
from vedette.exchange import fields
from vedette.exchange.messages import TABLE
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import access, accounts, engagement, readiness, terms
from vedette.services.acting import instance_actor
from vedette.services.testing import START, Fixture, instance
from vedette.store.models import Act, Plan, PlanChange, Session, Terms
from vedette.store.tenancy import SYSTEM, scoped
from vedette.web.api.routers import api

SOURCE = Path(__file__).parents[2] / "src" / "vedette"
TIMES = [START, OPENS, OPENS + timedelta(days=9), CLOSES, CLOSES + timedelta(days=90)]
OTHERS = ("reader", "compliance", "auditor", "finder")
# statements that leave every row as it was
UNCHANGING = ("SELECT ", "SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")
IDLE = settings(max_examples=30, stateful_step_count=20)


def posts() -> list[str]:
    return [
        path for path, methods in api.get_openapi_schema()["paths"].items() if "post" in methods
    ]


def value_of(field: Any, draw: Any, ids: list[str]) -> Any:
    """Some value that the field takes."""
    if isinstance(field, fields.Record):
        names = [n for n, f in field.fields.items() if f.required or draw(st.booleans())]
        return {name: value_of(field.fields[name], draw, ids) for name in names}
    if isinstance(field, fields.Choice):
        return draw(st.sampled_from(field.words))
    if isinstance(field, fields.Time):
        return format_time(draw(st.sampled_from(TIMES)))
    if isinstance(field, fields.Whole):
        return draw(st.integers(field.low, min(field.high, 10**6)))
    if isinstance(field, fields.ListOf):
        return [value_of(field.item, draw, ids)] if draw(st.booleans()) else []
    if isinstance(field, fields.TextMap):
        return {"model-name": "x"}
    if isinstance(field, fields.Document):
        return draw(st.sampled_from([{}, {"partner_release": "2030-01-01"}]))
    if field in (fields.ID,):
        return draw(st.sampled_from([*ids, new_id("act")]))
    if field == fields.DIGEST:
        return digest(b"")
    if field == fields.HEX:
        return "ab" * 64
    if isinstance(field, fields.YesNo | fields.Mark) or field.pattern:
        return one(field)
    return draw(st.sampled_from(["x", PERSON, MODEL, "stop the release"]))


class Others(RuleBasedStateMachine):
    """Everybody but the lab's release lead."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(transaction.atomic())
        self.stack.callback(transaction.set_rollback, True)
        self.asked_at: datetime | None = None
        self.stack.enter_context(connection.execute_wrapper(self.note))
        self.lab: Fixture = self.stack.enter_context(instance(Profile.LAB, self.folder))
        self.story = LabStory.start(self.lab)
        self.house = self.lab.peer("House", Profile.CLEARINGHOUSE)
        self.story.planned()
        self.acts = [self.story.offered(), self.offer("determination-request")]
        terms.sign_terms(self.story.lead, self.acts[0], PEOPLE, ("confirmation",), QUOTA)
        self.dates = self.read_dates()
        self.tokens = [self.token(role) for role in OTHERS] + [self.token("administrator", True)]

    @initialize(so_far=st.sampled_from(["offered", "agreed", "open"]))
    def begin(self, so_far: str) -> None:
        if so_far == "offered":
            return
        access.add_endpoint(self.story.lead, MODEL, "http://127.0.0.1:9/v1", "")
        self.story.answer(self.acts[0])
        self.story.countersign(self.acts[0])
        if so_far == "open":
            self.lab.clock.time = OPENS
            run_due()

    def note(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """After a statement that may change something the lab's freedom is asked about anew."""
        if not sql.startswith(UNCHANGING):
            self.asked_at = None
        return execute(sql, params, many, context)

    def offer(self, kind: str) -> str:
        return str(engagement.offer_act(self.story.lead, "Office", kind, MODEL).id)

    def token(self, role: str, guest: bool = False) -> str:
        org = self.lab.organisation("Guest", "partner").id if guest else ""
        email = f"{role}@{'guest' if guest else 'lab'}.example"
        code = accounts.invite(instance_actor(), email, role, org)
        with pytest.MonkeyPatch.context() as patch:
            # a person's password is not what this is about, and making one is slow by design
            patch.setattr("vedette.store.models.Person.set_password", lambda self, raw: None)
            accounts.join(code, role, "correct horse battery")
        return accounts.make_token(email)

    def read_dates(self) -> list[tuple[Any, ...]]:
        with scoped(SYSTEM):
            rows = Plan.objects.order_by("id").values_list(
                "id", "partner_release", "public_release", "window_days", "document"
            )
            return [*map(tuple, rows), (PlanChange.objects.count(),)]

    def ids(self) -> list[str]:
        with scoped(SYSTEM):
            return [*self.acts, *Session.objects.values_list("id", flat=True)]

    @rule(data=st.data(), row=st.sampled_from(TABLE), house=st.booleans())
    def anybody_sends(self, data: Any, row: Any, house: bool) -> None:
        sender = self.house if house else self.story.office
        body = value_of(row.body, data.draw, self.ids())
        sender.send(row.name, body, thread=self.acts[0])

    @rule(answer=st.sampled_from(["accepted", "declined"]), number=st.integers(0, 1))
    def the_office_answers(self, answer: str, number: int) -> None:
        self.story.answer(self.acts[number], answer)

    @rule(later=st.booleans())
    def the_office_signs(self, later: bool) -> None:
        with scoped(SYSTEM):
            value = dict(Terms.objects.get(act_id=self.acts[0]).document)
        if later:
            value["closes"] = format_time(CLOSES + timedelta(days=90))
        body = signature(Document.from_json(value), self.story.office.keys)
        self.story.office.send("terms.signed", body, thread=self.acts[0])

    @rule(purpose=st.sampled_from(["confirmation", "robustness"]))
    def the_office_asks_for_a_session(self, purpose: str) -> None:
        self.story.session(self.acts[0], purpose=purpose)

    @rule(number=st.integers(0, 1))
    def the_office_withdraws(self, number: int) -> None:
        act_id = self.acts[number]
        self.story.office.send("engagement.withdrawn", {"act": act_id}, thread=act_id)

    @rule(data=st.data(), path=st.deferred(lambda: st.sampled_from(posts())))
    def others_call(self, data: Any, path: str) -> None:
        token = data.draw(st.sampled_from(self.tokens))
        known = self.ids()
        for name in ("act_id", "session_id"):
            path = path.replace(f"{{{name}}}", data.draw(st.sampled_from(known)))
        body = {
            "model": MODEL,
            "partner_release": format_time(data.draw(st.sampled_from(TIMES))),
            "plan": self.dates[0][0],
            "act": "access-window",
            "choice": "decline",
            "kind": "access-window",
            "peer": "Office",
            "answer": "declined",
            "values": {},
            "purpose": "confirmation",
        }
        answer = Client(raise_request_exception=False).post(
            path,
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code != 500

    @rule()
    def time_passes(self) -> None:
        now = self.lab.clock.time
        self.lab.clock.time = next((time for time in TIMES if time > now), now)
        run_due()

    @invariant()
    def no_date_has_moved(self) -> None:
        assert self.read_dates() == self.dates

    @invariant()
    def no_window_outlasts_its_hour(self) -> None:
        with scoped(SYSTEM):
            rows = list(Act.objects.filter(id__in=self.acts))
            sessions = list(Session.objects.exclude(expires_at=None))
        first = next(row for row in rows if row.id == self.acts[0])
        assert (first.opens, first.closes) == (OPENS, CLOSES)
        assert all(session.expires_at <= CLOSES for session in sessions)
        for row in rows:
            assert row.state in ACTS.states
            assert row.window_state in ("", *WINDOW.states)
        if self.lab.clock.time >= CLOSES:
            run_due()
            with scoped(SYSTEM):
                assert not Session.objects.filter(state="open").exists()
                assert not Act.objects.filter(window_state="open").exists()

    @invariant()
    def the_lab_is_free(self) -> None:
        """In every state the lab moves its dates, withdraws, and offers what is over again.

        The answer to the same rows at the same hour would be the same.
        """
        if self.asked_at == self.lab.clock.time:
            return
        with transaction.atomic():
            readiness.make_plan(self.story.lead, MODEL, RELEASE - timedelta(days=1))
            with scoped(SYSTEM):
                states = dict(Act.objects.filter(id__in=self.acts).values_list("id", "state"))
            for act_id, state in states.items():
                if state in ("offered", "accepted"):
                    engagement.withdraw_act(self.story.lead, act_id)
            self.offer("determination-request")
            again = engagement.offer_again(self.story.lead, self.acts[1])
            assert again.state == "offered"
            transaction.set_rollback(True)
        self.asked_at = self.lab.clock.time

    def teardown(self) -> None:
        self.stack.close()


def test_no_sequence_of_others_moves_a_date_or_blocks_the_lab(db: None, tmp_path: Path) -> None:
    Others.folder = tmp_path
    run_state_machine_as_test(Others, settings=IDLE)


@pytest.mark.long
def test_no_long_sequence_of_others_does_either(db: None, tmp_path: Path) -> None:
    Others.folder = tmp_path
    run_state_machine_as_test(Others, settings=settings(max_examples=300, stateful_step_count=50))


def test_a_decline_is_no_fault(db: None, tmp_path: Path) -> None:
    """No event, state or label speaks of fault, and a decline leaves everything else as it was."""
    words = ("fault", "fail", "breach", "violation", "default", "block", "overdue", "penal")
    names = [str(event) for event in Event if str(event).startswith(("engagement", "readiness"))]
    names += [*ACTS.states, *WINDOW.states, *(row.label.lower() for row in ACTS.rows + WINDOW.rows)]
    assert not [name for name in names if any(word in name for word in words)]
    with instance(Profile.LAB, tmp_path) as lab:
        story = LabStory.start(lab)
        story.planned()
        act_id = story.offered()
        story.answer(act_id, "declined")
        assert engagement.offer_again(story.lead, act_id).state == "offered"


@cache
def modules() -> list[tuple[str, ast.Module]]:
    names = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
    return [
        (str(name), ast.parse((SOURCE / name).read_text(encoding="utf-8")))
        for name in names
        if "migrations" not in name.parts
    ]


DATES = {"partner_release", "public_release", "window_days"}
WRITES = {"save", "delete", "create", "update", "get_or_create", "update_or_create"}
WRITES |= {"bulk_create", "bulk_update"}


def root_of(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


def writes_plans(tree: ast.Module) -> Iterator[int]:
    """The lines that make a Plan row, write through its manager, or assign one of its dates."""
    stored = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "vedette.store.models"
        and any(alias.name in ("Plan", "PlanChange") for alias in node.names)
        for node in ast.walk(tree)
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if node.attr in DATES:
                yield node.lineno
        elif isinstance(node, ast.Call) and stored:
            made = isinstance(node.func, ast.Name) and node.func.id in ("Plan", "PlanChange")
            through = isinstance(node.func, ast.Attribute) and node.func.attr in WRITES
            if made or (through and root_of(node.func) in ("Plan", "PlanChange")):
                yield node.lineno


@pytest.mark.any_database
def test_one_module_writes_plans() -> None:
    found = {name for name, tree in modules() if list(writes_plans(tree))}
    assert found == {"services/readiness.py"}


@pytest.mark.any_database
def test_no_handler_and_no_job_reaches_what_writes_plans() -> None:
    """Only pages, the API and commands, which act for a person, import that module."""
    users = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (
            node.module == "vedette.services.readiness"
            or (
                node.module == "vedette.services"
                and any(alias.name == "readiness" for alias in node.names)
            )
        )
    }
    assert {name.partition("/")[0] for name in users} <= {"web", "cli", "site"}


def test_no_message_has_a_field_for_a_release() -> None:
    def names(record: fields.Record) -> Iterator[str]:
        for name, field in record.fields.items():
            yield name
            if isinstance(field, fields.Record):
                yield from names(field)

    for row in TABLE:
        assert not [name for name in names(row.body) if "release" in name], row.name


def test_the_check_finds_a_breach() -> None:
    breaches = (
        "row.partner_release = now",
        "from vedette.store.models import Plan\nPlan.objects.filter(id=1).update(x=1)",
        "from vedette.store.models import Plan\nPlan(model='x').save()",
    )
    for text in breaches:
        assert list(writes_plans(ast.parse(text)))
