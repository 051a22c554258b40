"""An attestation that somebody else made and verified: recorded, not checked.

It keeps the digest of the document and the words of whoever verified it. Whether the document names
the run's commitment is looked up in its bytes; no signature, measurement or certificate in it is
verified here.
"""

from __future__ import annotations

from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import digest
from vedette.kernel.errors import BadInput
from vedette.runner.joint.interface import Attested

MOST_BYTES = 8 * MIB
MOST_WORDS = 2_000


class Recorded:
    """The stand-in: a document from outside, and what its verifier said of it."""

    def __init__(self, document: bytes, verifier: str, words: str) -> None:
        self.document, self.verifier, self.words = document, verifier.strip(), words.strip()

    def attest(self, commitment_digest: str) -> Attested:
        if not 0 < len(self.document) <= MOST_BYTES:
            raise BadInput(f"attestation: 1 to {MOST_BYTES:,} bytes expected")
        for name, text in (("verifier", self.verifier), ("what the verifier said", self.words)):
            if not 0 < len(text) <= MOST_WORDS:
                raise BadInput(f"{name}: 1 to {MOST_WORDS:,} characters expected")
        bound = commitment_digest.removeprefix("sha256:").encode() in self.document.lower()
        return Attested(
            "recorded from outside, not checked by this program",
            digest(self.document),
            self.verifier,
            self.words,
            bound,
        )
