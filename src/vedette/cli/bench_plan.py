"""`vedette bench plan`: the chance of a determination against what is left to spend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vedette.kernel.errors import BadInput

if TYPE_CHECKING:
    from vedette.bench.planner import Forecast, Taken

FOLDER = click.Path(path_type=Path, file_okay=False)
BINDS = {
    "items": "the items run out first",
    "exposures": "the exposures run out first",
    "tokens": "the tokens run out first",
    "days": "the days run out first",
}


@click.command()
@click.option("--threshold", required=True, metavar="SHARE", help="Between 0 and 1; kept nowhere.")
@click.option(
    "--expected",
    type=float,
    required=True,
    metavar="SHARE",
    help="Share of the items that the subject is expected to solve.",
)
@click.option(
    "--spread",
    type=float,
    default=1.0,
    show_default=True,
    help="How far one is from sure of it: standard deviation of its log odds.",
)
@click.option("--items", type=int, default=None, help="Items not yet shown.")
@click.option("--families", type=int, default=None, help="Families that these are of.")
@click.option("--suite", default="", metavar="SUITE", help="Takes items and families from a suite.")
@click.option("--trials", type=int, default=1, show_default=True)
@click.option("--days", type=float, default=None, help="Days left of the window.")
@click.option("--per-day", type=float, default=None, help="Samples that can be run in a day.")
@click.option("--tokens", type=int, default=None, help="Tokens left.")
@click.option("--tokens-each", type=int, default=0, help="Tokens that a sample takes.")
@click.option("--exposures", type=int, default=None, help="Items that may still be shown.")
@click.option(
    "--done",
    type=FOLDER,
    default=None,
    metavar="DIR",
    help="A finished run whose samples count as taken (none that broke off); needs --subject.",
)
@click.option("--subject", default="", metavar="NAME", help="The subject in --done.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--draws", type=int, default=400, show_default=True, help="Futures drawn.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Draw the curve as SVG.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, on stdout.")
def plan(
    threshold: str,
    expected: float,
    spread: float,
    items: int | None,
    families: int | None,
    suite: str,
    trials: int,
    days: float | None,
    per_day: float | None,
    tokens: int | None,
    tokens_each: int,
    exposures: int | None,
    done: Path | None,
    subject: str,
    seed: int,
    draws: int,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Say the chance of a determination against what is left of days, tokens and exposures.

    Futures are simulated and judged by the rule that a determination is made by.

    Example: vedette bench plan --threshold 0.5 --expected 0.8 --items 40 --families 8
    --tokens 2000000 --tokens-each 40000
    """
    from vedette.bench.determination import Threshold
    from vedette.bench.planner import Expectation, Left, forecast

    if suite:
        items, families = _of_suite(suite, items, families)
    if items is None or families is None:
        raise BadInput("--items and --families: must be given", next_step="or name a --suite")
    found = forecast(
        Left(items, families, trials, days, per_day, tokens, tokens_each, exposures),
        Expectation(expected, spread),
        Threshold.parse(threshold, "0" * 64),
        taken=_taken(done, subject),
        seed=seed,
        draws=draws,
    )
    if plot is not None:
        from vedette.formats.forecast_plot import forecast_svg

        plot.write_text(forecast_svg(found.to_json()) + "\n", "utf-8")
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=1))
    else:
        _print(found)


def _of_suite(name: str, items: int | None, families: int | None) -> tuple[int, int]:
    from vedette.bench.suites import find_suite

    found = find_suite(name)
    known = len({item.family for item in found.items})
    return items if items is not None else len(found.items), families or known


def _taken(folder: Path | None, subject: str) -> Sequence[Taken]:
    from vedette.bench.planner import Taken
    from vedette.runner.runfolder import load_result

    if folder is None:
        return ()
    samples = load_result(folder).samples
    names = sorted({sample.subject for sample in samples})
    if subject not in names:
        raise BadInput(
            f"--subject: {subject[:60]!r} is not in that run",
            next_step=f"one of {', '.join(names)}",
        )
    own = [s for s in samples if s.subject == subject and not s.broke_off]
    return [Taken(s.score, s.family) for s in own]


def _print(found: Forecast) -> None:
    click.echo(f"{'items':>6} {'tokens':>12} {'days':>6}  determination  meets  does not meet")
    for row in (point.to_json() for point in found.points):
        chance: dict[str, Any] = row["determination"]
        click.echo(
            f"{row['items']:>6} {row['tokens']:>12,} {row['days'] or '':>6}"
            f"  {_share(chance):.2f} ({float(chance['low']):.2f} to {float(chance['high']):.2f})"
            f"  {_share(row['meets']):.2f}   {_share(row['does_not_meet']):.2f}"
        )
    click.echo(
        f"{BINDS[found.binds]}; expected share {found.expected:.2f} after {found.taken} samples;"
        f" {found.draws} futures drawn, seed {found.seed}"
    )


def _share(chance: dict[str, str]) -> float:
    return float(chance["chance"])
