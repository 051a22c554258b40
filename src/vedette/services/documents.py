"""What leaves a screen as a document: marked by portions, stamped with its reader, and logged.

Rules:
- A reader gets the portions that their own marking, the instance's ceiling and the terms reach.
- Where the terms of an act keep what they bind on the office's pages, no copy leaves them.
- Each copy has a random code of its own, printed on it, never hidden in it; the code, the digest
  and who took it are kept here and go into the ledger, so that a copy found later can be traced.
- What a copy says of its origin is signed with the instance's key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from vedette.formats.document import Edition, Stamp, edition_for
from vedette.formats.document_pdf import to_pdf
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.classification import Authority, Block, Rules, block_of, require_complete
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import ALPHABET, new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.kernel.portions import CUI, Gap, Portion, Source, seen_by, with_gaps
from vedette.readiness.dossier import fields_of
from vedette.services.acting import Actor, act, reading
from vedette.services.binding import address_of, binding_of, require_export, require_reading
from vedette.services.document_kinds import KINDS, Found, Kind, act_source, dossier_marking
from vedette.services.here import here
from vedette.store.models import Act, DocumentCopy
from vedette.store.tenancy import SYSTEM, scoped

FORMS = {"pdf": "application/pdf", "json": "application/json"}
CONTEXT = b"vedette document copy 1\n"
CODE = re.compile(rf"copy-[{ALPHABET}]{{16}}")
# setting takes a processor and some hundred MiB for a moment: so many at once, others wait
SETTING = BoundedSemaphore(2)
PATIENCE = 60
SHOWN = 100


@dataclass(frozen=True)
class Copy:
    """A copy as it leaves: its bytes, and the row that says whose it is."""

    row: DocumentCopy
    data: bytes

    @property
    def media_type(self) -> str:
        return FORMS[self.row.form]

    @property
    def name(self) -> str:
        return f"{self.row.about}.{self.row.form}"


def authority() -> Authority:
    """Who classifies here, by this instance's settings."""
    return Authority(here().classified_by, here().name)


def page_block(marking: Marking, sources: Sequence[Source] | None = None) -> Block | None:
    """The block of a page so marked, by this instance's settings; None where it needs none."""
    if marking.level < CUI:
        return None
    own = Source(f"Records of {here().name}", marking)
    portions = [Portion(None, marking, tuple(sources or (own,)))]
    return block_of(portions, authority(), Rules.of(here().pack), here().clock.now())


def leaving_block(marking: Marking, sources: Sequence[Source]) -> Block | None:
    """`page_block` of what leaves as a file. Raises Refused where it would not be complete."""
    block = page_block(marking, sources)
    require_complete(block)
    return block


def act_sources(act_id: str) -> tuple[Source, ...]:
    """What a page about an act is derived from; nothing where the act is not here."""
    return _sources(id=act_id)


def review_sources(review_id: str) -> tuple[Source, ...]:
    """`act_sources` for a review, for an office that does not see the act itself, too."""
    return _sources(reviews__id=review_id)


def _sources(**wanted: str) -> tuple[Source, ...]:
    with scoped(SYSTEM):
        row = Act.objects.select_related("peer").filter(**wanted).first()
        return (act_source(row),) if row else ()


def read_document(actor: Actor, kind: str, object_id: str) -> tuple[Edition, Stamp | None]:
    """A document as this reader gets it on a page, with the watermark where the terms want one."""
    with reading(actor, _kind(kind).permission):
        found = _kind(kind).build(object_id)
        if found.act is not None and kind != "act":
            require_reading(actor, found.act)
        own = kind == "act" and here().profile == Profile.LAB
        return _edition(actor, found), None if own else watermark(actor, object_id, found.act)


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise NotFound(f"no document of kind {kind[:40]!r}")
    return KINDS[kind]


def _edition(actor: Actor, found: Found) -> Edition:
    return edition_for(
        found.document,
        _reach(actor, found.act),
        authority=authority(),
        rules=Rules.of(here().pack),
        gaps=here().pack.boolean("marking", "gaps"),
        now=here().clock.now(),
    )


def _reach(actor: Actor, row: Act | None) -> Marking:
    """The highest marking that this reader gets here: their own, the ceiling's, the terms'."""
    reach = Marking.parse(actor.clearance) if not actor.system else here().ceiling
    bounds = [here().ceiling]
    binding = binding_of(row) if row is not None else None
    if binding is not None and not actor.system:
        bounds.append(binding.marking)
    for bound in bounds:
        reach = Marking(
            min(reach.tlp, bound.tlp),
            min(reach.level, bound.level),
            reach.compartments & bound.compartments,
        )
    return reach


def watermark(actor: Actor, object_id: str, row: Act | None) -> Stamp | None:
    """Reader and time for a page that shows the other side's material, None where terms say so."""
    return _stamp(actor, object_id) if row is not None and _stamped(row) else None


def page_watermark(actor: Actor, object_id: str, act_id: str | None) -> Stamp | None:
    """`watermark` for a page about what came with an act; None where there is no such act."""
    row = Act.objects.filter(id=act_id).first() if act_id else None
    return watermark(actor, object_id, row)


def review_watermark(actor: Actor, review_id: str) -> Stamp | None:
    """`watermark` for the pages of a review, for an office that does not see the act itself too."""
    with scoped(SYSTEM):
        row = Act.objects.filter(reviews__id=review_id).first()
        stamped = row is not None and _stamped(row)
    return _stamp(actor, review_id) if stamped else None


def dossier_portions(
    actor: Actor, values: Mapping[str, str], whole: Marking
) -> list[Portion[tuple[str, str]] | Gap]:
    """Dossier fields of an act as a page shows them: label and text, each by its own marking."""
    labels = {field.id: field.label for field in fields_of(here().pack)}
    portions = [
        Portion((labels.get(key, key), text), dossier_marking(key, whole))
        for key, text in values.items()
    ]
    reach = _reach(actor, None)
    if not here().pack.boolean("marking", "gaps"):
        return list(seen_by(portions, reach))
    return list(with_gaps(portions, reach))


def _stamped(row: Act | None) -> bool:
    """Whether copies name their reader on each page: always, unless terms in force say no."""
    binding = binding_of(row) if row is not None else None
    return binding is None or binding.watermark


def _stamp(actor: Actor, object_id: str, code: str = "") -> Stamp:
    now = here().clock.now()
    return Stamp(actor.name, address_of(actor), now, here().name, object_id, code)


def take_copy(actor: Actor, kind: str, object_id: str, form: str = "pdf") -> Copy:
    """Make a copy of a document for its reader, and log that they took it.

    Raises Refused where the terms keep it on the pages, BadInput where it is too long for a PDF.
    """
    if form not in FORMS:
        raise BadInput(f"form: {form[:20]!r} is none of {', '.join(FORMS)}")
    code = new_id("copy")
    with reading(actor, _kind(kind).permission):
        found = _kind(kind).build(object_id)
        _require_leave(actor, kind, found.act)
        edition, stamp = _edition(actor, found), _stamp(actor, object_id, code)
        stamped = _stamped(found.act)
    statement = _statement(edition, stamp)
    # outside of the transaction: setting takes a moment, and nobody has to wait for it
    data = _render(form, edition, stamp, statement, stamped=stamped)
    with act(actor, _kind(kind).permission) as doing:
        row = DocumentCopy(
            id=code,
            org_id=actor.org,
            kind=kind,
            about=object_id,
            form=form,
            reader=stamp.reader[:200],
            address=stamp.address,
            taken_at=stamp.at,
            marking=str(edition.marking),
            digest=digest(data),
            edition_digest=edition.digest,
            statement=statement,
        )
        row.save(force_insert=True)
        doing.record(
            Event.DOCUMENT_COPY_TAKEN,
            object_id,
            {"copy": code, "digest": row.digest, "reader": row.reader, "address": row.address},
            marking=row.marking,
        )
    return Copy(row, data)


def _require_leave(actor: Actor, kind: str, row: Act | None) -> None:
    """Raise Refused where the terms in force keep it on the pages.

    An act with its terms is both sides' own record: whoever reads it need not be named in it.
    """
    if row is None:
        return
    binding = binding_of(row)
    if kind != "act" or (binding is not None and not binding.export):
        require_export(actor, row)


def _statement(edition: Edition, stamp: Stamp) -> dict[str, Any]:
    """What a copy says of its origin, signed."""
    said = {
        "copy": stamp.code,
        "kind": edition.kind,
        "id": edition.id,
        "marking": str(edition.marking),
        "made_from": edition.made_from,
        "edition": edition.digest,
        "made_with": edition.made_with,
        "made_at": format_time(stamp.at),
        "instance": here().keys.public.keyid,
    }
    return {**said, "signature": here().keys.sign(CONTEXT + canonical(said)).hex()}


def _render(
    form: str, edition: Edition, stamp: Stamp, statement: dict[str, Any], *, stamped: bool
) -> bytes:
    if form == "json":
        whole = {"document": edition.to_json(), "statement": statement}
        named = {"copy_of": stamp.line} if stamped else {}
        return json.dumps({**named, **whole}, indent=1, ensure_ascii=False).encode()
    if not SETTING.acquire(timeout=PATIENCE):
        raise Refused(
            "many documents are being set just now",
            kept="the document",
            next_step="try again in a minute",
        )
    try:
        return to_pdf(edition, stamp if stamped else None, _provenance(statement))
    finally:
        SETTING.release()


def _provenance(statement: dict[str, Any]) -> list[tuple[str, str]]:
    rows = (
        ("This copy", statement["copy"]),
        ("Made", f"{statement['made_at']} by {here().name} with {statement['made_with']}"),
        ("Made from the record", statement["made_from"] or "parts of it"),
        ("What this copy says", statement["edition"]),
        ("Signed with the key", f"sha256:{statement['instance']}"),
        ("Signature", f"ed25519:{statement['signature']}"),
    )
    return [(name, str(value)) for name, value in rows]


def copies(actor: Actor, about: str = "") -> list[DocumentCopy]:
    """The newest copies taken here, of one object where it is named."""
    with reading(actor, Permission.LEDGER_READ):
        rows = DocumentCopy.objects.order_by("-taken_at", "id")
        return list((rows.filter(about=about) if about else rows)[:SHOWN])


def whose_copy(actor: Actor, code: str) -> DocumentCopy:
    """Whose copy bears this code, or has this digest. Raises NotFound."""
    wanted = "".join(code.split()).lower()
    with reading(actor, Permission.LEDGER_READ):
        found = DocumentCopy.objects.filter(id=wanted).first()
        found = found or DocumentCopy.objects.filter(digest=wanted).first()
        if found is None:
            raise NotFound(
                "no copy of this code or digest was taken on this instance",
                next_step="compare the code with the foot of its pages, letter by letter",
            )
        return found


def whose_file(actor: Actor, data: bytes) -> DocumentCopy:
    """Whose copy a file is: by its digest, else by the code that it says in the open."""
    try:
        return whose_copy(actor, digest(data))
    except NotFound:
        named = CODE.search(data.decode("latin-1"))
        if named is None:
            raise
        return whose_copy(actor, named[0])
