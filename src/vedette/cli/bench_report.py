"""`vedette bench report`: a finished run assessed, and its report for three readers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vedette.kernel.errors import BadInput, NotFound

if TYPE_CHECKING:
    from vedette.bench.assessment import Assessment
    from vedette.bench.report import Audience
    from vedette.bench.report_parts import Facts
    from vedette.bench.results import RunResult
    from vedette.bench.suites import Suite
    from vedette.kernel.classification import Block
    from vedette.kernel.keys import PrivateKeys
    from vedette.kernel.portions import Source

FOLDER = click.Path(path_type=Path, file_okay=False)
FORMATS = ("html", "pdf", "json", "eval", "intoto")


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option(
    "--for",
    "audiences",
    multiple=True,
    type=click.Choice(["office", "lab", "operators"]),
    help="Whose edition: whole; without what tells an item; releasable. May be given several times"
    " [default: office].",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="May be given several times; eval is Inspect's log, intoto a signed statement about the"
    " others [default: html].",
)
@click.option("--out", type=FOLDER, default=None, help="Where to write [default: DIR].")
@click.option(
    "--beside",
    type=FOLDER,
    default=None,
    metavar="DIR",
    help="Another run of the same subjects, on fresh items or on published ones: the report then"
    " says the gap.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Keys that sign the statement, as `vedette bench keys` makes them.",
)
@click.option(
    "--marking",
    default="TLP:AMBER",
    show_default=True,
    help="Marking of the run; the assessment's is its join with the suite's.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, on stdout.")
def report(
    folder: Path,
    audiences: tuple[str, ...],
    formats: tuple[str, ...],
    out: Path | None,
    beside: Path | None,
    key: Path | None,
    marking: str,
    as_json: bool,
) -> None:
    """Assess a finished run and write its report.

    Writes assessment.json, releasable.json and report.html, or the formats asked for.

    Example: vedette bench report run-1 --for lab --format html --format pdf
    """
    from vedette.bench.assessment import assess
    from vedette.bench.report import Audience, build
    from vedette.kernel.canonical import digest
    from vedette.kernel.markings import Marking
    from vedette.runner.runfolder import load_result

    result = load_result(folder)
    suite = _suite(result)
    facts = _facts(suite)
    own = Marking.parse(str(result.commitment.suite.get("marking", "TLP:RED")))
    made = assess(
        result,
        markings=[own, Marking.parse(marking)],
        now=_made_at(folder, result),
        domains={item: fact.domain for item, fact in facts.items()},
    )
    other = None
    if beside is not None:
        second = load_result(beside)
        other = (second, _facts(_suite(second)))
    whose = [Audience(name) for name in dict.fromkeys(audiences)] or [Audience.OFFICE]
    editions = {
        whom: build(made, result, audience=whom, facts=facts, beside=other) for whom in whose
    }
    target = out or folder
    target.mkdir(parents=True, exist_ok=True)
    if Audience.OFFICE in editions:
        _write(folder / "assessment.json", made.to_json())
        _write(folder / "releasable.json", made.releasable())
    source = _source(result, suite, own)
    signer = _keys(key) if "intoto" in formats else None
    written = [
        path
        for whom, told in editions.items()
        for path in _Writer(told, result, made, source).write(
            formats or ("html",), target, signer, whom
        )
    ]
    if as_json:
        told = editions[whose[0]] if len(whose) == 1 else {str(w): t for w, t in editions.items()}
        click.echo(json.dumps(told if formats else made.to_json(), indent=1))
        return
    for path in written:
        click.echo(f"{path}  {made.marking}  {digest(path.read_bytes())}")
    if signer is not None:
        click.echo(f"signed by ed25519:{signer.public.ed25519}")


class _Writer:
    """One report in the forms asked for."""

    def __init__(
        self, told: dict[str, Any], result: RunResult, made: Assessment, source: Source
    ) -> None:
        self.told, self.result, self.made, self.source = told, result, made, source

    def write(
        self, formats: tuple[str, ...], target: Path, signer: PrivateKeys | None, whom: Audience
    ) -> list[Path]:
        """Write each format once; the statement last, because it is about the others."""
        stem = "report" if whom == "office" else f"report-{whom}"
        files: dict[str, bytes] = {}
        logs: list[Path] = []
        for form in dict.fromkeys(formats):
            if form == "eval":
                logs = self._logs(target / f"{stem}-eval", whom)
            elif form != "intoto":
                files[f"{stem}.{form}"] = self._bytes(form)
        if signer is not None:
            from vedette.formats.attestation import attest

            about = {**files, **{path.name: path.read_bytes() for path in logs}}
            envelope = attest(self.told, about, signer)
            files[f"{stem}.intoto.json"] = json.dumps(envelope, indent=1).encode() + b"\n"
        for name, data in files.items():
            (target / name).write_bytes(data)
        return [target / name for name in files] + logs

    def _logs(self, folder: Path, whom: Audience) -> list[Path]:
        from vedette.runner.export import export_eval

        open_items = bool(self.told["items"]) and whom != "operators"
        return export_eval(self.result, self.told, folder, open_items=open_items)

    def _bytes(self, form: str) -> bytes:
        if form == "json":
            return json.dumps(self.told, indent=1, ensure_ascii=False).encode() + b"\n"
        if form == "html":
            from vedette.formats.assessment_report import render

            return render(self.told, block=self._block()).encode()
        from vedette.formats.assessment_pdf import to_pdf

        return to_pdf(self.told, marking=self.made.marking, source=self.source, block=self._block())

    def _block(self) -> Block | None:
        from vedette.kernel.classification import Authority, Rules, block_of
        from vedette.kernel.packs import default_pack
        from vedette.kernel.portions import Portion

        whole = [Portion(None, self.made.marking, (self.source,))]
        return block_of(whole, Authority("", ""), Rules.of(default_pack()), datetime.now(UTC))


def _made_at(folder: Path, result: RunResult) -> datetime:
    """When the assessment in the folder was made, where it is of this result; now where not."""
    from vedette.kernel.clock import parse_time

    try:
        known = json.loads((folder / "assessment.json").read_text("utf-8"))
        if known["result_digest"] == result.digest:
            return parse_time(known["made_at"], field="made_at")
    except (OSError, ValueError, KeyError, TypeError, BadInput):
        pass
    return datetime.now(UTC)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _suite(result: RunResult) -> Suite | None:
    """The suite of a run, where it is at hand and is the one that was run."""
    from vedette.bench.suites import find_suite

    committed = result.commitment.suite
    try:
        found = find_suite(str(committed.get("name", "")))
    except (BadInput, NotFound):
        return None
    return found if found.digest == committed.get("digest") else None


def _facts(suite: Suite | None) -> Facts:
    from vedette.bench.report_parts import facts_of

    return facts_of(suite.name, suite.items) if suite else {}


def _source(result: RunResult, suite: Suite | None, own: Any) -> Source:
    from vedette.kernel.portions import Source

    committed = result.commitment.suite
    cited = f"Suite {committed.get('name', '')} {committed.get('version', '')}"
    return Source(cited, own, declassify=suite.declassify if suite else "")


def _keys(path: Path | None) -> PrivateKeys:
    from vedette.kernel.keys import PrivateKeys

    if path is None or not path.is_file():
        raise BadInput(
            "--key: a signed statement needs a file of keys",
            next_step="vedette bench keys FILE, or an instance's own",
        )
    return PrivateKeys.load(path)
