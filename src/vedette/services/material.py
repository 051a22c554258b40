"""What is held of an act's material on an office's instance: by kind and digest, and as a file.

Rules:
- The list is made from the tables' own declarations and the runs' folders, so that a table added
  later is in it by itself.
- A message is listed under the digest that its sender knows; anything else under the digest of
  what is stored, which is sealed.
- It leaves as a file only where the terms in force let it, and then for a second person, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vedette.engagement.custody import Material, listed
from vedette.kernel.canonical import digest
from vedette.kernel.errors import Refused
from vedette.kernel.sealing import key_of
from vedette.services import content, vault
from vedette.services.here import here
from vedette.store.models import Attachment, InMessage, Run, Weights
from vedette.store.sealing import sealed_places

KINDS = {"inmessage": "message received", "outmessage": "message sent"}
NAMES = {
    "act dossier": "extract of the dossier",
    "act note": "note of the offer",
    "act reason": "reason given",
}
BLOCK = 1 << 20


def material_of(act_id: str) -> dict[str, Any]:
    """Everything that is held of an act, as a list with counts; under the present scope."""
    return listed([*_values(act_id), *_weights(act_id), *_files(act_id)])


def _weights(act_id: str) -> Iterator[Material]:
    """Weights under the digest that the lab knows; their sealed files are listed beside."""
    for row in Weights.objects.filter(act_id=act_id).order_by("id"):
        yield Material("weights as received", row.name, row.digest)


def _values(act_id: str) -> Iterator[Material]:
    came = dict(InMessage.objects.filter(thread=act_id).values_list("pk", "digest"))
    names = dict(InMessage.objects.filter(thread=act_id).values_list("pk", "message_id"))
    for place in sealed_places(act_id):
        if place.table == "inmessage":
            key = int(place.row)
            yield Material(KINDS[place.table], names[key] or f"in-{key}", came[key])
        else:
            column = f"{place.table} {place.column}"
            kind = KINDS.get(place.table) or NAMES.get(column, column)
            yield Material(kind, place.row, digest(place.token.encode()))


def _files(act_id: str) -> Iterator[Material]:
    for kind, folder in folders_of(act_id):
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "run.json"):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            yield Material(kind, name, _digest_of(path))


def folders_of(act_id: str) -> list[tuple[str, Path]]:
    """The folders with sealed files of an act: of its runs, and of files that messages brought."""
    runs = Run.objects.filter(act_id=act_id).order_by("committed_at", "id")
    files = Attachment.objects.filter(about=act_id).order_by("made_at", "id")
    found = [("file of a run", here().run_folder(run.id)) for run in runs.only("id")]
    found += [("part of a file", content.folder_of(row)) for row in files]
    found += [("file of weights", here().folder / "files" / "weights" / act_id)]
    return [(kind, folder) for kind, folder in dict.fromkeys(found) if folder.is_dir()]


def _digest_of(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return f"sha256:{found.hexdigest()}"


def opened(act_id: str) -> list[dict[str, str]]:
    """Every sealed value of an act as text: its kind, its row, its column. Raises Refused."""
    key = vault.find_key(act_id)
    if key is None:
        raise Refused("the key of this act is not here: nothing of it can be read", kept="its list")
    return [
        {
            "kind": KINDS.get(place.table, place.table),
            "object": place.row,
            "column": place.column,
            "value": key.open(place.token, place.bound_to).decode(),
        }
        for place in sealed_places(act_id)
        if key_of(place.token) == key.id
    ]
