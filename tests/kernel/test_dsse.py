"""Signed envelopes, against securesystemslib."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope

from vedette.kernel import dsse
from vedette.kernel.bounds import Bounds
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys

KEYS, OTHER = PrivateKeys.generate(), PrivateKeys.generate()
KIND = "application/example+json"


def opened(document: object, kind: str = KIND) -> dsse.Opened:
    data = json.dumps(document).encode()
    return dsse.open_envelope(data, kind, source="envelope", bounds=Bounds())


@given(st.binary(max_size=300), st.text("abc/+é", min_size=1, max_size=20))
def test_what_is_signed_is_what_the_reference_says(payload: bytes, kind: str) -> None:
    document = dsse.sign(payload, kind, KEYS)
    theirs = Envelope.from_dict(json.loads(json.dumps(document)))
    assert theirs.pae() == dsse.encode(payload, kind)
    found = opened(document, kind)
    assert (found.payload, found.keyid) == (payload, KEYS.public.keyid)
    assert found.verify(KEYS.public)
    assert not found.verify(OTHER.public)
    assert found.verify_any([OTHER.public, KEYS.public])


def test_another_type_or_payload_does_not_verify() -> None:
    document = dsse.sign(b"one", KIND, KEYS)
    document["payload"] = dsse.sign(b"two", KIND, KEYS)["payload"]
    assert not opened(document).verify(KEYS.public)
    with pytest.raises(BadInput, match="payload type"):
        opened(dsse.sign(b"one", "application/other", KEYS))


@pytest.mark.parametrize(
    "document",
    [{}, [], 3, {"payload": "??", "payloadType": KIND, "signatures": []}]
    + [{"payload": "", "payloadType": KIND, "signatures": given} for given in (None, [], {}, [1])],
)
def test_what_is_no_envelope_is_one_error(document: object) -> None:
    with pytest.raises(BadInput, match="envelope"):
        opened(document)
