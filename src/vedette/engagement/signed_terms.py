"""Signed terms as a file of their own: the document with both sides' keys and signatures.

Rules:
- The file proves by itself that two keys signed these words. Whose keys they are it cannot prove:
  that says each side's card, or a fingerprint compared by voice.
- A file that says more than it proves is not valid: digest, key ids and both signatures must hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vedette.engagement.terms import Terms, signed_by
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PublicKeys

FORMAT = 1
SIDES = ("lab", "office")


@dataclass(frozen=True)
class Check:
    """One thing that was checked; `holds` is None where the file has nothing to check it with."""

    what: str
    holds: bool | None


def signed_file(
    terms: Terms, keys: dict[str, PublicKeys], signatures: dict[str, str], by: dict[str, str]
) -> dict[str, Any]:
    """Return the file's JSON; each dictionary is by side, `lab` and `office`."""
    return {
        "vedette_signed_terms": FORMAT,
        "terms": terms.to_json(),
        "digest": terms.digest,
        **{
            side: {
                "ed25519": keys[side].ed25519,
                "keyid": keys[side].keyid,
                "signature": signatures[side],
                "signed_by": by[side],
            }
            for side in SIDES
        },
    }


def verify(value: Any, known: Iterable[str] = ()) -> tuple[Terms, tuple[Check, ...]]:
    """Check a file of signed terms, alone and offline.

    Args:
        value: the file's JSON.
        known: key ids that the reader trusts; where some are given, both keys must be among them.

    Raises BadInput where it is no such file; what does not hold is a Check that says so.
    """
    if not isinstance(value, dict) or value.get("vedette_signed_terms") != FORMAT:
        raise BadInput("this is no file of signed terms", next_step="download it from the terms")
    terms, trusted = Terms.from_json(value.get("terms")), frozenset(known)
    checks = [Check("the digest is that of these words", value.get("digest") == terms.digest)]
    for side in SIDES:
        checks += _side(terms, side, value.get(side), trusted)
    return terms, tuple(checks)


def _side(terms: Terms, side: str, value: Any, trusted: frozenset[str]) -> Iterable[Check]:
    try:
        keys = PublicKeys(str(value["ed25519"]), "")
        keyid, signature = keys.keyid, str(value["signature"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{side}: malformed ({type(error).__name__}: {error})") from None
    yield Check(f"the {side}'s key is the one that the terms name", keyid == getattr(terms, side))
    holds = signed_by(terms, signature, keys) if signature else None
    yield Check(f"the {side}'s signature holds over these words", holds)
    if trusted:
        yield Check(f"the {side}'s key is on a card that was given", keyid in trusted)
