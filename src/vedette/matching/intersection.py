"""Private set intersection on product keys: both sides' sets stay their own (the extra psi).

Rules:
- The operator's set has HELD keys and the clearinghouse's CASES of them, whatever there is: the
  rest is random. CASES double until they fit; what finds no room in HELD has its turn the next
  time.
- The operator learns which of its keys are in both sets; the clearinghouse learns nothing.
- Each side draws new secrets for each question, so that no two can be compared.

ECDH-PSI of OpenMined's library: Apache-2.0, github.com/OpenMined/PSI.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any

from vedette.kernel.errors import BadInput, MissingPart

HELD = 5_120
CASES = 256
_LENGTH = 4
_NO_FALSE_ONES = 1e-9


class Asking:
    """An operator's side of one question. Raises MissingPart without the extra.

    `request` crosses; `waiting` keys found no room.
    """

    def __init__(self, keys: Collection[str], turn: int = 0) -> None:
        ordered = sorted(keys)
        start = turn * HELD % len(ordered) if len(ordered) > HELD else 0
        own = (ordered + ordered[:HELD])[start : start + HELD] if start else ordered[:HELD]
        self.waiting = max(0, len(ordered) - HELD)
        self._keys = [*own, *_padding(HELD - len(own))]
        self._client = _library().client.CreateWithNewKey(True)
        self.request: bytes = self._client.CreateRequest(self._keys).SerializeToString()

    def found(self, answer: bytes) -> list[str]:
        """The keys in both sets. Raises BadInput where it is no answer to this question."""
        psi, end = _library(), _LENGTH + int.from_bytes(answer[:_LENGTH])
        try:
            setup, response = psi.ServerSetup(), psi.Response()
            setup.ParseFromString(answer[_LENGTH:end])
            response.ParseFromString(answer[end:])
            places = self._client.GetIntersection(setup, response)
        except Exception as error:  # of the library's own kinds, and of protobuf's
            raise BadInput(f"intersection: no answer to this question ({error})"[:200]) from None
        return sorted(self._keys[place] for place in places)


def answer(keys: Sequence[str], request: bytes) -> bytes:
    """The clearinghouse's side. Raises BadInput for a request of another size, MissingPart."""
    psi = _library()
    server = psi.server.CreateWithNewKey(True)
    size = CASES
    while size < len(keys):
        size *= 2
    padded = [*keys, *_padding(size - len(keys))]
    try:
        asked = psi.Request()
        asked.ParseFromString(request)
        if len(asked.encrypted_elements) != HELD:
            raise BadInput(f"question: {len(asked.encrypted_elements)} keys, {HELD} belong in it")
        response = server.ProcessRequest(asked).SerializeToString()
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"question: no request of an intersection ({error})"[:200]) from None
    raw = psi.DataStructure.RAW
    setup = server.CreateSetupMessage(_NO_FALSE_ONES, HELD, padded, raw).SerializeToString()
    return b"".join((len(setup).to_bytes(_LENGTH), setup, response))


def _padding(count: int) -> list[str]:
    return [secrets.token_hex(32) for _ in range(count)]


def _library() -> Any:
    try:
        import private_set_intersection.python as psi
    except ImportError:
        raise MissingPart(
            "private set intersection needs the extra psi",
            next_step="pip install 'vedette[psi]'",
        ) from None
    return psi
