"""`vedette bench verify|keys`: a result against what was committed to, by anybody and alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vedette.cli.bench_runs import as_json
from vedette.cli.bench_statement import verify_statement
from vedette.kernel.bounds import MIB, Bounds, read_json
from vedette.kernel.errors import AnswerIsNo, BadInput

if TYPE_CHECKING:
    from vedette.bench.commitment import Commitment
    from vedette.bench.results import RunResult
    from vedette.kernel.keys import PublicKeys

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
SMALL = Bounds(size=64 * MIB, depth=16, count=1_000_000, any_text=True)
DIGEST = "sha256:"
IN_TOTO = "application/vnd.in-toto+json"


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), metavar="DIR|FILE")
@click.option(
    "--commitment",
    type=FILE,
    help="What was given beforehand: the document, signed or not, or a file with its digest.",
)
@click.option("--signer", type=FILE, help="Card or keys of whoever signed it.")
@click.option("--suite", default="", help="Name or folder of the suite that is said to have run.")
@click.option("--determination", type=FILE, help="A determination's record, held against it too.")
@as_json
def verify(
    path: Path,
    commitment: Path | None,
    signer: Path | None,
    suite: str,
    determination: Path | None,
    as_json: bool,
) -> None:
    """Verify that a result is the one that was committed to; exit 1 with what differs first.

    Suite, items, subjects, budgets, trials, seed, rule, threshold, custody and isolation are
    compared, and that every sample is there once. It needs no instance. Of a report's signed
    statement (FILE.intoto.json) signer and the files beside it are checked instead.

    Example: vedette bench verify run-1 --commitment from-the-office.json --signer office.card.json
    """
    from vedette.bench.commitment import Commitment
    from vedette.bench.results import RunResult

    file = path / "result.json" if path.is_dir() else path
    if not file.exists():
        raise BadInput(
            f"{path}: no result.json in it", next_step="vedette bench run SUITE --out DIR"
        )
    value = _object(file)
    if value.get("payloadType") == IN_TOTO:
        return verify_statement(file, _keys(signer), as_json)
    found = Commitment.from_json(value.get("commitment"))
    given, against = _given(path, commitment, found, _keys(signer))
    differ = [*_against(given, found, value), *_suite(suite, found)]
    if not differ:
        result = RunResult.from_json(value)
        differ = [*_samples(path, result), *_determined(determination, result)]
    if as_json:
        said = {"holds": not differ, "commitment_digest": found.digest, "against": against}
        click.echo(json.dumps({**said, "differences": differ}, indent=1))
    elif not differ:
        click.echo(f"this is the result that was committed to: {found.digest}")
        click.echo(f"held against {against}")
    if differ:
        more = f" (and {len(differ) - 1} more)" if len(differ) > 1 else ""
        raise AnswerIsNo(f"this is not what was committed to: {differ[0]}{more}")


def _given(
    path: Path, named: Path | None, own: Commitment, signer: PublicKeys | None
) -> tuple[Commitment | str, str]:
    """What to hold the result against, a document or its digest, and where it is from, in words."""
    from vedette.bench.commitment import Commitment, open_signed

    beside = [path / name for name in ("commitment.json", "run.json")] if path.is_dir() else []
    file = named or next((each for each in beside if each.exists()), None)
    if file is None:
        return own, "its own commitment alone: that shows only that it agrees with itself"
    data = file.read_bytes()
    if data[:80].strip().startswith(DIGEST.encode()):
        return data[:200].decode("ascii", "replace").split()[0], f"the digest in {file}"
    value = _object(file)
    if "payloadType" in value:
        document = open_signed(data, source=str(file), signer=signer)
        by = f"signed by {signer.keyid[:16]}" if signer else "its signature not looked at: --signer"
        return Commitment.from_json(read_json(document, source=str(file), bounds=SMALL)), (
            f"{file}, {by}"
        )
    if signer is not None:
        raise BadInput(f"{file}: is not signed", next_step="leave --signer out, or name the signed")
    if isinstance(value.get("commitment_digest"), str):
        return str(value["commitment_digest"]), f"the digest in {file}"
    return Commitment.from_json(value), f"{file}, which is not signed"


def _against(given: Commitment | str, found: Commitment, value: dict[str, Any]) -> Iterator[str]:
    from vedette.bench.commitment import differences

    if not isinstance(given, str):
        yield from differences(given, found)
    elif given != found.digest:
        yield f"commitment changed: {given[:71]} was given, this one is {found.digest}"
    if value.get("commitment_digest") != found.digest:
        yield "the result names another commitment than the one in it"


def _suite(name: str, found: Commitment) -> Iterator[str]:
    if name:
        from vedette.bench.suites import find_suite

        own = find_suite(name).digest
        if own != found.suite.get("digest"):
            yield f"suite changed: committed {found.suite.get('digest')}, {name} is {own}"


def _samples(path: Path, result: RunResult) -> Iterator[str]:
    from vedette.bench.commitment import faults
    from vedette.bench.results import Sample

    log = path / "samples.jsonl" if path.is_dir() else None
    came = []
    if log is not None and log.exists():
        with log.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                read = read_json(line, source=f"{log}:{number}", bounds=SMALL)
                came.append(Sample.from_json(read))
        if not came and result.samples:
            yield f"sample dropped: {log} is empty"
    yield from faults(result, came)


def _determined(file: Path | None, result: RunResult) -> Iterator[str]:
    """Where a determination's record names another run, rule or threshold than the commitment."""
    if file is None:
        return
    value, criterion = _object(file), result.commitment.criterion.to_json()
    for name, words in (
        ("rule", "rule"),
        ("pack", "policy pack"),
        ("threshold_digest", "threshold"),
    ):
        if value.get(name) != criterion[name]:
            said = criterion[name] or "none"
            yield f"{words} changed: committed {said}, determined by {str(value.get(name))[:80]}"


def _keys(file: Path | None) -> PublicKeys | None:
    from vedette.kernel.keys import PublicKeys

    return PublicKeys.from_json(_object(file), str(file)) if file is not None else None


def _object(file: Path) -> dict[str, Any]:
    from vedette.runner.runfolder import BOUNDS

    if file.stat().st_size > BOUNDS.size:
        raise BadInput(f"{file}: more than {BOUNDS.size:,} bytes")
    value = read_json(file.read_bytes(), source=str(file), bounds=BOUNDS)
    if not isinstance(value, dict):
        raise BadInput(f"{file}: an object expected")
    return value


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def keys(file: Path) -> None:
    """Make a pair of keys for whoever has no instance: FILE is secret, FILE.public.json is not.

    With them a commitment is signed, and a person of an office holds one key of an item bundle.

    Example: vedette bench keys ada.keys
    """
    from vedette.kernel.keys import PrivateKeys

    try:
        made = PrivateKeys.generate()
        made.save(file)
    except FileExistsError:
        raise BadInput(f"{file}: there is such a file already", kept="it as it was") from None
    shown = file.with_name(file.name + ".public.json")
    said = {"ed25519": made.public.ed25519, "age": made.public.age}
    shown.write_text(json.dumps(said, indent=1) + "\n", "ascii")
    click.echo(f"{file}: keep it to yourself; {shown}: hand it over")
