"""Chapters of the lab and the office: plan, acts, terms, window, run, assessment."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from demo.cast import CONSULTED, MODEL, PARTNER, SUBJECT, Cast
from demo.stage import NAMES, VEDETTE, Stage, Stopped

PARTNER_RELEASE = datetime(2027, 1, 11, tzinfo=UTC)
PUBLIC_RELEASE = datetime(2027, 1, 25, tzinfo=UTC)
OPENS = datetime(2026, 12, 14, tzinfo=UTC)
EXECUTIONS, SEED = 256, 1
MODEL_KEY = "the-lab-alone-knows-this-key"

DOSSIER = {
    "model-name": "Meridian 3",
    "model-version": "3.0-rc2",
    "legal-entity": "Meridian Lab, an invented company",
    "weights": "closed",
    "access-level": "AL1",
    "withheld": "Weights and training data",
    "withheld-reasons": "Trade secrets; black-box access answers the question asked.",
    "safeguards": "on",
    "elicitation-effort": "Tool use, 256 executions an item.",
}


def plan(stage: Stage, cast: Cast) -> dict[str, Any]:
    """The lab plans its release and fills the dossier; both stay at home."""
    made = cast.lead.post(
        "/plans",
        model=MODEL,
        partner_release=PARTNER_RELEASE.isoformat(),
        public_release=PUBLIC_RELEASE.isoformat(),
        reason="first plan",
    )
    cast.compliance.post("/dossiers", model=MODEL, values=DOSSIER)
    for act, choice, reason in (
        ("determination-request", "not-now", "The access window answers it at less cost."),
        ("access-window", "offer", "Defenders should have a head start."),
        ("partner-selection", "offer", "One network reaches many small operators."),
    ):
        cast.lead.post("/decisions", plan=made["id"], act=act, choice=choice, reason=reason)
    return dict(made)


def offer(stage: Stage, cast: Cast) -> dict[str, str]:
    """Two of the three acts are offered, and accepted; the third is not asked for."""
    window = cast.lead.post(
        "/acts",
        peer=NAMES["office"],
        kind="access-window",
        model=MODEL,
        basis="eo14409-3b2",
        purpose="supplementation",
        opens=OPENS.isoformat(),
        closes=PARTNER_RELEASE.isoformat(),
        dossier=["model-name", "model-version", "legal-entity", "access-level", "safeguards"],
        note="Black-box access before our partner release.",
    )
    partner = cast.lead.post(
        "/acts",
        peer=NAMES["office"],
        kind="partner-selection",
        model=MODEL,
        partner={
            "name": PARTNER,
            "sector": "emergency services",
            "criteria": ["reaches-small-operators"],
            "reason": "Passes warnings on to volunteer-run utilities.",
            "conflicts": "none known",
        },
    )
    stage.clock.forward(days=1)
    for act in (window, partner):
        stage.until("the offer to arrive", lambda a=act: arrived(cast, a["id"]))
        cast.officer.post(f"/acts/{act['id']}/answer", answer="accepted")
    for act in (window, partner):
        stage.until(
            "the answer to arrive",
            lambda a=act: cast.lead.get(f"/acts/{a['id']}")["state"] == "accepted",
        )
    return {"window": window["id"], "partner": partner["id"]}


def arrived(cast: Cast, act_id: str) -> bool:
    return any(act["id"] == act_id for act in cast.officer.get("/acts")["items"])


def terms(stage: Stage, cast: Cast, act_id: str) -> None:
    """The lab proposes terms, the office another quota, the lab signs; the named ones accept."""
    named = (cast.evaluator, cast.officer, cast.consulted)
    cast.lead.post(
        f"/acts/{act_id}/terms",
        people=[{"id": p.email, "name": p.name} for p in named],
        purposes=["supplementation"],
        quota={"calls": 2000, "tokens": 2_000_000},
        publication="summary",
        export=True,
    )
    stage.clock.forward(hours=1)
    stage.until("the terms to arrive", lambda: cast.officer.get(f"/acts/{act_id}")["terms"])
    cast.officer.post(
        f"/acts/{act_id}/terms/versions",
        quota={"calls": 2000, "tokens": 5_000_000},
        note="A run with tools takes more tokens than that.",
    )
    stage.clock.forward(hours=1)
    redlined = stage.until(
        "the office's version to arrive",
        lambda: cast.lead.get(f"/acts/{act_id}")["terms"]["open"],
    )
    cast.lead.post(f"/acts/{act_id}/terms", digest=redlined)
    stage.until("both signatures", lambda: agreed(cast, act_id))
    for person in (cast.evaluator, cast.officer):
        person.post(f"/acts/{act_id}/terms/accept")


def agreed(cast: Cast, act_id: str) -> bool:
    return all(
        (person.get(f"/acts/{act_id}")["terms"] or {}).get("agreed_at")
        for person in (cast.lead, cast.officer)
    )


@contextmanager
def served_model() -> Iterator[str]:
    """The address of the lab's model, while it serves: a shipped stand-in, OpenAI-compatible."""
    process = subprocess.Popen(
        [*VEDETTE, "subject", "serve", SUBJECT, "--key", MODEL_KEY],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            raise Stopped(f"the model did not start: {line}")
        yield found[0]
    finally:
        process.terminate()
        process.wait(timeout=10)


def open_window(stage: Stage, cast: Cast, act_id: str, address: str) -> str:
    """The lab sets up its proxy; the window opens by itself; a named person gets a session."""
    cast.lead.post(
        "/endpoints",
        model=MODEL,
        base_url=address,
        key=MODEL_KEY,
        build="3.0-rc2",
        safeguards="on",
        upstream_model=SUBJECT,
    )
    stage.clock.set(OPENS)
    for person in (cast.lead, cast.officer):
        stage.until(
            "the window to open by itself",
            lambda p=person: p.get(f"/acts/{act_id}")["window"] == "open",
        )
    stage.clock.forward(hours=9)
    session = cast.evaluator.post(f"/acts/{act_id}/sessions", purpose="supplementation")
    stage.until(
        "the session to open",
        lambda: cast.evaluator.get(f"/sessions/{session['id']}")["state"] == "open",
    )
    return str(session["id"])


def run(stage: Stage, cast: Cast, session_id: str) -> dict[str, Any]:
    """The office really runs the suite on the lab's model, through the lab's proxy."""
    started = cast.evaluator.post(
        "/runs",
        suite="daemons",
        session=session_id,
        seed=SEED,
        budget={"executions": EXECUTIONS},
    )

    def ended() -> Any:
        now = cast.evaluator.get(f"/runs/{started['id']}")
        return now if now["state"] in ("finished", "failed") else None

    done = stage.until("the run to finish", ended, seconds=300, pause=1)
    if done["state"] == "failed":
        raise Stopped(f"the run failed: {done['error']}")
    return dict(done)


def assess(stage: Stage, cast: Cast, run_id: str) -> dict[str, Any]:
    """The assessment is computed and shared, the determination recorded."""
    stage.clock.forward(days=1)
    made = cast.evaluator.post("/assessments", run=run_id)
    cast.officer.post(f"/assessments/{made['id']}/share")
    stage.clock.forward(days=1)
    day = stage.clock.now.date().isoformat()
    record = cast.officer.post(
        f"/assessments/{made['id']}/determinations",
        subject=MODEL,
        threshold="0.90",
        maker="Ruth Adeyemi, for the Director",
        why="Four toy items are too few: the interval is wide on both sides of the threshold.",
        consulted=[
            {"office": "Cyber Director's office (invented)", "view": "agrees", "on": day},
            {"office": "Infrastructure office (invented)", "view": "wants more items", "on": day},
        ],
    )
    stage.until("the assessment to reach the lab", lambda: cast.lead.get("/assessments"))
    return {"assessment": made, "determination": record}


def review(stage: Stage, cast: Cast, act_id: str) -> str:
    """Offices read the dossier together, and one field is asked about; no clock waits for it."""
    made = cast.officer.post("/reviews", act=act_id)
    at = f"/reviews/{made['id']}"
    cast.officer.post(f"{at}/offices", office=CONSULTED)
    cast.consulted.post(f"{at}/place", move="take-part")
    cast.consulted.post(f"{at}/terms/accept")
    asked = cast.officer.post(
        "/questions",
        act=act_id,
        field="safeguards",
        text="Were they off in the build that we reached?",
    )
    stage.until("the question to arrive", lambda: cast.lead.get("/questions")["items"])
    cast.lead.post(
        f"/questions/{asked['id']}/answer",
        answer="answered",
        text="No: the build has them on, as it will have at release.",
    )
    cast.consulted.post(
        f"{at}/comments", field="access-level", text="AL1 says little about fine-tuning."
    )
    cast.officer.post(f"{at}/proposal", text="The evidence does not suffice for either word.")
    cast.consulted.post(
        f"{at}/views",
        stand="disagrees",
        reasons="The intervals leave it open; more items would not.",
    )
    stage.until(
        "the answer to arrive",
        lambda: cast.officer.get(f"/questions/{asked['id']}")["state"] == "answered",
    )
    return str(made["id"])


def close_window(stage: Stage, cast: Cast, act_id: str, session_id: str) -> dict[str, Any]:
    """The window ends by itself at the partner release; both counts of the calls are compared."""
    stage.clock.set(PARTNER_RELEASE)
    for person in (cast.lead, cast.officer):
        stage.until(
            "the window to close by itself",
            lambda p=person: p.get(f"/acts/{act_id}")["window"] == "closed",
        )
    return dict(
        stage.until(
            "both counts of the calls to agree",
            lambda: _agreement(cast.lead.get(f"/sessions/{session_id}")),
        )
    )


def _agreement(session: dict[str, Any]) -> dict[str, Any] | None:
    meters: dict[str, Any] = session["meters"]
    return meters if meters["agree"] else None
