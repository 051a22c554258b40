"""A delegate brings in many operators at once, and their inventories in one go.

Rules:
- A registered operator is a new organisation with a mandate on the delegate's own record of its
  basis: nothing of it can be read but what the delegate brings. Of a name that is here the delegate
  learns that it is taken, and asks for a mandate.
- Whom the operator is, the delegate does not say: its first person is invited by the clearinghouse,
  never by the delegate, who else could sign in as the operator past the mandate's end.
- Each line and each file is an act of its own: what can't be taken is told with its reason, and the
  rest is done; doing it again changes nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.mandates import bounds
from vedette.kernel.errors import BadInput, NotFound, VedetteError
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.kernel.words import counted
from vedette.services import delegates
from vedette.services.acting import Actor, act
from vedette.services.mandates import DELEGATE, OPERATOR, begin
from vedette.services.parties import clearinghouse_only
from vedette.store.models import Mandate, Organisation
from vedette.store.tenancy import SYSTEM, scoped

MOST = 200
COLUMNS = ("name", "email", "sector")
BETWEEN = "__"


@dataclass(frozen=True)
class Row:
    """An operator to be registered."""

    name: str
    email: str = ""
    sector: str = ""


@dataclass(frozen=True)
class Line:
    """What became of one operator or one file: `said` is for people."""

    name: str
    done: bool
    said: str
    id: str = ""


def read_rows(text: str) -> list[Row]:
    """Operators from CSV: a header with name, and perhaps email and sector; or one name a line."""
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    header = [cell.strip().casefold() for cell in (lines[0] if lines else "").split(",")]
    if "name" not in header:
        return _checked([Row(line.strip()) for line in lines])
    try:
        read = list(csv.DictReader(io.StringIO("\n".join([",".join(header), *lines[1:]]))))
    except csv.Error as error:
        raise BadInput(f"operators: no CSV ({error})") from None
    return _checked([Row(*((each.get(c) or "").strip() for c in COLUMNS)) for each in read])


def _checked(rows: list[Row]) -> list[Row]:
    if not 1 <= len(rows) <= MOST:
        raise BadInput(f"operators: {len(rows)} named, 1 to {MOST} expected at once")
    for number, row in enumerate(rows, 1):
        if not row.name or len(row.name) > 200 or not row.name.isprintable():
            raise BadInput(f"operators: entry {number}: a name of 1 to 200 characters expected")
        if len(row.email) > 254 or len(row.sector) > 100 or (row.email and "@" not in row.email):
            raise BadInput(f"operators: {row.name[:60]}: its email or sector can't be taken")
    return rows


def register_operators(
    actor: Actor, rows: Sequence[Row], acts: Iterable[str], basis: str, ends: datetime
) -> list[Line]:
    """Register operators, each with a mandate of its own on the same basis. Raises BadInput."""
    clearinghouse_only()
    actor.require(Permission.MANDATE_USE)
    chosen = list(acts)
    return [_register(actor, row, chosen, basis, ends) for row in _checked(list(rows))]


def _register(actor: Actor, row: Row, acts: Sequence[str], basis: str, ends: datetime) -> Line:
    with act(actor, Permission.MANDATE_USE) as doing:
        within = bounds(acts, doing.now, ends, (), doing.now)
        with scoped(SYSTEM):
            own = Organisation.objects.get(id=actor.org)
            if own.kind != DELEGATE:
                raise NotFound(f"a {own.kind} registers no operators")
            known = Organisation.objects.filter(name__iexact=row.name).first()
            mine = Mandate.objects.filter(org=known, delegate=own).order_by("-made_at").first()
        if known is not None:
            said = "is here already" if mine else "this name is taken: ask it for a mandate"
            return Line(row.name, bool(mine), said, known.id if mine else "")
        made = Organisation(
            name=row.name,
            kind=OPERATOR,
            sector=row.sector,
            small=True,
            email=row.email,
            added_at=doing.now,
        )
        with scoped(SYSTEM):
            made.save(force_insert=True)
        payload = {"name": made.name, "kind": made.kind, "registered_by": own.id}
        doing.record(Event.INSTANCE_ORGANISATION_ADDED, made.id, payload)
        begin(doing, "register", Party.DELEGATE, made, own, within, basis)
        return Line(row.name, True, "registered", made.id)


def take_files(
    actor: Actor, files: Iterable[tuple[str, bytes]], *, by_site: bool = False
) -> list[Line]:
    """Take inventories for operators: `files` are (file name, content).

    A file is named after its operator, `Oak Utility.csv`, and where it has several inventories also
    after the site, `Oak Utility__Plant 1.json`; without one the inventory is called "inventory".
    The operator's id serves as well as its name. `by_site` cuts each asset list, a file that ends
    in .csv, into one inventory for each site that it names.
    """
    clearinghouse_only()
    actor.require(Permission.MANDATE_USE)
    mandated = delegates.operators(actor)
    known = {key: one.id for one in mandated for key in (one.name.casefold(), one.id)}
    return [_take(actor, known, name, data, by_site) for name, data in files]


def _take(actor: Actor, known: dict[str, str], file: str, data: bytes, by_site: bool) -> Line:
    base = file.rpartition("/")[2]
    for ending in (".json", ".xml", ".csv", ".txt", ".spdx", ".cdx"):
        base = base.removesuffix(ending)
    operator, between, site = base.partition(BETWEEN)
    wanted = known.get(operator.strip().casefold())
    if wanted is None:
        said = f"no operator {operator.strip()[:60]!r} has mandated you; the file is not kept"
        return Line(file, False, said)
    name = site if between else "inventory"
    try:
        if by_site and file.lower().endswith(".csv"):
            rows = delegates.take_by_site(actor, wanted, name, data)
            count = sum(row.components for row in rows)
            said = f"{counted(len(rows), 'site')}: {count:,} components kept, and being matched"
            return Line(file, True, said)
        row = delegates.take_inventory(actor, wanted, name, data)
    except VedetteError as error:
        return Line(file, False, error.what)
    return Line(file, True, f"{row.components:,} components kept, and being matched", row.id)
