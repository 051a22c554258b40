"""`vedette bench bundle|release|take-results`, and `bench run` on a bundle."""

from __future__ import annotations

import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vedette.cli.bench_runs import FILE, FOLDER, tell_broken
from vedette.cli.progress import ProgressLine
from vedette.kernel.bounds import read_json
from vedette.kernel.errors import BadInput

if TYPE_CHECKING:
    from vedette.bench.results import RunResult
    from vedette.kernel.keys import PrivateKeys, PublicKeys

NEW = click.Path(path_type=Path, dir_okay=False)
instance = click.option(
    "--instance", "folder", type=FOLDER, help="The office's instance, with --run."
)
own_keys = click.option("--keys", type=FILE, help="The office's keys [with --run the instance's].")


@click.command()
@click.argument("suite", required=False, default="")
@click.option("--out", type=NEW, required=True, help="The bundle; FILE.commitment.json beside it.")
@click.option("--for", "lab", type=FILE, help="Card or keys of whose machine it is to open on.")
@click.option("--first", type=FILE, required=True, help="Keys of who holds the outer key.")
@click.option("--second", type=FILE, required=True, help="Keys of who holds the inner key.")
@own_keys
@click.option(
    "--run", "run_id", default="", help="A run committed to on --instance; no SUITE then."
)
@instance
@click.option("--subject", "subjects", multiple=True, metavar="NAME")
@click.option("--model", default="", help="The model that the lab serves to it.")
@click.option("--custody", type=click.Choice(["items-there", "joint"]), default="items-there")
@click.option("--budget", "budgets", multiple=True, metavar="NAME=N")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--trials", type=click.IntRange(1, 1000), default=1, show_default=True)
def bundle(
    suite: str, out: Path, lab: Path | None, first: Path, second: Path, keys: Path | None,
    run_id: str, folder: Path | None, **plan: Any,
) -> None:  # fmt: skip
    """Write a suite as an encrypted bundle, to be run where the model is.

    It opens with two keys that two persons of the office release, each one, for this run. On its
    machine a lab can still read the items in memory: they count as exposed to it.

    Example: vedette bench bundle suite-7 --model orion-2 --for lab.card.json --keys office.keys
    --first ada.public.json --second bo.public.json --out suite-7.bundle
    """
    beside = out.with_name(out.name + ".commitment.json")
    _keep(out, beside)
    holders = (_public(first), _public(second))
    other = _public(lab) if lab else None
    if run_id:
        from vedette.cli.context import boot

        boot(folder)
        from vedette.services.acting import instance_actor
        from vedette.services.run_returns import bundle_run

        commitment, data = bundle_run(instance_actor(), run_id, holders=holders, place=other)
    else:
        if not (suite and other and keys):
            raise BadInput("SUITE, --for and --keys: must be given", next_step="or --run RUN")
        commitment, data = _bundled(suite, other, holders, keys, plan)
    out.write_bytes(data)
    beside.write_text(json.dumps(commitment, indent=1) + "\n", "ascii")
    click.echo(f"{out}: {len(data):,} bytes, encrypted; {beside}: the commitment, signed")
    click.echo(f"next: each of the two runs vedette bench release {out} --keys THEIRS --out FILE")


def _bundled(
    name: str, lab: PublicKeys, holders: tuple[PublicKeys, PublicKeys], keys: Path,
    plan: dict[str, Any],
) -> tuple[dict[str, Any], bytes]:  # fmt: skip
    from vedette.bench.bundle import make_bundle
    from vedette.bench.suites import find_suite
    from vedette.cli.bench_runs import _budget
    from vedette.kernel.keys import PrivateKeys
    from vedette.runner.runs import SubjectSpec, plan_of

    office, suite = PrivateKeys.load(keys), find_suite(name)
    model = plan["model"]
    specs = [SubjectSpec(each, "reference") for each in plan["subjects"]]
    if not model:
        raise BadInput("--model: must be given", next_step="the name that the lab serves it under")
    committed = plan_of(
        suite,
        [SubjectSpec(model, "endpoint", model=model), *specs],
        now=datetime.now(UTC),
        seed=plan["seed"],
        trials=plan["trials"],
        budget=_budget(plan["budgets"]),
        custody=plan["custody"],
    )
    _, data = make_bundle(suite, committed, office=office, lab=lab, holders=holders)
    return committed.signed(office), data


@click.command()
@click.argument("bundle", type=FILE)
@click.option("--keys", type=FILE, required=True, help="Your own; they hold one of the two.")
@click.option("--out", type=NEW, required=True)
def release(bundle: Path, keys: Path, out: Path) -> None:
    """Release the one of a bundle's two keys that you hold, to the lab that it is for.

    Example: vedette bench release suite-7.bundle --keys ada.keys --out ada.release.json
    """
    from vedette.bench import bundle as rules
    from vedette.kernel.keys import PrivateKeys

    _keep(out)
    with bundle.open("rb") as file:
        manifest = rules.read_manifest(file.read(rules.HEADER.size), source=str(bundle))
    made = rules.release(manifest, PrivateKeys.load(keys))
    out.write_text(json.dumps(made, indent=1) + "\n", "ascii")
    click.echo(f"{out}: one of two keys of {manifest.id}, for {manifest.lab.keyid[:16]} alone")
    click.echo("next: give it to the lab on the run's page, or hand the file over")


def run_here(
    path: Path, keys: tuple[Path, ...], identity: Path | None, folder: Path | None, out: Path,
    addresses: dict[str, Any],
) -> None:  # fmt: skip
    """What `bench run` does with a bundle."""
    from vedette.kernel.keys import PrivateKeys
    from vedette.runner.bundles import run_bundle
    from vedette.runner.runs import Progress

    released = [key.read_bytes() for key in keys]
    if folder is not None:
        own, given = _of_instance(folder, path)
        released += given
    elif identity is not None:
        own = PrivateKeys.load(identity)
    else:
        raise BadInput(
            "--identity: the lab's own keys must be given", next_step="vedette bench keys"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ProgressLine() as line:

        def show(state: Progress) -> None:
            line.show(state.done, state.total, f"sample {state.done}")

        made = run_bundle(
            path,
            released,
            own,
            out_dir=out,
            addresses=addresses,
            progress=show,
            tell=tell_broken,
        )
    file = out / "results.json"
    file.write_text(json.dumps(made) + "\n", "ascii")
    click.echo(f"{file}: signed here, sealed to the office; hand it over")


def _of_instance(folder: Path, bundle: Path) -> tuple[PrivateKeys, list[bytes]]:
    """A lab's instance's own keys, and what an office's two persons gave it of a bundle's."""
    from vedette.bench import bundle as rules
    from vedette.cli.context import boot

    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.here import here
    from vedette.services.run_keys import given_keys

    with bundle.open("rb") as file:
        manifest = rules.read_manifest(file.read(rules.HEADER.size), source=str(bundle))
    rows = given_keys(instance_actor(), bundle=manifest.id)
    return here().keys, [json.dumps(row.document).encode() for row in rows]


@click.command("take-results")
@click.argument("file", type=FILE)
@click.option("--bundle", type=FILE, help="The bundle that they are of [with --run on record].")
@own_keys
@click.option("--suite", help="The suite's folder or name, whose canary is searched for.")
@click.option("--out", type=FOLDER, help="Folder for the run, to be reported on and verified.")
@click.option("--run", "run_id", default="", help="The run on --instance that they are of.")
@instance
@click.option("--attestation", type=FILE, help="For joint custody: the place's attestation.")
@click.option("--verifier", default="", help="Who verified the attestation.")
@click.option("--said", default="", help="What the verifier said of it, word for word.")
def take_results(
    file: Path, bundle: Path | None, keys: Path | None, suite: str | None, out: Path | None,
    run_id: str, folder: Path | None, attestation: Path | None, verifier: str, said: str,
) -> None:  # fmt: skip
    """Take the results of a bundle back into the office, where they are those that it gave out.

    Their transcripts are scanned anew, for the suite's own canary too: whatever flags the lab's
    program made are not taken over.

    Example: vedette bench take-results results.json --bundle suite-7.bundle --keys office.keys
    --suite suite-7 --out run-7
    """
    from vedette.runner.joint.recorded import Recorded

    if run_id:
        from vedette.bench.results import RunResult
        from vedette.cli.context import boot

        boot(folder)
        from vedette.services.acting import instance_actor
        from vedette.services.run_returns import take_run_results

        place = Recorded(attestation.read_bytes(), verifier, said) if attestation else None
        run = take_run_results(instance_actor(), run_id, file.read_bytes(), place)
        result = RunResult.from_json(run.result)
        click.echo(f"{run.id}: {len(result.samples)} samples taken")
        _tell_canary(result)
        tell_broken(result, here=False)
        return
    if not (bundle and keys and out):
        raise BadInput("--bundle, --keys and --out: must be given", next_step="or --run RUN")
    from vedette.bench import bundle as rules
    from vedette.bench.custody import JOINT
    from vedette.bench.transcripts import scanned_anew
    from vedette.cli.bench_scan import canaries_of
    from vedette.kernel.keys import PrivateKeys
    from vedette.runner.runfolder import keep_result

    with bundle.open("rb") as opened:
        manifest = rules.read_manifest(opened.read(rules.HEADER.size), source=str(bundle))
    result = rules.take_results(file.read_bytes(), manifest, PrivateKeys.load(keys))
    attested = None
    if result.commitment.custody == JOINT:
        if attestation is None:
            raise BadInput(
                "--attestation: results from a third place come with one",
                kept="nothing of them",
                next_step="give it with --verifier and --said",
            )
        place = Recorded(attestation.read_bytes(), verifier, said)
        attested = place.attest(result.commitment.digest).to_json()
    result = scanned_anew(result, canaries_of(result, suite))
    keep_result(out, result)
    if attested:
        (out / "attestation.json").write_text(json.dumps(attested, indent=1) + "\n", "utf-8")
        click.echo(f"attestation: recorded, not checked; bound: {attested['attestation_bound']}")
    click.echo(f"{out}: {len(result.samples)} samples, as committed: {result.commitment.digest}")
    _tell_canary(result)
    tell_broken(result, here=False)
    click.echo(f"next: vedette bench report {out}")


def _tell_canary(result: RunResult) -> None:
    from vedette.bench.transcripts import own_canary

    if found := own_canary(result):
        click.echo(f"canary: flagged in {found} places; read them with vedette bench scan")


def _keep(*files: Path) -> None:
    """Raise BadInput where a file that would be written is there already."""
    for file in files:
        if file.exists():
            raise BadInput(
                f"--out: {file} is there already", kept="it as it was", next_step="name a new file"
            )


def _public(file: Path) -> PublicKeys:
    from vedette.kernel.keys import PublicKeys

    value = read_json(file.read_bytes(), source=str(file))
    return PublicKeys.from_json(value if isinstance(value, dict) else {}, str(file))
