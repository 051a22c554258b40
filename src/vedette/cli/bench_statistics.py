"""`vedette bench ability|adaptive|compare|horizon`: statistics alone, no instance needed."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vedette.cli.progress import ProgressLine
from vedette.kernel.bounds import read_json
from vedette.kernel.errors import BadInput

FILE = click.Path(path_type=Path)
responses_option = click.option(
    "--responses", required=True, type=FILE, help="CSV: the subject, then a column an item (1, 0)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Random seed.")


def _show(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column stands left, the others right."""
    table = [list(headings), *map(list, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        click.echo("  ".join(cells).rstrip())


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _span(interval: Sequence[float | None] | None, digits: int = 2) -> str:
    if interval is None:
        return "-"
    return " to ".join(_number(value, digits) for value in interval)


@click.command()
@responses_option
@click.option("--save", type=FILE, help="Write the calibrated items as JSON.")
@click.option("--onto", type=FILE, help="Items saved before: put abilities on their scale.")
@json_option
def ability(responses: Path, save: Path | None, onto: Path | None, as_json: bool) -> None:
    """Accuracy and ability of each subject, with their uncertainty.

    Accuracy has Wilson's interval. Ability is on one scale for all subjects (two-parameter logistic
    model): 0 is the mean of the subjects in FILE, 1 their standard deviation. Example:

    vedette bench ability --responses responses.csv --json
    """
    from vedette.bench.intervals import wilson
    from vedette.bench.irt import abilities, calibrate, link
    from vedette.bench.responses import MISSING, read_responses

    table = read_responses(responses)
    tried = (table.cells != MISSING).sum(axis=1)
    solved = (table.cells == 1).sum(axis=1)
    rows: list[dict[str, Any]] = []
    for subject, n, right in zip(table.subjects, tried.tolist(), solved.tolist(), strict=True):
        share: dict[str, Any] = {"accuracy": None, "accuracy_ci95": None}
        if n:
            share = {"accuracy": right / n, "accuracy_ci95": list(wilson(right, n))}
        rows.append({"subject": subject, "n": n, **share, "ability": None, "se": None})
    why, unit = "", 0.0
    try:
        bank = calibrate(table.items, table.cells)
    except BadInput as error:
        why = str(error)
    else:
        unit = bank.unit_odds_ratio
        mean, deviation = abilities(bank, table.cells)
        factor, shift = link(bank, _saved(onto)) if onto else (1.0, 0.0)
        for row, where, error_ in zip(rows, mean.tolist(), deviation.tolist(), strict=True):
            if row["n"]:
                row |= {"ability": factor * where + shift, "se": factor * error_}
        if save:
            _save(save, bank.items, (bank.a / factor).tolist(), (factor * bank.b + shift).tolist())
    if as_json:
        click.echo(json.dumps(rows))
    else:
        _show(
            ("subject", "n", "accuracy", "95% interval", "ability", "95% interval"),
            [
                (
                    row["subject"],
                    str(row["n"]),
                    _number(row["accuracy"]),
                    _span(row["accuracy_ci95"]),
                    _number(row["ability"]),
                    _span(_two_sided(row["ability"], row["se"])),
                )
                for row in rows
            ],
        )
        if unit:
            click.echo(
                f"One unit of ability multiplies the odds of solving a typical item by {unit:.2f}."
            )
    if why:
        click.echo(f"no ability: {why}", err=True)


def _two_sided(value: float | None, error: float | None) -> tuple[float, float] | None:
    from vedette.bench.adaptive import Z

    return None if value is None or error is None else (value - Z * error, value + Z * error)


def _save(path: Path, items: Sequence[str], a: Sequence[float], b: Sequence[float]) -> None:
    rows = [{"item": i, "a": x, "b": y} for i, x, y in zip(items, a, b, strict=True)]
    try:
        path.write_text(json.dumps({"model": "2pl", "items": rows}, indent=1) + "\n")
    except OSError as error:
        raise BadInput(f"{path}: can't be written ({error.strerror})") from None


def _saved(path: Path) -> Any:
    import numpy as np

    from vedette.bench.irt import Bank

    try:
        rows = read_json(path.read_bytes(), source=str(path))["items"]
        return Bank(
            tuple(str(row["item"]) for row in rows),
            np.array([float(row["a"]) for row in rows]),
            np.array([float(row["b"]) for row in rows]),
        )
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None
    except (KeyError, TypeError, ValueError):
        raise BadInput(f"{path}: no saved items", next_step="write them with --save") from None


@click.command()
@responses_option
@click.option(
    "--calibrate", "known", required=True, type=FILE, help="Subjects to calibrate on, one a line."
)
@click.option("--target-se", type=click.FloatRange(min=0, min_open=True), help="Stop here (0.3).")
@click.option("--max-items", type=click.IntRange(min=1), help="Stop after so many items.")
@click.option(
    "--spread",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Draw among so many of the best items: none is shown to all.",
)
@click.option("--costs", type=FILE, help="CSV item,cost: choose by what an item tells per cost.")
@seed_option
@json_option
def adaptive(
    responses: Path,
    known: Path,
    target_se: float | None,
    max_items: int | None,
    spread: int,
    costs: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Replay adaptive item choice for the subjects that are not calibrated on.

    The error counts what the model does not: it is stretched until, on the calibration subjects,
    95% intervals cover at least 95%. Example:

    vedette bench adaptive --responses responses.csv --calibrate known.txt --target-se 0.3 --seed 1
    """
    from vedette.bench.adaptive import TARGET, Rule, replay
    from vedette.bench.responses import read_responses

    table = read_responses(responses)
    names = _names(known)
    unknown = sorted(names - set(table.subjects))
    if unknown:
        raise BadInput(f"{known}: subject {unknown[0][:60]!r} is not in {responses}")
    inside = [i for i, subject in enumerate(table.subjects) if subject in names]
    outside = [i for i, subject in enumerate(table.subjects) if subject not in names]
    if not outside:
        raise BadInput(f"{known}: names every subject", next_step="leave some to replay")
    target = TARGET if target_se is None and max_items is None else target_se
    rule = Rule(target, max_items, spread, _costs(costs, table.items))
    with ProgressLine() as line:
        found = replay(
            table.items,
            table.rows(inside),
            table.rows(outside),
            rule,
            seed,
            lambda done, total: line.show(done, total, "replaying"),
        )
    rows: list[dict[str, Any]] = [
        {
            "subject": table.subjects[index],
            "items": [table.items[item] for item in one.items],
            "ability": one.ability,
            "se": one.error,
            "ci95": list(one.interval),
        }
        for index, one in zip(outside, found.outcomes, strict=True)
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    _show(
        ("subject", "items", "ability", "95% interval"),
        [
            (r["subject"], str(len(r["items"])), _number(r["ability"]), _span(r["ci95"]))
            for r in rows
        ],
    )
    shown = found.exposures()
    click.echo(
        f"{shown.sum() / len(outside):.1f} of {len(table.items)} items a subject; the item shown"
        f" most was shown to {shown.max() / len(outside):.0%} of them; errors times"
        f" {found.factor:.2f}"
    )


def _names(path: Path) -> set[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: can't be read ({error})") from None
    return {line.strip() for line in lines if line.strip()}


def _costs(path: Path | None, items: Sequence[str]) -> Any:
    import numpy as np

    from vedette.bench.responses import number

    if path is None:
        return None
    rows = {item: number(text, f"{path}, {item[:60]}") for item, text in _pairs(path).items()}
    for item in items:
        if rows.get(item, 0) <= 0:
            raise BadInput(f"{path}: item {item[:60]!r} has no cost above 0")
    return np.array([rows[item] for item in items])


def _pairs(path: Path) -> dict[str, str]:
    """A CSV of two columns as a mapping; a first line that names them is passed over."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: can't be read ({error})") from None
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2:
            raise BadInput(f"{path}, line {number}: two cells expected")
        item, value = (cell.strip() for cell in row)
        if number == 1 and item.lower() == "item":
            continue
        if found.setdefault(item, value) != value:
            raise BadInput(f"{path}, line {number}: {item[:60]!r} stands twice")
    return found


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

    found = comparison(read_scores(responses), first, second, _pairs(cluster) if cluster else None)
    if as_json:
        click.echo(json.dumps(found.to_json()))
        return
    said = {"a": f"{first} is better", "b": f"{second} is better", "neither": "not shown"}
    after = f" (after {found.stopped_at} of {found.items} items)" if found.stopped_at else ""
    _show(
        ("", "value"),
        [
            ("items in common", str(found.items)),
            (f"mean of {first}", _number(found.mean_a, 3)),
            (f"mean of {second}", _number(found.mean_b, 3)),
            ("difference", _number(found.difference, 3)),
            ("95% interval", _span(found.interval, 3)),
            ("p", _number(found.p, 4)),
            ("with n fixed beforehand", said[found.verdict_fixed]),
            ("however often one looked", said[found.verdict_anytime] + after),
            *_pass_rows(found.pass_at, "pass@"),
            *_pass_rows(found.pass_hat, "pass^"),
        ],
    )


def _pass_rows(found: Any, name: str) -> list[tuple[str, str]]:
    shared = [k for k in found["a"] if k in found["b"]]
    return [
        (f"{name}{k}", f"{_number(found['a'][k], 3)} against {_number(found['b'][k], 3)}")
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
    _show(
        ("subject", "runs", "50% (minutes)", "95% interval", "80% (minutes)", "95% interval"),
        [
            (
                one.subject,
                str(one.n),
                one.reason or _number(one.p50, 1),
                _span(one.p50_interval, 1),
                _number(one.p80, 1),
                _span(one.p80_interval, 1),
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
    interval = f", 95% interval {_span(found.interval, 0)}" if found.interval else ""
    because = f" ({found.reason})" if found.reason else ""
    click.echo(f"The 50% horizon {doubles}{interval}{because}; {found.n} points.")
