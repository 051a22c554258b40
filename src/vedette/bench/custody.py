"""Custody of a run: where items and weights meet, who sees what, and what the report says of it.

Rules:
- A run has one custody, chosen before its first sample and committed to with all else.
- Whoever's machine the items lie open on, or are sent to, could have seen every one of them: the
  exposure ledger counts all items of the run as exposed to that party.
- A party that administers the machine can read its memory, whatever is encrypted on its disk.
- Reference subjects alone need nobody else; any other run says which of the rest it is.

    here          reference subjects alone, on this machine
    endpoint      the model stays with the lab, prompts go to it
    weights-here  the office serves the model itself
    items-there   the lab runs the items on its own machine
    joint         both meet at a third place, which is attested
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from vedette.kernel.errors import BadInput

HERE, ENDPOINT, WEIGHTS_HERE = "here", "endpoint", "weights-here"
ITEMS_THERE, JOINT = "items-there", "joint"


@dataclass(frozen=True)
class Custody:
    """One row: who sees items and weights, what a run under it needs, what its report says.

    `exposes`: whether every item counts as exposed to the lab (or to the place). `away`: whether
    samples are made elsewhere and come back as a signed, sealed result.
    """

    name: str
    title: str
    items_seen_by: str
    weights_seen_by: str
    needs: tuple[str, ...]
    report: str
    exposes: bool
    away: bool = False

    def to_json(self) -> dict[str, object]:
        """Return what a report says of it."""
        return {
            "name": self.name,
            "title": self.title,
            "items_seen_by": self.items_seen_by,
            "weights_seen_by": self.weights_seen_by,
            "report": self.report,
        }


CUSTODIES = (
    Custody(
        HERE,
        "reference subjects alone",
        "the office",
        "nobody: no model took part",
        (),
        "Reference subjects alone ran, on the office's machine.",
        exposes=False,
    ),
    Custody(
        ENDPOINT,
        "through the lab's endpoint",
        "the office, and the lab: every prompt reaches it",
        "the lab",
        ("an open session on the lab's model",),
        "The model stayed with the lab and was asked through its endpoint. Every item sent could"
        " have been read and kept there, and counts as exposed to the lab. Which weights answered"
        " rests on the lab's word and on fingerprints.",
        exposes=True,
    ),
    Custody(
        WEIGHTS_HERE,
        "weights here",
        "the office",
        "the office, while they are open for the run",
        (
            "an address of the office's own that serves the model",
            "the weights as received, by digest, where there is an act",
        ),
        "The office served the model itself, at an address of its own, from weights recorded by"
        " digest and destroyed with a signed certificate. No item left the office. That the served"
        " model is the one that the lab releases rests on the digest that the lab states.",
        exposes=False,
    ),
    Custody(
        ITEMS_THERE,
        "items there",
        "the office, and the lab: the items are open on its machine while the run goes on",
        "the lab",
        (
            "the lab's card, to which the run's keys are sealed",
            "two persons of the office, each of whom releases one key",
        ),
        "The lab ran the items on its own machine, from an encrypted bundle opened in memory with"
        " keys released by two persons for this run. Whoever administers that machine could have"
        " read every item, and could have changed what the program reports: each item counts as"
        " exposed to the lab, and the samples rest on the lab's signature.",
        exposes=True,
        away=True,
    ),
    Custody(
        JOINT,
        "joint, at an attested third place",
        "the office, and whoever administers the third place",
        "the lab, and whoever administers the third place",
        (
            "the card of the third place, to which the run's keys are sealed",
            "two persons of the office, each of whom releases one key",
            "an attestation of the place, with what its verifier said",
        ),
        "Items and weights met at a third place. Its attestation was supplied from outside and is"
        " recorded by digest with its verifier's words; this program checked no measurement of"
        " hardware or software. Each item counts as exposed to the place.",
        exposes=True,
        away=True,
    ),
)
BY_NAME = {row.name: row for row in CUSTODIES}


def custody_of(name: str) -> Custody:
    """Return the row of that name. Raises BadInput."""
    try:
        return BY_NAME[name]
    except KeyError:
        known = ", ".join(BY_NAME)
        raise BadInput(f"custody: {name[:40]!r} is none of {known}") from None


def choose(asked: str, kinds: Collection[str]) -> Custody:
    """Return the custody of a run whose subjects are of `kinds`. Raises BadInput.

    Without one asked for, a model is taken to be elsewhere: `endpoint`. A program in the sandbox
    here (an agent) has all that it is made of here.
    """
    others = set(kinds) - {"reference"}
    if not others:
        if asked not in ("", HERE):
            raise BadInput(
                f"custody: {asked[:40]!r} is of a model, and only reference subjects run",
                next_step="add a model, or leave custody out",
            )
        return BY_NAME[HERE]
    if asked == HERE:
        raise BadInput(
            "custody: a model runs, so it is more than reference subjects alone",
            next_step=f"one of {', '.join(n for n in BY_NAME if n != HERE)}",
        )
    return custody_of(asked or (WEIGHTS_HERE if others == {"agent"} else ENDPOINT))
