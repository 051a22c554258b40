"""The story so far, played on a lab's or an office's instance against a peer that only signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vedette.engagement import terms as rules
from vedette.engagement.terms import Terms as Document
from vedette.kernel.clock import format_time
from vedette.kernel.ids import new_id
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.permissions import Profile
from vedette.services import access, engagement, jobs, readiness, terms
from vedette.services.acting import Actor
from vedette.services.term_versions import in_force
from vedette.services.testing import START, FakePeer, Fixture
from vedette.store.models import Act, LedgerEntry, Session, Terms
from vedette.store.tenancy import SYSTEM, scoped

MODEL = "orion-1"
RELEASE = START + timedelta(days=40)
OPENS, CLOSES = RELEASE - timedelta(days=30), RELEASE
PERSON = "eve@office.example"
QUOTA = {"calls": 1000, "tokens": 1_000_000}
PEOPLE = ({"id": PERSON, "name": "Eve"},)


@dataclass
class LabStory:
    """A lab with an office as its peer."""

    lab: Fixture
    office: FakePeer
    lead: Actor

    @classmethod
    def start(cls, lab: Fixture) -> LabStory:
        return cls(lab, lab.peer("Office", Profile.OFFICE), lab.person("release-lead"))

    def planned(self) -> str:
        plan = readiness.make_plan(self.lead, MODEL, RELEASE, RELEASE + timedelta(days=20))
        return str(plan.id)

    def offered(self, **changes: Any) -> str:
        given: dict[str, Any] = {"opens": OPENS, "closes": CLOSES, "purpose": "confirmation"}
        given |= changes
        return str(engagement.offer_act(self.lead, "Office", "access-window", MODEL, **given).id)

    def answer(self, act_id: str, answer: str = "accepted") -> None:
        self.office.send("engagement.answered", {"act": act_id, "answer": answer}, thread=act_id)

    def accepted(self) -> str:
        act_id = self.offered()
        self.answer(act_id)
        return act_id

    def signed(self) -> str:
        act_id = self.accepted()
        terms.sign_terms(self.lead, act_id, PEOPLE, ("confirmation",), QUOTA, "summary")
        self.countersign(act_id)
        return act_id

    def countersign(self, act_id: str, **changes: Any) -> None:
        with scoped(SYSTEM):
            document = Document.from_json(Terms.objects.get(act_id=act_id).document)
        body = signature(document, self.office.keys)
        self.office.send("terms.signed", {**body, **changes}, thread=act_id)

    def accept(self, act_id: str, person: str = PERSON) -> None:
        """The person accepts the version in force at the office."""
        with scoped(SYSTEM):
            made = in_force(Act.objects.get(id=act_id))
        assert made is not None
        body = {"act": act_id, "digest": made.digest, "person": person}
        accepted = format_time(self.lab.clock.now())
        self.office.send("terms.accepted", {**body, "accepted": accepted}, thread=act_id)

    def opened(self) -> str:
        act_id = self.signed()
        self.accept(act_id)
        move(self.lab, OPENS)
        return act_id

    def session(self, act_id: str, **changes: Any) -> str:
        """Ask for a session as the office; return its id."""
        body = {
            "session": new_id("session"),
            "act": act_id,
            "person": PERSON,
            "purpose": "confirmation",
            **changes,
        }
        self.office.send("access.requested", body, thread=act_id)
        return str(body["session"])


@dataclass
class OfficeStory:
    """An office with a lab as its peer."""

    office: Fixture
    lab: FakePeer
    officer: Actor
    evaluator: Actor

    @classmethod
    def start(cls, office: Fixture) -> OfficeStory:
        return cls(
            office,
            office.peer("Lab", Profile.LAB),
            office.person("reviewing-officer"),
            office.person("evaluator"),
        )

    def offer(self, **changes: Any) -> str:
        body = {
            "act": new_id("act"),
            "kind": "access-window",
            "model": MODEL,
            "basis": "eo14409-3b2",
            "purpose": "confirmation",
            "opens": format_time(OPENS),
            "closes": format_time(CLOSES),
            **changes,
        }
        self.lab.send("engagement.offered", body, thread=body["act"])
        return str(body["act"])

    def document(self, act_id: str) -> Document:
        pack = self.office.here.pack
        return Document(
            act=act_id,
            lab=self.lab.keys.public.keyid,
            office=self.office.here.keys.public.keyid,
            basis="eo14409-3b2",
            opens=OPENS,
            closes=CLOSES,
            clauses=rules.clauses_of(pack),
            people=(rules.Person(PERSON, "Eve"),),
            purposes=("confirmation",),
            quota=rules.Quota(1000, 1_000_000),
            publication="summary",
            marking="TLP:AMBER+STRICT",
            export=False,
            watermark=True,
            pack=pack.ref,
            pack_digest=pack.digest,
        )

    def propose(self, act_id: str, **changes: Any) -> None:
        body = signature(self.document(act_id), self.lab.keys)
        self.lab.send("terms.signed", {**body, **changes}, thread=act_id)

    def signed(self) -> str:
        act_id = self.offer()
        engagement.answer_act(self.officer, act_id, "accepted")
        self.propose(act_id)
        terms.sign_terms(self.officer, act_id)
        return act_id

    def requested(self) -> str:
        act_id = self.signed()
        move(self.office, OPENS)
        return str(access.request_session(self.evaluator, act_id, "confirmation", PERSON).id)

    def opened(self, credential: str = "vac_secret") -> str:
        session_id = self.requested()
        self.lab.send("access.opened", self.opening(session_id, credential), thread="")
        return session_id

    def opening(self, session_id: str, credential: str = "vac_secret") -> dict[str, Any]:
        from vedette.kernel.bounds import to_text

        sealed = self.office.here.keys.public.seal(credential.encode())
        return {
            "session": session_id,
            "url": "http://127.0.0.1:1/proxy/v1",
            "credential": to_text(sealed),
            "model": MODEL,
            "build": "b1",
            "safeguards": "on",
            "expires": format_time(CLOSES),
            "quota_calls": 1000,
            "quota_tokens": 1_000_000,
        }


def signature(document: Document, keys: PrivateKeys) -> dict[str, Any]:
    return {
        "act": document.act,
        "terms": document.to_json(),
        "digest": document.digest,
        "signature": rules.sign_terms(document, keys),
        "signed_by": "somebody",
    }


def move(fixture: Fixture, time: Any) -> None:
    """Move the clock, and let what is due happen."""
    fixture.clock.time = time
    run_due()


def run_due() -> None:
    """Do what a worker does: deadlines, then their jobs."""
    from django_tasks_db.models import DBTaskResult

    jobs.tick()
    for task in list(DBTaskResult.objects.ready()):
        name, arguments, _ = task.args_kwargs["args"]
        jobs._jobs[name](**arguments)
        DBTaskResult.objects.filter(pk=task.pk).delete()


def act_of(act_id: str) -> Act:
    with scoped(SYSTEM):
        return Act.objects.get(id=act_id)


def session_of(session_id: str) -> Session:
    with scoped(SYSTEM):
        return Session.objects.select_related("act", "act__peer").get(id=session_id)


def events() -> list[str]:
    with scoped(SYSTEM):
        return list(LedgerEntry.objects.order_by("seq").values_list("event", flat=True))
