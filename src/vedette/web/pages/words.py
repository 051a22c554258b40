"""How the states of acts, windows, sessions and runs look, and what their kinds are called."""

from __future__ import annotations

from typing import Any

from vedette.kernel import markings
from vedette.kernel.markings import Marking
from vedette.services.here import here
from vedette.web.cells import Kind, State

NO_GATE = (
    "Nothing here moves your release dates. Each act is yours to take or leave, and silence means"
    " free to proceed."
)
KINDS: dict[str, dict[str, Kind]] = {
    "act": {
        "drafted": "idle",
        "offered": "active",
        "accepted": "done",
        "declined": "ended",
        "withdrawn": "ended",
        "lapsed": "ended",
    },
    "window": {"agreed": "idle", "open": "active", "closed": "ended", "ended": "ended"},
    "session": {"requested": "idle", "open": "active", "ended": "ended", "refused": "attention"},
    "custody": {
        "held": "active",
        "due": "attention",
        "destroying": "active",
        "destroyed": "done",
    },
    "run": {
        "committed": "idle",
        "running": "active",
        "away": "active",
        "finished": "done",
        "failed": "urgent",
        "destroyed": "ended",
    },
    "stance": {
        "unanswered": "idle",
        "agreed": "done",
        "declined": "ended",
        "taken-back": "ended",
    },
    "terms": {
        "proposed": "active",
        "agreed": "done",
        "overtaken": "ended",
        "replaced": "ended",
    },
    "publication": {
        "shown": "active",
        "seen": "active",
        "marked": "attention",
        "settled": "active",
        "published": "done",
        "left": "ended",
    },
    "choice": {"offer": "done", "not-now": "idle", "decline": "ended"},
}
CHOICES = {"offer": "offer it", "not-now": "not now", "decline": "do without it"}


def state(of: str, name: str) -> State:
    """A state of an act, window, session, run or choice, as a tag."""
    label = CHOICES.get(name, name) if of == "choice" else name.replace("-", " ")
    return State(label or "none", KINDS[of].get(name, "idle"))


def act_titles() -> dict[str, str]:
    """Titles of the three acts by id, in the order's own order."""
    return {row["id"]: str(row["title"]) for row in here().pack.records("engagement", "acts")}


def act_noun(kind: str) -> str:
    """`access-window` as people say it."""
    return kind.replace("-", " ")


def purposes() -> dict[str, str]:
    """The purposes of access by id, with what each means."""
    rows = here().pack.records("engagement", "purposes")
    return {row["id"]: f"{row['title']}: {row['text']}" for row in rows}


def publication_forms() -> dict[str, str]:
    """What terms can say of publication, by id."""
    return {row["id"]: str(row["title"]) for row in here().pack.records("terms", "publication")}


def bases() -> dict[str, str]:
    """The legal bases of a window by id."""
    return {
        key: str(row["title"]) for key, row in here().pack.mapping("engagement", "bases").items()
    }


def shortened(text: str, most: int) -> str:
    """A text of one line, cut at `most` characters."""
    words = " ".join(text.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def joined(*texts: Any) -> Marking:
    """The marking of a page that shows parts so marked."""
    return markings.join(Marking.parse(str(text)) for text in texts)


# what a reader calls what is held or read, whose tables and columns have other names
MATERIAL = {
    "attachment": "file",
    "attachment name": "name of a file",
    "consultation extract": "extract that another office shared",
    "consultation note": "words of the office that shared it",
    "consultation proposal": "conclusion that it proposes",
    "consultation reasons": "reasons of our answer",
    "dossierstate": "dossier",
    "dossierstate values": "dossier",
    "dossierstate withheld": "why a field does not come",
    "export": "file handed out",
    "inmessage": "message",
    "outmessage": "message",
    "proberound": "probes",
    "proberound answers": "answers to probes",
    "question answer": "answer to a question",
    "question text": "question",
    "releasestatement": "statement on the release",
    "releasestatement differences": "statement on the release",
    "reply": "answer to a repeated request",
    "review proposals": "proposed conclusions",
    "reviewcomment": "comment of a review",
    "reviewcomment text": "comment of a review",
    "reviewview": "view of an office",
    "reviewview reasons": "reasons of a view",
    "run commitment": "commitment of a run",
    "run error": "error of a run",
    "run result": "result of a run",
    "run signed_commitment": "commitment of a run, signed",
    "trustedpartner": "partner",
    "trustedpartner conflicts": "conflicts of a partner",
    "trustedpartner lab_note": "the lab's words on a partner",
    "trustedpartner office_note": "our words on a partner",
    "trustedpartner reason": "why a partner is named",
}


def material_kind(name: str) -> str:
    """What people call a kind of material."""
    return MATERIAL.get(name, name)
