"""Mail to parties who do not sign in: kept with its sending, sent by a job.

Rules:
- Nothing unreproduced is mailed to a maintainer.
- A mail holds our own words and what our executions showed, none of a reporter's.
- A link in a mail changes nothing when it is followed: mail scanners follow them.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction

from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.services.acting import Actor, Doing, act, instance_actor
from vedette.services.here import here
from vedette.services.jobs import job
from vedette.services.parties import on_case, words
from vedette.services.shown import sentences
from vedette.store.models import Advisory, Case, Mail
from vedette.store.tenancy import SYSTEM, scoped

BODY_LIMIT = 65_536
WORDS_LIMIT = 4_000


def invite(doing: Doing, case: Case, to: str) -> Mail:
    """Queue an invitation to a case: it says where to look, and nothing of the flaw."""
    body = (
        f"{doing.here.name} coordinates a vulnerability that concerns you, and asks you to look"
        f" at it under embargo.\n\nCase: {doing.here.url}/cases/{case.id}\n\n"
        "The page asks you to sign in. Opening it changes nothing; you answer there with a"
        " button.\n"
    )
    return queue(doing, case, to, f"Case {case.id}: your answer is asked for", body)


def mail_correction(actor: Actor, case_id: str, to: str, text: str = "") -> Mail:
    """Write to a maintainer who does not sign in: what was executed, and what it corrects.

    `text` is the coordinator's own word at the head of the mail.
    """
    with on_case(actor, case_id) as (doing, case):
        executed = sentences(case)
        if not executed:
            raise Refused(
                "no finding of the case was reproduced: nothing unreproduced is mailed",
                kept="the case as it was",
            )
        said = words(text, "text", WORDS_LIMIT, empty=True)
        parts = [said] if said else []
        parts += ["What we executed:", *(f"- {sentence}" for sentence in executed)]
        for advisory in Advisory.objects.filter(case=case, public=True).order_by("-published_at"):
            parts += ["", f"Published as {advisory.tracking_id}: {advisory.title}"]
            parts += [f"- {c['id']}: {c['statement']}" for c in advisory.content["corrects"]]
            parts.append(f"{doing.here.url}/advisories/{advisory.tracking_id}")
        parts += ["", f"Case {case.id} of {doing.here.name}. A reply to this mail is read."]
        return queue(doing, case, to, f"{case.title} (case {case.id})", "\n".join(parts) + "\n")


def queue(doing: Doing, case: Case, to: str, subject: str, body: str) -> Mail:
    """Keep one mail and have it sent. Raises BadInput naming the field."""
    try:
        validate_email(to)
    except ValidationError:
        raise BadInput(f"to: {to[:80]!r} is no address") from None
    if len(body) > BODY_LIMIT or "\0" in body:
        raise BadInput(f"body: text of at most {BODY_LIMIT:,} characters belongs here")
    row = Mail(
        org_id=doing.here.org,
        case=case,
        to=to,
        subject=" ".join(subject.split())[:300],
        body=body,
        queued_at=doing.now,
    )
    row.save(force_insert=True)
    doing.after(send_mail, mail_id=row.id)
    return row


@job()
def send_mail(mail_id: str) -> None:
    """Send one mail; one that was sent is not sent again."""
    with transaction.atomic(), scoped(SYSTEM):
        row = Mail.objects.filter(id=mail_id, sent_at=None).first()
    if row is None:
        return
    domain = here().url.split("://")[-1].split("/")[0].split(":")[0] or "localhost"
    EmailMessage(
        row.subject, row.body, to=[row.to], headers={"Message-ID": f"<{row.id}@{domain}>"}
    ).send()
    with act(instance_actor(), None) as doing:
        row.sent_at = doing.now
        row.save(update_fields=["sent_at"])
        doing.record(Event.CASE_MAIL_SENT, row.case_id or row.id, {"to": row.to, "mail": row.id})
