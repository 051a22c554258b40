"""Packs: adopted by signature, and past ones found again by digest."""

from __future__ import annotations

import json

import pytest

from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.packs import default_pack, plain, sign_pack
from vedette.services.acting import instance_actor
from vedette.services.here import PACK_KEYS, pack_in_force
from vedette.services.packs import adopt_pack, pack_of
from vedette.services.testing import Fixture
from vedette.store.models import LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped

MAKER = PrivateKeys.generate()


def another(ceiling: int = 14) -> bytes:
    rules = plain(default_pack().rules)
    rules["engagement"]["bases"]["eo14409-3b2"]["ceiling_days"] = ceiling
    document = {"name": "of-our-own", "version": "7", "title": "Shorter windows", "rules": rules}
    return sign_pack(json.dumps(document).encode(), MAKER)


def trust(lab: Fixture) -> None:
    folder = lab.here.folder / PACK_KEYS
    folder.mkdir(parents=True)
    keys = {"ed25519": MAKER.public.ed25519, "age": MAKER.public.age}
    (folder / "maker.json").write_text(json.dumps(keys))


def test_a_pack_is_adopted_by_a_trusted_signature_alone(lab: Fixture) -> None:
    with pytest.raises(Refused, match="no trusted key"):
        adopt_pack(instance_actor(), another())
    with pytest.raises(BadInput, match=r"is not signed .* has no 'payloadType'"):
        adopt_pack(instance_actor(), b'{"name": "of-our-own"}')
    trust(lab)
    with pytest.raises(Forbidden):
        adopt_pack(lab.person("release-lead"), another())
    made = adopt_pack(lab.person("administrator"), another())
    found = pack_in_force(lab.here.folder)
    assert found.digest == made.digest
    assert found.integer("engagement", "bases", "eo14409-3b2", "ceiling_days") == 14
    with scoped(SYSTEM):
        assert LedgerEntry.objects.filter(event="instance:pack:adopted").count() == 2


def test_past_packs_are_found_by_the_digest_that_decisions_keep(lab: Fixture) -> None:
    trust(lab)
    first = adopt_pack(instance_actor(), another(14))
    second = adopt_pack(instance_actor(), another(10))
    assert pack_in_force(lab.here.folder).digest == second.digest
    for pack in (default_pack(), first, second):
        assert pack_of(pack.digest).rules == pack.rules
    with pytest.raises(NotFound):
        pack_of("sha256:" + "0" * 64)


def test_a_changed_pack_or_key_file_is_named(lab: Fixture) -> None:
    trust(lab)
    envelope = json.loads(another())
    envelope["payload"] = json.loads(another(3))["payload"]
    with pytest.raises(Refused):
        adopt_pack(instance_actor(), json.dumps(envelope).encode())
    (lab.here.folder / PACK_KEYS / "broken.json").write_text("{}")
    with pytest.raises(BadInput, match="broken"):
        adopt_pack(instance_actor(), another())
