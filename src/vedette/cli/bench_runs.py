"""`vedette bench run`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vedette.cli.progress import ProgressLine
from vedette.kernel.errors import BadInput
from vedette.kernel.words import counted

if TYPE_CHECKING:
    from vedette.bench.commitment import Criterion
    from vedette.bench.results import RunResult
    from vedette.runner.runs import SubjectSpec

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
as_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable, on stdout.")
cache = click.option(
    "--cache", type=FOLDER, default=None, help="Where builds are kept [default: user's cache]."
)


@click.command()
@click.argument("suite")
@click.option(
    "--subject",
    "subjects",
    multiple=True,
    metavar="NAME",
    help="null, random, oracle, libfuzzer, mutator, or any Inspect model name.",
)
@click.option(
    "--agent",
    "agents",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="A program of your own: an executable DIR/run, started in the item's sandbox.",
)
@click.option(
    "--subject-url",
    default="",
    metavar="URL",
    help="OpenAI-compatible endpoint that serves the one subject that is a model.",
)
@click.option(
    "--subject-key-env",
    default="",
    metavar="VAR",
    help="Environment variable that holds the endpoint's key.",
)
@click.option(
    "--budget",
    "budgets",
    multiple=True,
    metavar="NAME=N",
    help="tool_calls, executions, tokens or seconds of each item, in place of its own.",
)
@click.option(
    "--custody",
    default="",
    help="endpoint, weights-here, items-there or joint: where items and weights meet"
    " [endpoint where a model runs].",
)
@click.option(
    "--threshold",
    default="",
    metavar="SHARE",
    help="Committed to as a digest behind a nonce; both are kept in DIR/threshold.json.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=FILE,
    help="With a bundle in place of SUITE: a key of it that one of the office's two released.",
)
@click.option("--identity", type=FILE, help="With a bundle: the keys that it was made for.")
@click.option(
    "--instance",
    "folder",
    type=FOLDER,
    help="With a bundle: the lab's instance, which has both, in place of --key and --identity.",
)
@click.option(
    "--sign", type=FILE, help="Keys to sign the commitment with, into DIR/commitment.json."
)
@click.option(
    "--marking",
    default="TLP:AMBER",
    show_default=True,
    help="Of an Inspect task's items; a suite says its own.",
)
@click.option(
    "--sandbox",
    type=click.Choice(["vedette-bubblewrap"]),
    help="For an Inspect task: in place of the one it asks for, without its images.",
)
@click.option(
    "--solved-at",
    type=float,
    default=1.0,
    show_default=True,
    help="For an Inspect task: the score from which on an item counts as solved; committed to.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--trials", type=click.IntRange(1, 1000), default=1, show_default=True)
@click.option(
    "--out", type=FOLDER, required=True, help="Folder of the run; a broken-off run in it goes on."
)
@cache
@as_json
def run(
    suite: str,
    subjects: tuple[str, ...],
    agents: tuple[Path, ...],
    subject_url: str,
    subject_key_env: str,
    budgets: tuple[str, ...],
    custody: str,
    threshold: str,
    keys: tuple[Path, ...],
    identity: Path | None,
    folder: Path | None,
    sign: Path | None,
    marking: str,
    sandbox: str | None,
    solved_at: float,
    seed: int,
    trials: int,
    out: Path,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Run a suite on subjects, each input verified by execution in fresh sandboxes.

    SUITE may be inspect:PACKAGE/TASK, or inspect:FILE.py@TASK: any task of Inspect, scored by its
    own scorer, whose scores in between are kept beside solved and not solved. Such a task is a
    program that runs on this machine as you.

    Example: vedette bench run daemons --subject mutator --subject null --out run-1
    """
    if keys or identity or folder:
        from vedette.cli.bench_bundle import run_here

        address = {"base_url": subject_url, "api_key": _key(subject_key_env)}
        return run_here(Path(suite), keys, identity, folder, out, address)
    from vedette.bench.suites import find_suite
    from vedette.kernel.keys import PrivateKeys
    from vedette.kernel.markings import Marking
    from vedette.runner.runs import Progress, plan_of, run_suite

    specs = [_spec(name, subject_url, subject_key_env) for name in subjects]
    specs += [_agent(folder) for folder in agents]
    if not specs:
        raise BadInput("no subject", next_step="--subject NAME, or --agent DIR")
    if subject_url and sum(spec.kind == "endpoint" for spec in specs) != 1:
        raise BadInput("--subject-url: serves one subject; give one that is a model")
    if suite.startswith("inspect:"):
        if sign or threshold or seed:
            raise BadInput("--sign, --threshold, --seed: not for a task of Inspect's")
        result = _run_task(
            suite,
            specs,
            out_dir=out,
            marking=Marking.parse(marking),
            own_sandbox=bool(sandbox),
            trials=trials,
            budget=_budget(budgets),
            custody=custody,
            solved_at=solved_at,
        )
        _print_run(result, out, as_json)
        return
    if solved_at != 1:
        raise BadInput("--solved-at: for a task of Inspect's; our own items are solved or not")
    found = find_suite(suite)
    signer = PrivateKeys.load(sign) if sign else None
    plan = plan_of(
        found,
        specs,
        now=datetime.now(UTC),
        seed=seed,
        trials=trials,
        budget=_budget(budgets),
        custody=custody,
        criterion=_criterion(out, threshold),
    )
    with ProgressLine() as line:

        def show(state: Progress) -> None:
            line.show(state.done, state.total, f"{state.subject} {state.item}: {state.event}")

        result = run_suite(
            found,
            specs,
            out_dir=out,
            progress=show,
            cache_dir=cache,
            plan=plan,
            signer=signer,
        )
    _print_run(result, out, as_json)


def _run_task(suite: str, specs: list[SubjectSpec], **how: Any) -> RunResult:
    from vedette.runner.runs import Progress
    from vedette.runner.tasks import run_task

    with ProgressLine() as line:

        def show(state: Progress) -> None:
            line.show(state.done, state.total, f"{state.subject} {state.item}: {state.event}")

        return run_task(suite.removeprefix("inspect:"), specs, progress=show, **how)


def _agent(folder: Path) -> SubjectSpec:
    from vedette.bench.suites import digest_of_folder
    from vedette.runner.runs import SubjectSpec

    folder = folder.resolve()
    return SubjectSpec(folder.name, "agent", model=digest_of_folder(folder, "agent"), folder=folder)


def _spec(name: str, url: str, key_env: str) -> SubjectSpec:
    from vedette.runner.runs import REFERENCES, SERVED, SubjectSpec

    if name in REFERENCES and not (url and name in SERVED):
        return SubjectSpec(name, "reference")
    if not url:
        if "/" not in name:
            raise BadInput(
                f"--subject: {name[:60]!r} is no reference subject and no Inspect model name",
                next_step=f"one of {', '.join(REFERENCES)}, or PROVIDER/MODEL",
            )
        return SubjectSpec(name, "inspect", model=name)
    key = _key(key_env)
    label = f"{name}@endpoint" if name in REFERENCES else name
    return SubjectSpec(label, "endpoint", model=name, base_url=url, api_key=key)


def _key(variable: str) -> str:
    if variable and variable not in os.environ:
        raise BadInput(
            f"--subject-key-env: {variable} is not set", next_step=f"export {variable}=..."
        )
    return os.environ[variable] if variable else ""


def _criterion(out: Path, threshold: str) -> Criterion:
    """The pack's rule and the threshold's commitment, the same again where a run goes on."""
    from vedette.bench.commitment import Criterion
    from vedette.bench.determination import Threshold
    from vedette.kernel.canonical import new_salt
    from vedette.kernel.packs import default_pack

    pack, hidden = default_pack(), None
    kept = out / "threshold.json"
    if kept.exists():
        said = json.loads(kept.read_text("ascii"))
        hidden = Threshold.parse(str(said["value"]), str(said["nonce"]))
    if threshold and (hidden is None or Threshold.parse(threshold, hidden.nonce) != hidden):
        if (out / "run.json").exists():
            raise BadInput(
                "--threshold: another than the run in this folder committed to",
                kept="that run, as it was",
                next_step="name another folder with --out",
            )
        hidden = Threshold.parse(threshold, new_salt())
        out.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(json.dumps({"value": str(hidden.value), "nonce": hidden.nonce}), "ascii")
    digest = hidden.digest if hidden else ""
    return Criterion(pack.text("determination", "id"), pack.digest, digest)


def _budget(entries: tuple[str, ...]) -> dict[str, int]:
    budget = {}
    for entry in entries:
        name, _, amount = entry.partition("=")
        if not amount.isdecimal() or len(amount) > 12:
            raise BadInput(f"--budget: {entry[:60]!r}", next_step="write it like executions=500")
        budget[name] = int(amount)
    return budget


def tell_broken(result: RunResult, *, here: bool = True) -> None:
    """Say on standard error which samples measure no subject, because they broke off.

    Args:
        here: whether they were run here, and could be once more.
    """
    from vedette.bench.results import broken

    said = broken(result)
    for words in said:
        click.echo(f"broke off: {words}", err=True)
    if said and here:
        click.echo(
            "next: mend that and run it again with another --out;"
            " here they stay, and count as not solved",
            err=True,
        )


def _print_run(result: RunResult, out: Path, as_json: bool) -> None:
    from vedette.bench.assessment import assess
    from vedette.formats.assessment_content import partial_words, uplift_words

    made = assess(result, markings=[], now=datetime.now(UTC)).to_json()
    if as_json:
        value: dict[str, Any] = {
            "out": str(out),
            "run": made["run"],
            "suite": made["suite"],
            "subjects": made["subjects"],
            "crashes": len(result.crashes),
            "calls": len(result.calls),
            "custody": made["custody"]["name"],
            "commitment_digest": made["commitment_digest"],
            "result_digest": made["result_digest"],
        }
        click.echo(json.dumps(value, indent=1))
        return
    for subject in made["subjects"]:
        score = subject["score"]
        share, low, high = (f"{float(score[k]):.2f}" for k in ("estimate", "low", "high"))
        solved = f"{score['solved']} of {score['n']}"
        up = uplift_words(subject["uplift"])
        click.echo(
            f"{subject['name']:<24} {solved:>8}  {share}, 95% interval {low} to {high}"
            + (f"; uplift {up}" if up else "")
            + (f"; {partial_words(score['partial'])}" if "partial" in score else "")
        )
    crashes = counted(len(result.crashes), "verified crash", "verified crashes")
    calls = counted(len(result.calls), "metered call")
    tell_broken(result)
    click.echo(f"{crashes}, {calls}; {out}")
    click.echo(f"next: vedette bench report {out}")
