"""Mail to a maintainer who does not sign in: only what was executed, sent once."""

from __future__ import annotations

import pytest
from django.core import mail as outgoing
from tests.services.coordination import UJSON, Executions, events, executions, opened

from vedette.kernel.errors import BadInput, Forbidden, Refused
from vedette.services import advisories, mail
from vedette.services.testing import Fixture
from vedette.store.models import Finding, Mail, Reproduction
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]


def test_a_correction_says_what_was_executed_and_is_sent_once(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = clearinghouse.person("coordinator")
    made = opened(clearinghouse, recipe=UJSON, product="ujson", title="obey me")
    row = advisories.publish_advisory(
        coordinator,
        made.id,
        title="ujson: stack overflow when indenting",
        summary="ujson 5.1.0 is affected.",
        details="An indentation is written past its buffer.",
        priority={"kev": False, "automatable": False, "impact": "partial"},
        corrects=[{"id": "PYSEC-2022-25", "statement": "It calls 5.1.0 fixed."}],
        reason="public since 2022",
    )
    queued = mail.mail_correction(coordinator, made.id, "maintainer@ujson.example", "Hello,")
    assert "ujson 5.1.0 ended in" in queued.body
    assert "PYSEC-2022-25: It calls 5.1.0 fixed." in queued.body
    assert row.tracking_id in queued.body
    for _ in range(2):
        mail.send_mail(queued.id)
    assert [m.to for m in outgoing.outbox] == [["maintainer@ujson.example"]]
    assert events(made.id).count("case:mail:sent") == 1
    with scoped(SYSTEM):
        assert Mail.objects.get(id=queued.id).sent_at is not None


def test_nothing_unreproduced_is_mailed(clearinghouse: Fixture, executions: Executions) -> None:
    made = opened(clearinghouse)
    with scoped(SYSTEM):
        Reproduction.objects.all().delete()
        assert Finding.objects.filter(case_id=made.id).exists()
    with pytest.raises(Refused, match="unreproduced"):
        mail.mail_correction(clearinghouse.person("coordinator"), made.id, "m@example.org")


@pytest.mark.parametrize(
    "to", ["nobody", "a@b.example\nBcc: c@d.example", "a@b.example,c@d.example"]
)
def test_addresses_are_checked(clearinghouse: Fixture, executions: Executions, to: str) -> None:
    made = opened(clearinghouse)
    with pytest.raises(BadInput, match="to"):
        mail.mail_correction(clearinghouse.person("coordinator"), made.id, to)
    with pytest.raises(Forbidden):
        mail.mail_correction(clearinghouse.person("finder"), made.id, to)
