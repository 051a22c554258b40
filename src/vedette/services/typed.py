"""An inventory that a person types: what was meant is chosen among what advisories know.

Rules:
- Candidates come from the indexes in hand; the list never leaves the instance.
- A product that somebody confirmed counts like any other of an asset list. What was only typed, or
  proposed to the person, never matches as `exact`, not even where it is called as was typed: a
  product that no advisory names may be called so, too. A typed list as a file is read likewise.
- First matches are shown before anything is kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from vedette.formats import typed_in
from vedette.formats.typed_in import Entry
from vedette.kernel.errors import BadInput
from vedette.kernel.permissions import Permission
from vedette.matching.candidates import Candidate
from vedette.services import inventories, matched, matches, products
from vedette.services.acting import Actor
from vedette.services.matched import Found
from vedette.store.models import Inventory

MAX_ENTRIES = 100
MAX_WORDS = 200
COLUMNS = ("vendor", "product", "version", "purl", "confirmed")


@dataclass(frozen=True)
class Chosen:
    """One product of the list: as an advisory writes it, or as it was typed.

    `confirmed` is "yes" where somebody said that it is what is run, else "no".
    """

    vendor: str
    product: str
    version: str
    purl: str = ""
    confirmed: str = "yes"


def choices(actor: Actor, text: str) -> list[tuple[Entry, list[Candidate]]]:
    """Read a typed list; each entry comes with its candidates, best first. Raises BadInput."""
    actor.require(Permission.INVENTORY_EDIT)
    entries = typed_in.entries(text)
    if not entries or len(entries) > MAX_ENTRIES:
        raise BadInput(
            f"text: {len(entries)} products, 1 to {MAX_ENTRIES} expected",
            next_step="a longer list is taken as a file",
        )
    known = products.known_products()
    return [(entry, known.meant(entry.readings)) for entry in entries]


def first_matches(actor: Actor, rows: Iterable[Chosen]) -> list[Found]:
    """What the indexes in hand say of a list that is not kept yet. Raises BadInput."""
    actor.require(Permission.INVENTORY_EDIT)
    content = inventories.read_inventory("list", as_csv(rows))
    held = matched.Held(content, exposed=False)
    return matched.find(held, matches.current_indexes()).found


def keep(actor: Actor, name: str, rows: Iterable[Chosen], *, exposed: bool = False) -> Inventory:
    """Take a typed list as an inventory, and have it matched. Raises BadInput."""
    return inventories.take_inventory(actor, name, as_csv(rows), exposed=exposed)


def as_csv(rows: Iterable[Chosen]) -> bytes:
    """The list as an asset CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [getattr(row, column).strip()[:MAX_WORDS] for column in COLUMNS]
        writer.writerow(cells)
    return buffer.getvalue().encode()
