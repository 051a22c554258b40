"""Policy packs: pinned or signed, read only, and never silently incomplete."""

from __future__ import annotations

import base64
import json
from importlib import resources
from typing import Any

import pytest
from securesystemslib.dsse import Envelope

from vedette.kernel import packs
from vedette.kernel.errors import BadInput, OurFault, Refused
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.packs import PINNED, default_pack, load_pack, pack_digest, packaged, sign_pack

OWN, OTHER = PrivateKeys.generate(), PrivateKeys.generate()
SMALL = json.dumps({"name": "xx-test", "version": "2", "rules": {"embargo": {"hold_days": 10}}})


@pytest.mark.parametrize("ref", PINNED)
def test_packs_in_the_package_match_their_pin(ref: str) -> None:
    file, pinned = PINNED[ref]
    data = resources.files("vedette.kernel").joinpath("data", file).read_bytes()
    assert pack_digest(data) == pinned, f"the pack changed: give it a new version, or pin {pinned}"
    assert packaged(ref).ref == ref


def test_every_pack_file_is_pinned() -> None:
    files = {item.name for item in resources.files("vedette.kernel").joinpath("data").iterdir()}
    assert files == {file for file, _ in PINNED.values()}


def test_a_changed_file_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    file, _ = PINNED[packs.DEFAULT]
    monkeypatch.setattr(packs, "PINNED", {packs.DEFAULT: (file, "sha256:" + "0" * 64)})
    packaged.cache_clear()
    with pytest.raises(OurFault, match="pinned"):
        default_pack()
    packaged.cache_clear()


def test_spaces_do_not_change_a_digest_and_content_does() -> None:
    document = json.loads(SMALL)
    assert pack_digest(json.dumps(document, indent=4).encode()) == pack_digest(SMALL.encode())
    document["rules"]["embargo"]["hold_days"] = 11
    assert pack_digest(json.dumps(document).encode()) != pack_digest(SMALL.encode())


def test_a_signed_pack_loads_under_a_trusted_key_alone() -> None:
    envelope = sign_pack(SMALL.encode(), OWN)
    pack = load_pack(envelope, [OTHER.public, OWN.public])
    assert (pack.ref, pack.integer("embargo", "hold_days")) == ("xx-test@2", 10)
    assert pack.digest == pack_digest(SMALL.encode())
    for trusted in ([], [OTHER.public]):
        with pytest.raises(Refused, match="no trusted key"):
            load_pack(envelope, trusted)


def test_a_changed_payload_does_not_load() -> None:
    envelope = json.loads(sign_pack(SMALL.encode(), OWN))
    envelope["payload"] = base64.b64encode(SMALL.replace("10", "99").encode()).decode()
    with pytest.raises(Refused, match="no trusted key"):
        load_pack(json.dumps(envelope).encode(), [OWN.public])


def test_the_envelope_is_dsse_to_others() -> None:
    envelope = Envelope.from_dict(json.loads(sign_pack(SMALL.encode(), OWN)))
    (signature,) = envelope.signatures.values()
    assert OWN.public.verify(bytes.fromhex(signature.signature), envelope.pae())


@pytest.mark.parametrize(
    "envelope",
    [b"", b"[]", b"{}", b'{"payloadType":1,"payload":"!","signatures":[]}', b'"text"', b"null"],
)
def test_a_malformed_envelope_is_bad_input(envelope: bytes) -> None:
    with pytest.raises(BadInput, match="policy pack envelope"):
        load_pack(envelope, [OWN.public])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "No Good"}, "name"),
        ({"version": 2}, "version"),
        ({"rules": []}, "rules"),
        ({"title": 3}, "title"),
        ({"rules": {"share": 0.5}}, "float"),
    ],
)
def test_a_malformed_pack_is_bad_input(change: dict[str, Any], words: str) -> None:
    data = json.dumps({**json.loads(SMALL), **change}).encode()
    with pytest.raises(BadInput, match=words):
        sign_pack(data, OWN)


def test_a_missing_or_misshapen_rule_names_pack_and_rule() -> None:
    pack = default_pack()
    with pytest.raises(BadInput, match=r"us-eo-14409@1 has no rule embargo\.forever"):
        pack.integer("embargo", "forever")
    with pytest.raises(BadInput, match=r"rule embargo\.hold_days should be text"):
        pack.text("embargo", "hold_days")
    with pytest.raises(BadInput, match=r"has no rule embargo\.hold_days\.x"):
        pack.integer("embargo", "hold_days", "x")
    with pytest.raises(BadInput, match="whole number"):
        pack.integer("isolation", "home_mounted")
    with pytest.raises(BadInput, match="list of objects"):
        pack.records("terms", "required")


def test_a_pack_is_read_only() -> None:
    rules: Any = default_pack().rules
    with pytest.raises(TypeError):
        rules["embargo"]["hold_days"] = 0
    assert isinstance(default_pack().sequence("plan", "steps"), tuple)


def test_the_default_pack_carries_the_orders_numbers() -> None:
    pack = default_pack()
    basis = pack.text("engagement", "default_basis")
    assert pack.integer("engagement", "bases", basis, "ceiling_days") == 30
    assert pack.integer_or_none("engagement", "bases", "separate-agreement", "ceiling_days") is None
    assert dict(pack.mapping("embargo")) == {
        "disclosure_days": 90,
        "extension_days": 14,
        "exploited_days": 7,
        "exploited_extension_days": 7,
        "silence_days": 30,
        "hold_days": 45,
    }
    assert len(pack.mapping("priority", "rows")) == 16
    assert pack.integer("ledger", "retention_years") == 5
