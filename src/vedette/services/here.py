"""This instance, as services see it: profile, keys, clock, pack, ceiling, host organisation.

`here()` reads the Django settings that the composition root made; tests hand in their own with
`use(...)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings

from vedette.exchange.acceptance import Here as Door
from vedette.exchange.card import Card
from vedette.exchange.fields import GIB
from vedette.exchange.messages import BY_NAME
from vedette.exchange.rows import MessageType
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.clock import Clock, FileClock, SystemClock
from vedette.kernel.errors import BadInput, OurFault
from vedette.kernel.keys import PrivateKeys, PublicKeys
from vedette.kernel.markings import Marking
from vedette.kernel.packs import PolicyPack, default_pack, load_pack
from vedette.kernel.permissions import Profile

CURRENT = "pack.json"
PACK_KEYS = Path("keys") / "packs"
KEY_BOUNDS = Bounds(size=MIB, depth=10, count=1_000)


def trusted_keys(folder: Path) -> list[PublicKeys]:
    """The keys whose packs the instance in `folder` takes: one card or keys file each."""
    keys = []
    for path in sorted((folder / PACK_KEYS).glob("*.json")):
        card = read_json(path.read_bytes(), source=str(path), bounds=KEY_BOUNDS)
        try:
            found = PublicKeys(str(card["ed25519"]), str(card["age"]))
        except (KeyError, TypeError):
            raise BadInput(f"{path}: no instance's card") from None
        if not found.usable():
            raise BadInput(f"{path}: its keys can't be used")
        keys.append(found)
    return keys


def pack_in_force(folder: Path) -> PolicyPack:
    """The pack that the instance in `folder` adopted last, else the default one."""
    file = folder / CURRENT
    if not file.exists():
        return default_pack()
    return load_pack(file.read_bytes(), trusted_keys(folder))


@dataclass(frozen=True)
class Here:
    """One instance: who it is, its keys, its clock, the rules in force, where its files lie."""

    org: str
    name: str
    profile: Profile
    url: str
    ceiling: Marking
    folder: Path
    keys: PrivateKeys
    clock: Clock
    pack: PolicyPack
    demo: bool = False
    attachment_limit: int = 8 * GIB
    attachment_quota: int = 100 * GIB
    table: Mapping[str, MessageType] = field(default_factory=lambda: BY_NAME)
    classified_by: str = ""
    feeds: Path | None = None
    ask_daily: bool = False

    @property
    def door(self) -> Door:
        return Door(self.keys.public.keyid, self.profile, self.ceiling, self.table)

    @property
    def card(self) -> Card:
        return Card(self.name, self.profile, self.url, self.keys.public)

    @property
    def cache_dir(self) -> Path:
        return self.folder / "files" / "cache"

    def run_folder(self, run_id: str) -> Path:
        """Where a run's samples and logs lie."""
        return self.folder / "files" / "runs" / run_id


_given: list[Here] = []


def here() -> Here:
    """The instance this process works for."""
    return _given[-1] if _given else _from_settings()


@contextmanager
def use(instance: Here) -> Iterator[Here]:
    """Work for `instance` instead (tests, and several instances in one process)."""
    _given.append(instance)
    try:
        yield instance
    finally:
        _given.pop()


@cache
def _from_settings() -> Here:
    config = settings.CONFIG
    if config is None:
        raise OurFault("no instance is open in this process")
    return Here(
        org=config.org,
        name=config.name,
        profile=config.profile,
        url=config.url,
        ceiling=config.ceiling,
        folder=config.folder,
        keys=PrivateKeys.load(config.folder / "keys" / "instance.key"),
        clock=FileClock(config.clock) if config.clock else SystemClock(),
        pack=pack_in_force(config.folder),
        demo=config.demo,
        attachment_limit=config.attachment_limit * GIB,
        attachment_quota=config.attachment_quota * GIB,
        classified_by=config.classified_by,
        feeds=config.feeds,
        ask_daily=config.ask_daily,
    )
