"""The parts of a case's page: what the services say of a case, as values for the components."""

from __future__ import annotations

from typing import Any

from vedette.clearinghouse.severity import Claimant
from vedette.clearinghouse.severity import SeverityClaim as Claim
from vedette.clearinghouse.states import ParticipantState
from vedette.formats.advisory import check_vector
from vedette.ledger.timeline import title
from vedette.services.acting import Actor
from vedette.services.here import here
from vedette.services.private_cases import state_of
from vedette.web.cells import Code, Column, Step, Table
from vedette.web.pages.case_acts import MOVES, CaseAct
from vedette.web.pages.forms import moment
from vedette.web.pages.labels import state

SHOWN = 25
SHOWN_PARTIES = 12
SHOWN_NOTES = 10
SHOWN_EVENTS = 8
# Whom the coordinator looks at first.
ATTENTION = (
    ParticipantState.SILENT,
    ParticipantState.INVITED,
    ParticipantState.NOT_LOOKED,
    ParticipantState.ACKNOWLEDGED,
    ParticipantState.WORKING,
    ParticipantState.FIXED,
    ParticipantState.NOT_AFFECTED,
)


def moves_of(view: dict[str, Any], own: bool) -> list[CaseAct]:
    """The coordinator's moves; a public fix only where a release was executed."""
    if not own:
        return []
    released = any(f.get("recipe", {}).get("kind") == "pypi" for f in view["findings"])
    moves = [MOVES[trigger] for trigger in view["moves"] if trigger in MOVES]
    return [move for move in moves if released or move.name != "public-fix"]


def statuses(counts: dict[str, int]) -> list[tuple[str, Any, int]]:
    """How many participants stand in each status, silence first."""
    return [(s, state("participant", s), counts[s]) for s in ATTENTION if s in counts]


def by_attention(parties: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those first whom the coordinator looks at first."""
    order = {status: n for n, status in enumerate(ATTENTION)}
    return sorted(parties, key=lambda p: (order.get(p["status"], len(order)), p["name"]))


def facts(view: dict[str, Any]) -> list[tuple[str, Any]]:
    """What is known of the case; what is not is left out."""
    facts = view["facts"]
    known = [
        ("Vendor", view["vendor"]),
        ("Product", view["product"]),
        ("Component", view["component"]),
        ("Opened", moment(view["opened_at"])),
        ("Closed", moment(view["closed_at"])),
        ("Known to be exploited since", moment(facts.get("exploited_since"))),
        ("Extension", "asked for" if facts.get("extension_asked") else ""),
        ("Patched since", moment(facts.get("patched"))),
        ("Published before its hour", facts.get("published_early", "")),
        ("Id", Code(view["id"])),
    ]
    return [(name, value) for name, value in known if value]


def embargo(view: dict[str, Any], own: bool) -> dict[str, Any] | None:
    """The embargo's hours as times, its zones with who reads them, and the terms."""
    kept = view["embargo"]
    if not kept:
        return None
    zones: dict[tuple[str, str], list[str]] = {}
    for hour in kept["hours"]:
        if hour["zone"] != "UTC":
            zones.setdefault((hour["zone"], hour["local"]), []).append(hour["party"])
    return {
        **kept,
        **{name: moment(kept[name]) for name in ("ends", "escalate", "details_from")},
        "hours": [
            {"zone": zone, "local": local, "parties": parties if own else []}
            for (zone, local), parties in sorted(zones.items())
        ],
        "terms": [_term(term) for term in kept["terms"]],
    }


def _term(term: dict[str, Any]) -> dict[str, Any]:
    days = [
        f"{name.removesuffix('_days').replace('_', ' ')}: {n} days"
        for name, n in term["days"].items()
    ]
    return {**term, "numbers": ", ".join(days)}


def parties_table(rows: Any, caption: str) -> Table:
    """Participants with an answer told apart from silence."""
    return Table(
        caption,
        ["Organisation", "Part", "Status", "Invited", "Last word", "Note", "Agrees to publish"],
        [
            [
                each["name"],
                each["role"],
                state("participant", each["status"]),
                moment(each["invited_at"]),
                moment(each["responded_at"]) or "none",
                each["note"][:200],
                bool(each["agreed_to_publish"]),
            ]
            for each in rows
        ],
    )


def findings(view: dict[str, Any], own: bool) -> list[dict[str, Any]]:
    """The findings that stand, each with its duplicates and what its execution showed."""
    duplicates: dict[str, list[dict[str, Any]]] = {}
    for line in view["findings"]:
        if line["duplicate_of"]:
            duplicates.setdefault(line["duplicate_of"], []).append(line)
    originals = [line for line in view["findings"] if not line["duplicate_of"]][:SHOWN]
    return [
        {
            **line,
            "state": state("finding", line["state"]),
            "facts": _shown(line),
            "duplicate_count": len(duplicates.get(line["id"], [])),
            "duplicates": duplicates.get(line["id"], [])[:SHOWN] if own else [],
        }
        for line in originals
    ]


def _shown(line: dict[str, Any]) -> list[tuple[str, Any]]:
    evidence = line.get("evidence")
    if evidence is None:
        return [("Executed here", "not yet")]
    return [
        ("Crash", evidence.get("crash_class")),
        ("Access", evidence.get("access")),
        ("Top frame", Code(evidence["top_frame"]) if evidence.get("top_frame") else None),
        ("Runs that crashed", f"{evidence.get('crashed', 0)} of {evidence.get('runs', 0)}"),
        ("Isolation", evidence.get("isolation")),
        ("Weakness", ", ".join(line["cwe"])),
    ]


def claims(view: dict[str, Any]) -> Table:
    """Everybody's judgement of the severity, none before another."""
    return Table(
        "Claims, side by side",
        ["Party", "Part", "Vector", Column("Score", numeric=True), "Said", "Why"],
        [
            [
                c["party"],
                c["claimant"],
                Code(c["vector"]),
                _score(c),
                moment(c["made"]),
                c["words"],
            ]
            for c in view["severity"]["claims"]
        ],
        empty="Nobody has said anything of the severity yet.",
    )


def _score(claim: dict[str, Any]) -> str:
    party, vector = claim["party"], claim["vector"]
    parsed = Claim(Claimant(claim["claimant"]), party, vector, here().clock.now())
    return str(check_vector(parsed).base_score)


def fixes(view: dict[str, Any]) -> Table:
    """Fixes with what executing them showed, newest first."""
    return Table(
        "Newest first",
        ["Version", "State", "What its execution showed", "Delivered", "Verified", "Note"],
        [
            [
                fix["version"],
                state("fix", fix["state"]),
                fix["evidence"].get("reason"),
                moment(fix["delivered_at"]),
                moment(fix["verified_at"]),
                fix["note"][:300],
            ]
            for fix in reversed(view["fixes"])
        ],
        empty="No fix has been delivered yet.",
    )


def mails(view: dict[str, Any]) -> Table:
    """Mail sent in the case, newest first."""
    rows = [
        [m["subject"], m["to"], moment(m["queued_at"]), moment(m["sent_at"]) or "not yet"]
        for m in reversed(view["mails"])
    ]
    return Table(f"Mail sent ({len(rows)})", ["Subject", "To", "Queued", "Sent"], rows[:SHOWN])


def timeline(view: dict[str, Any]) -> list[Step]:
    """The ledger's newest entries of the case."""
    newest = view["timeline"][: -SHOWN_EVENTS - 1 : -1]
    return [
        Step(title(each["event"]), "done", moment(each["time"]), str(each["org"]))
        for each in newest
    ]


def notes(view: dict[str, Any]) -> list[dict[str, Any]]:
    """The newest notes, newest first."""
    newest = view["notes"][: -SHOWN_NOTES - 1 : -1]
    return [{**each, "at": moment(each["at"])} for each in newest]


def in_private(actor: Actor, case_id: str) -> dict[str, Any] | None:
    """How the case stands in private matching."""
    found = state_of(actor, case_id)
    return {**found, "opened_at": moment(found["opened_at"])} if found else None
