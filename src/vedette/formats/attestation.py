"""A report as a signed in-toto statement: what it is about by digest, and the report itself.

Rules:
- The statement is in-toto's v1, in a DSSE envelope; any DSSE verifier checks it with the key alone.
- Its subjects are the result, the commitment and the suite by the digest of their canonical form,
  and the files written with it by the digest of their bytes.
- The predicate is the report, so that a change to either shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from vedette.kernel import dsse
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import AnswerIsNo, BadInput
from vedette.kernel.keys import PrivateKeys, PublicKeys

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:vedette:assessment-report:1"
PAYLOAD = "application/vnd.in-toto+json"
BOUNDS = Bounds(size=256 * MIB, depth=24, count=5_000_000, any_text=True)


def statement(report: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The statement about a report and the files that were written with it, by name."""
    told = report["measured"]
    digests = {
        "result": told["result_digest"],
        "commitment": told["commitment_digest"],
        "assessment": told["assessment_digest"],
        "suite": told["suite"].get("digest", ""),
    }
    subjects = [
        {"name": f"{told['run']}/{name}", "digest": {"sha256": value.removeprefix("sha256:")}}
        for name, value in digests.items()
        if value
    ]
    subjects += [
        {"name": name, "digest": {"sha256": hashlib.sha256(data).hexdigest()}}
        for name, data in sorted(files.items())
    ]
    return {
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": dict(report),
    }


def attest(
    report: Mapping[str, Any], files: Mapping[str, bytes], keys: PrivateKeys
) -> dict[str, Any]:
    """The statement in an envelope with one signature."""
    return dsse.sign(canonical(statement(report, files)), PAYLOAD, keys)


def opened(data: bytes, signer: PublicKeys, *, source: str) -> dict[str, str]:
    """The subjects of a statement that this signer signed: name -> SHA-256.

    Raises AnswerIsNo where another signed it, BadInput where it is no such statement.
    """
    envelope = dsse.open_envelope(data, PAYLOAD, source=source, bounds=BOUNDS)
    if not envelope.verify(signer):
        raise AnswerIsNo(f"{source}: is not signed by {signer.keyid[:16]}")
    value = read_json(envelope.payload, source=source, bounds=BOUNDS)
    if not isinstance(value, dict) or value.get("_type") != STATEMENT:
        raise BadInput(f"{source}: no in-toto statement of version 1")
    try:
        return {str(s["name"]): str(s["digest"]["sha256"]) for s in value["subject"]}
    except (KeyError, TypeError):
        raise BadInput(f"{source}: subject: names with a SHA-256 each expected") from None
