"""`vedette bench compare|horizon`: two subjects compared, and time horizons; no instance needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vedette.cli.progress import ProgressLine
from vedette.cli.statistics import (
    FILE,
    error_rows,
    figure,
    json_option,
    pairs,
    seed_option,
    show,
    span,
)
from vedette.kernel.errors import BadInput

# so many k of pass@k stand in the table; JSON has all
SHOWN = 10


@click.command()
@click.option(
    "--responses",
    required=True,
    type=FILE,
    help="CSV as for ability, or with the columns subject,item,trial,score.",
)
@click.option("--a", "first", required=True, help="One subject.")
@click.option("--b", "second", required=True, help="The other.")
@click.option("--cluster", type=FILE, help="CSV item,cluster: items that belong together.")
@json_option
def compare(responses: Path, first: str, second: str, cluster: Path | None, as_json: bool) -> None:
    """Compare two subjects on the items that both tried.

    Example: vedette bench compare --responses responses.csv --a model-2 --b model-1
    """
    from vedette.bench.compare import compare as comparison
    from vedette.bench.responses import read_scores

    scores = read_scores(responses, (first, second))
    found = comparison(scores, first, second, pairs(cluster) if cluster else None)
    if as_json:
        click.echo(json.dumps(found.to_json()))
        return
    said = {"a": f"{first} is better", "b": f"{second} is better", "neither": "not shown"}
    after = f" (after {found.stopped_at} of {found.items} items)" if found.stopped_at else ""
    show(
        ("", "value"),
        [
            ("items in common", str(found.items)),
            (f"mean of {first}", figure(found.mean_a, 3)),
            (f"mean of {second}", figure(found.mean_b, 3)),
            ("difference", figure(found.difference, 3)),
            ("95% interval", span(found.interval, 3)),
            *error_rows(found.parts, "items"),
            ("p", figure(found.p, 4)),
            ("with n fixed beforehand", said[found.verdict_fixed]),
            ("however often one looked", said[found.verdict_anytime] + after),
            *_pass_rows(found.pass_at, "pass@"),
            *_pass_rows(found.pass_hat, "pass^"),
        ],
    )


def _pass_rows(found: Any, name: str) -> list[tuple[str, str]]:
    shared = [k for k in found["a"] if k in found["b"]][:SHOWN]
    return [
        (f"{name}{k}", f"{figure(found['a'][k], 3)} against {figure(found['b'][k], 3)}")
        for k in shared
    ]


@click.command()
@click.option("--runs", type=FILE, help="subject,task,family,human_minutes,score[,weight].")
@click.option(
    "--trend",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Doubling time of FILE (else of --runs): subject,release_date,p50.",
)
@click.option(
    "--weights",
    type=click.Choice(["metr", "equal"]),
    default="metr",
    show_default=True,
    help="Where runs have no weight of their own.",
)
@click.option("--draws", type=click.IntRange(min=40, max=100_000), default=1000, show_default=True)
@seed_option
@json_option
def horizon(
    runs: Path | None, trend: str | None, weights: str, draws: int, seed: int, as_json: bool
) -> None:
    """Time horizon of each subject: the human time of tasks solved half and 80% of the time.

    Examples: vedette bench horizon --runs runs.jsonl --json

    vedette bench horizon --trend horizons.csv
    """
    if trend is not None:
        _trend(Path(trend) if trend else runs, as_json)
        return
    if runs is None:
        raise BadInput("--runs or --trend expected", next_step="vedette bench horizon --help")
    from vedette.bench.horizon import Horizon, Run
    from vedette.bench.horizon import horizon as horizon_of
    from vedette.formats.runs_in import read_runs

    by_subject: dict[str, list[Run]] = {}
    for run in read_runs(runs):
        by_subject.setdefault(run.subject, []).append(run)
    found: list[Horizon] = []
    with ProgressLine() as line:
        for number, (subject, own) in enumerate(by_subject.items()):
            line.show(number, len(by_subject), subject)
            found.append(horizon_of(own, seed, draws, equal=weights == "equal"))
    if as_json:
        click.echo(json.dumps([_horizon_json(one) for one in found]))
        return
    show(
        ("subject", "runs", "50% (minutes)", "95% interval", "80% (minutes)", "95% interval"),
        [
            (
                one.subject,
                str(one.n),
                one.reason or figure(one.p50, 1),
                span(one.p50_interval, 1),
                figure(one.p80, 1),
                span(one.p80_interval, 1),
            )
            for one in found
        ],
    )


def _horizon_json(one: Any) -> dict[str, Any]:
    row = {
        "subject": one.subject,
        "n": one.n,
        "p50_minutes": one.p50,
        "p50_ci95": list(one.p50_interval) if one.p50_interval else None,
        "p80_minutes": one.p80,
        "p80_ci95": list(one.p80_interval) if one.p80_interval else None,
    }
    return row | {"reason": one.reason} if one.reason else row


def _trend(path: Path | None, as_json: bool) -> None:
    if path is None:
        raise BadInput("--trend: a file expected", next_step="subject,release_date,p50")
    from vedette.bench.horizon import trend as trend_of
    from vedette.formats.runs_in import read_points

    found = trend_of([(day, minutes) for _, day, minutes in read_points(path)])
    row: dict[str, Any] = {
        "doubling_days": found.doubling,
        "ci95": list(found.interval) if found.interval else None,
        "n": found.n,
    }
    if found.reason:
        row["reason"] = found.reason
    if as_json:
        click.echo(json.dumps(row))
        return
    doubles = f"doubles in {found.doubling:.0f} days" if found.doubling else "does not double"
    interval = f", 95% interval {span(found.interval, 0)}" if found.interval else ""
    because = f" ({found.reason})" if found.reason else ""
    click.echo(f"The 50% horizon {doubles}{interval}{because}; {found.n} points.")
