"""The keys of windows on an office's instance, and the log of who opened what with them.

Rules:
- What a lab sends under an act is sealed under that act's own key; the lab's instance keeps its own
  material open. What a run on sealed items recorded without an act is sealed under the run's own.
- A key is a file in `keys/windows/`, made before the first thing is sealed under it, on the disk
  before that thing is. It is in no database and in no backup.
- A key that was destroyed or lost is never made again: what comes later gets a new one.
- Each opening by a person is logged with the person, the object and the hour, once a view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vedette.kernel.permissions import Profile
from vedette.kernel.sealing import FOLDER, Box, WindowKey, key_of, sync_folder
from vedette.services.here import here
from vedette.store import rows, sealing
from vedette.store.models import Person, Reading, Run
from vedette.store.models import WindowKey as KeyRow
from vedette.store.tenancy import SYSTEM, scoped

after_new_key: list[Callable[[str], None]] = []
"""What else happens when an act gets a key; each is told the act's id."""


def key_file(act_id: str) -> Path:
    """Where the key of an act lies."""
    return here().folder / FOLDER / f"{act_id}.key"


def keeps_sealed() -> bool:
    """Whether this instance seals what comes under an act: an office does."""
    return here().profile == Profile.OFFICE


_waiting: ContextVar[set[Path] | None] = ContextVar("vedette_keys_to_sync", default=None)


def _sync(folder: Path) -> None:
    waiting = _waiting.get()
    if waiting is None:
        sync_folder(folder)
    else:
        waiting.add(folder)


@contextmanager
def keys_together() -> Iterator[None]:
    """Have the names of keys made within on the disk at its end, before its transaction's."""
    waiting: set[Path] = set()
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
        for folder in waiting:
            sync_folder(folder)


def find_key(act_id: str) -> WindowKey | None:
    """The act's key as it is now, None where there is none."""
    try:
        return WindowKey.load(key_file(act_id))
    except FileNotFoundError:
        return None


def key_for(act_id: str) -> WindowKey:
    """The act's key, made where there is none."""
    key = find_key(act_id)
    if key is None:
        path = key_file(act_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = WindowKey.generate()
        try:
            key.save(path)
            _sync(path.parent)
        except FileExistsError:
            key = WindowKey.load(path)
    _keep_row(act_id, key)
    return key


def _keep_row(act_id: str, key: WindowKey) -> None:
    """Have the key on record; one on record before it whose file is gone was lost."""
    with scoped(SYSTEM):
        found = KeyRow.objects.filter(about=act_id)
        known = set(found.values_list("id", flat=True))
        if key.id in known:
            return
        now = here().clock.now()
        if known:
            found.filter(destroyed_at=None, lost_at=None).update(lost_at=now)
        rows.insert(KeyRow(id=key.id, org_id=here().org, about=act_id, made_at=now))
        if Run.objects.filter(id=act_id).exists():
            return  # sealed items run without an act: no lab's material, so no custody of it
    for hook in after_new_key:
        hook(act_id)


def box_for(act_id: str | None, place: str) -> Box | None:
    """What a run's folder is sealed with, None where it is about no lab's material."""
    return Box(key_for(act_id), place) if act_id and keeps_sealed() else None


def missing_keys() -> list[tuple[str, str]]:
    """Each key on record that is neither destroyed nor there: (key id, act id)."""
    with scoped(SYSTEM):
        kept = list(KeyRow.objects.filter(destroyed_at=None).order_by("made_at", "id"))
    found = {row.about: find_key(row.about) for row in kept}
    return [(r.id, r.about) for r in kept if (k := found[r.about]) is None or k.id != r.id]


class _Keyring:
    """The store's way to the keys."""

    def seal(self, act: str, place: str, data: bytes) -> str | None:
        return key_for(act).seal(data, place) if keeps_sealed() else None

    def open(self, act: str, place: str, token: str, row: Any) -> bytes | None:
        key = find_key(act)
        if key is None or key.id != key_of(token):
            return None
        data = key.open(token, place)
        kind = type(row).__name__.lower().removeprefix("in").removeprefix("out")
        log_reading(act, kind, str(getattr(row, "message_id", row.pk)))
        return data


sealing.use_keyring(_Keyring())


@dataclass
class _View:
    """What one view has opened so far."""

    reader: Any
    opened: dict[tuple[str, str, str], None] = field(default_factory=dict)


_view: ContextVar[_View | None] = ContextVar("vedette_view", default=None)


def log_reading(act_id: str, kind: str, object_id: str) -> None:
    """Note that the present view opens an object; the instance's own work is nobody's reading."""
    view = _view.get()
    if view is not None:
        view.opened[(act_id, kind, object_id)] = None


def opened_acts() -> list[str]:
    """The acts whose material the present view has opened."""
    view = _view.get()
    return sorted({act_id for act_id, _, _ in view.opened}) if view else []


def seal_for(acts: list[str], text: str, place: str) -> str:
    """Seal a text that tells of several acts' material, so that it is gone with any of them."""
    for act_id in acts:
        text = key_for(act_id).seal(text.encode(), place)
    return text


def open_for(text: str, place: str) -> str | None:
    """Open what `seal_for` sealed; None where a key of it is gone."""
    while key_id := key_of(text):
        with scoped(SYSTEM):
            row = KeyRow.objects.filter(id=key_id).first()
        key = find_key(row.about) if row else None
        if row is None or key is None or key.id != key_id:
            return None
        text = key.open(text, place).decode()
        log_reading(row.about, "reply", place)
    return text


@contextmanager
def viewing(reader: Any) -> Iterator[None]:
    """Log at its end what `reader` (an Actor) opens within; one view within another is one."""
    if reader.system or _view.get() is not None or not keeps_sealed():
        yield
        return
    token = _view.set(view := _View(reader))
    try:
        yield
    finally:
        _view.reset(token)
        if view.opened:
            _write(view)


def _write(view: _View) -> None:
    instance = here()
    person, now = reader_id(view.reader), instance.clock.now()
    with scoped(SYSTEM):
        Reading.objects.bulk_create(
            Reading(
                org_id=instance.org,
                about=act_id,
                person=person,
                at=now,
                kind=kind,
                object_id=object_id,
            )
            for act_id, kind, object_id in view.opened
        )


def reader_id(actor: Any) -> str:
    """How a person is called in logs and in terms: their address, else their name."""
    if actor.person is None:
        return str(actor.name)
    return str(Person.objects.get(pk=actor.person).email)
