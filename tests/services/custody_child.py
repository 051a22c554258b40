"""An office's instance in a process of its own: takes a lab's material, destroys it, reads it.

python -m tests.services.custody_child FOLDER take|read|destroy ...; prints one JSON line.
"""

from __future__ import annotations

import base64
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from vedette.site.boot import boot

MARKER = "marker-7fd2c4-of-the-lab"


def in_base64(text: str) -> list[str]:
    """What of the text stands in base64 wherever it begins in a longer one."""
    found = []
    for shift in range(3):
        coded = base64.b64encode(b"x" * shift + text.encode()).decode()
        # the first and last characters carry bits of what stands beside the text
        found.append(coded[(shift * 8 + 5) // 6 : len(text) * 8 // 6 - 1])
    return found


MARKERS = (MARKER, *in_base64(MARKER))


def take() -> dict[str, Any]:
    """An offer with a dossier, an assessed run, a call with an idempotency key."""
    from tests.runner.sealed import filled
    from tests.services.flow import MODEL

    from vedette.kernel.canonical import digest
    from vedette.kernel.clock import format_time
    from vedette.kernel.ids import new_id
    from vedette.kernel.permissions import Profile
    from vedette.services import engagement, peers, runs, vault
    from vedette.services.acting import act, instance_actor, reading
    from vedette.services.here import here
    from vedette.services.idempotency import claim, keep
    from vedette.services.testing import FakePeer
    from vedette.store.models import Act, Run

    lab = FakePeer("Lab", Profile.LAB, here())
    peers.add_peer(instance_actor(), lab.card)
    now: datetime = here().clock.now()
    opens = now + timedelta(days=1)
    body = {
        "act": new_id("act"),
        "kind": "access-window",
        "model": MODEL,
        "purpose": "confirmation",
        "opens": format_time(opens),
        "closes": format_time(opens + timedelta(days=20)),
        "note": f"note {MARKER}",
        "dossier": {"model-name": f"dossier {MARKER}"},
    }
    assert lab.send("engagement.offered", body, thread=body["act"]).status == "accepted"
    late = new_id("act")
    wrong = {**body, "act": late, "purpose": "none", "note": MARKER}
    assert lab.send("engagement.offered", wrong, thread=late).status == "refused"
    actor = instance_actor()
    engagement.answer_act(actor, str(body["act"]), "accepted", "our own reason")
    with act(actor, None) as doing:
        row = Act.objects.get(id=body["act"])
        run = Run(
            org_id=actor.org,
            act=row,
            suite="smoke",
            suite_digest=digest(b""),
            state="finished",
            result={"samples": [MARKER]},
            error=f"model said {MARKER}",
            committed_at=doing.now,
        )
        run.save(force_insert=True)
        filled(runs.run_folder(run.id), vault.box_for(row.id, f"run/{run.id}"), MARKER)
    with reading(actor), vault.viewing(person()):
        seen = Act.objects.get(id=body["act"])
        claim(actor, "k", digest(b"asked"))
        keep(actor, "k", 200, json.dumps({"note": seen.note}))
    reviewed(str(body["act"]))
    return {"act": body["act"], "run": run.id, **read(str(body["act"]))}


def reviewed(act_id: str) -> None:
    """A review of the act: text, comment and view of another office, question, an extract sent."""
    from vedette.kernel.permissions import Profile
    from vedette.services import accounts, peers, questions, reviews
    from vedette.services.acting import act, instance_actor, member
    from vedette.services.here import here
    from vedette.services.testing import FakePeer
    from vedette.store.models import OutMessage

    lead = instance_actor()
    other = FakePeer("Other Office", Profile.OFFICE, here())
    peers.add_peer(lead, other.card)
    org = accounts.add_organisation(lead, "Consulted", "office")
    row = reviews.open_review(lead, act_id)
    reviews.propose(lead, row.id, f"proposal {MARKER}")
    reviews.invite_office(lead, row.id, office=org.id)
    reviews.invite_office(lead, row.id, peer="Other Office")
    advises = member(org.id, "another officer", "consulted-officer", host=False)
    reviews.comment(advises, row.id, f"comment {MARKER}")
    reviews.give_view(advises, row.id, "disagrees", f"view {MARKER}")
    questions.ask(lead, act_id, "model-name", f"question {MARKER}")
    with act(lead, None):  # what the lab has still to get outlives the key
        OutMessage.objects.filter(type="question.asked").update(state="delivered")


def person() -> Any:
    from vedette.services.acting import member
    from vedette.services.here import here

    return member(here().org, "an officer", "reviewing-officer", host=True)


def read(act_id: str) -> dict[str, Any]:
    """Whatever of the act's material can still be read."""
    from vedette.kernel.canonical import digest
    from vedette.kernel.errors import VedetteError
    from vedette.services import idempotency
    from vedette.services.acting import instance_actor, reading
    from vedette.store.models import (
        Act,
        InMessage,
        OutMessage,
        Question,
        Review,
        ReviewComment,
        ReviewView,
        Run,
    )

    actor = instance_actor()
    with reading(actor):
        row = Act.objects.get(id=act_id)
        run = Run.objects.get(act=row)
        texts = [row.note, row.reason, json.dumps(row.dossier), json.dumps(run.result), run.error]
        texts += [m.envelope for m in InMessage.objects.filter(thread=act_id).order_by("pk")]
        texts += [m.envelope for m in OutMessage.objects.filter(thread=act_id).order_by("pk")]
        review = Review.objects.get(act=row)
        texts += [json.dumps(review.proposals or {})]
        texts += [c.text for c in ReviewComment.objects.filter(review=review)]
        texts += [v.reasons for v in ReviewView.objects.filter(review=review)]
        texts += [q.text for q in Question.objects.filter(act=row)]
        try:
            reply = idempotency.find(actor, "k", digest(b"asked"))
            texts.append(reply.body if reply else "")
        except VedetteError:
            texts.append("")
    return {"texts": [t for t in texts if t not in ("", "{}")]}


def destroy(act_id: str) -> dict[str, Any]:
    """Have the material destroyed: the act is over, its time has come."""
    from vedette.services import custody, engagement
    from vedette.services.acting import act, instance_actor
    from vedette.services.here import here
    from vedette.store.models import Custody

    actor = instance_actor()
    engagement.withdraw_act(actor, act_id)
    with act(actor, None):
        Custody.objects.filter(act_id=act_id).update(due_at=here().clock.now())
    custody.advance(act_id)
    custody.destroy_key(act_id)
    with act(actor, None):
        made = Custody.objects.get(act_id=act_id)
    return {"state": made.state, "counts": made.certificate["counts"], **read(act_id)}


if __name__ == "__main__":
    boot(Path(sys.argv[1]))
    import vedette.services.catalogue  # noqa: F401

    call = {"take": take, "read": read, "destroy": destroy}[sys.argv[2]]
    print(json.dumps(call(*sys.argv[3:])))
