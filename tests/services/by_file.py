"""One turn of one side, in a process of its own: take a file in, act, write a file out.

python -m tests.services.by_file FOLDER STEP IN OUT ACT; prints one JSON line. No socket opens.
"""

from __future__ import annotations

import json
import socket
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from vedette.site.boot import boot

CONTENT = b"trajectories " * 500_000


def offer(act_id: str) -> str:
    from tests.services import flow

    from vedette.services import engagement, readiness

    lead = flow_person("release-lead")
    readiness.make_plan(lead, flow.MODEL, flow.RELEASE)
    given: Any = {"opens": flow.OPENS, "closes": flow.CLOSES, "purpose": "confirmation"}
    return str(engagement.offer_act(lead, "Office", "access-window", flow.MODEL, **given).id)


def accept(act_id: str) -> None:
    from vedette.services import engagement

    engagement.answer_act(flow_person("reviewing-officer"), act_id, "accepted")


def propose(act_id: str) -> None:
    from tests.services import flow

    from vedette.services import access, terms

    lead = flow_person("release-lead")
    access.add_endpoint(lead, flow.MODEL, "http://127.0.0.1:9/v1", "key", "b1", "on")
    terms.sign_terms(lead, act_id, flow.PEOPLE, ("confirmation",), flow.QUOTA, "summary")


def sign(act_id: str) -> None:
    from vedette.services import terms

    terms.sign_terms(flow_person("reviewing-officer"), act_id)


def ask(act_id: str) -> None:
    from tests.services import flow

    from vedette.services import access

    access.request_session(flow_person("evaluator"), act_id, "confirmation", flow.PERSON)


def share(act_id: str) -> None:
    from vedette.kernel.canonical import canonical, digest
    from vedette.kernel.ids import new_id
    from vedette.services import attachments
    from vedette.services.acting import act, instance_actor
    from vedette.store.models import Peer

    document = {"suite": "smoke", "subjects": []}
    body = {"assessment": new_id("assessment"), "act": act_id, "document": document}
    with act(instance_actor(), None) as doing:
        told = {**body, "digest": digest(canonical(document))}
        peer = Peer.objects.get()
        doing.send(peer, "assessment.shared", told, thread=act_id, marking="TLP:AMBER+STRICT")
    officer = flow_person("reviewing-officer")
    attachments.attach(officer, peer.name, BytesIO(CONTENT), "trajectories.txt", about=act_id)


def nothing(act_id: str) -> None:
    return


def flow_person(role: str) -> Any:
    from vedette.services.acting import member
    from vedette.services.here import here

    return member(here().org, f"a {role}", role, host=True)


def state() -> dict[str, Any]:
    from vedette.services.acting import instance_actor, reading
    from vedette.store.models import Act, Assessment, Attachment, InMessage, OutMessage, Session

    def states(model: Any) -> list[str]:
        return sorted(model.objects.values_list("state", flat=True))

    with reading(instance_actor()):
        row = Act.objects.first()
        return {
            "act": row.state if row else "",
            "window": row.window_state if row else "",
            "sessions": states(Session),
            "assessments": Assessment.objects.count(),
            "files": states(Attachment),
            "in": states(InMessage),
            "out": states(OutMessage),
        }


STEPS = {f.__name__: f for f in (offer, accept, propose, sign, ask, share, nothing)}


def main() -> None:
    boot(Path(sys.argv[1]))
    from tests.services.flow import run_due

    from vedette.services import carrying, catalogue

    assert catalogue.__all__
    step, came, out = sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    refused = 0
    # the other side's receipts first: what this import tells takes their place
    told = came.with_name(came.name + ".receipts.jsonl")
    for file in [each for each in (told, came) if each.exists() and each.stat().st_size]:
        lines = carrying.Report(file).run(carrying.import_file(file))
        refused += sum(line.receipt.status == "refused" for line in lines)
        # where the file itself is empty, nothing takes the place of receipts that were read
        if file == told:
            told.unlink()
    run_due()
    act_id = STEPS[step](sys.argv[5]) or sys.argv[5]
    run_due()
    carrying.export_file(out)
    print(json.dumps({"act_id": act_id, "refused": refused, **state()}))


if __name__ == "__main__":
    connect = socket.socket.connect

    def no_network(self: Any, address: Any) -> Any:
        # the lab's own model, which its instance looks at, is no way to the office
        assert address[0] == "127.0.0.1", f"a socket to {address}"
        return connect(self, address)

    socket.socket.connect = no_network  # type: ignore[method-assign, assignment]
    main()
