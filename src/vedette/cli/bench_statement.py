"""`vedette bench verify` of a report's signed statement, with the files that it is about."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vedette.kernel.bounds import read_json
from vedette.kernel.errors import AnswerIsNo, BadInput

if TYPE_CHECKING:
    from vedette.kernel.keys import PublicKeys


def verify_statement(file: Path, signer: PublicKeys | None, as_json: bool) -> None:
    """Check who signed it, and every file that it names and that lies beside it."""
    from vedette.formats.attestation import opened

    if signer is None:
        raise BadInput("--signer: a statement is held against a key", next_step="--signer CARD")
    found = opened(file.read_bytes(), signer, source=str(file))
    checked = {name: _holds(file, name, wanted) for name, wanted in sorted(found.items())}
    wrong = [name for name, holds in checked.items() if holds is False]
    if as_json:
        said = {"holds": not wrong, "signer": signer.keyid, "subjects": checked}
        click.echo(json.dumps(said, indent=1))
    else:
        for name, holds in checked.items():
            word = {True: "as signed", False: "ANOTHER", None: "not at hand"}[holds]
            click.echo(f"{word:<12} {name}")
        click.echo(f"signed by {signer.keyid[:16]}")
    if wrong:
        raise AnswerIsNo(f"{wrong[0]} is not what was signed")


def _holds(statement: Path, name: str, wanted: str) -> bool | None:
    """Whether what lies beside a statement is what it names; None where nothing does."""
    if "/" in name:
        return _run_holds(statement.parent / "result.json", name.rpartition("/")[2], wanted)
    stem = statement.name.removesuffix(".intoto.json")
    for path in (statement.parent / name, statement.parent / f"{stem}-eval" / name):
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest() == wanted
    return None


def _run_holds(result: Path, what: str, wanted: str) -> bool | None:
    """The same of a run's result, commitment, suite and assessment, in whose folder the statement
    lies."""
    from vedette.bench.results import RunResult
    from vedette.kernel.canonical import canonical, digest
    from vedette.runner.runfolder import BOUNDS

    made_of = result.with_name("assessment.json")
    if what == "assessment" and made_of.is_file():
        told = read_json(made_of.read_bytes(), source=str(made_of), bounds=BOUNDS)
        # a later report of the run makes another, and is no fault of this statement's
        return digest(canonical(told)) == f"sha256:{wanted}" or None
    if not result.is_file() or what not in ("result", "commitment", "suite"):
        return None
    made = RunResult.from_json(read_json(result.read_bytes(), source=str(result), bounds=BOUNDS))
    digests = {
        "result": made.digest,
        "commitment": made.commitment.digest,
        "suite": str(made.commitment.suite.get("digest", "")),
    }
    return digests[what] == f"sha256:{wanted}"
