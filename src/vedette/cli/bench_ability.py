"""`vedette bench ability|adaptive`: statistics of a table of responses, no instance needed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vedette.cli.progress import ProgressLine
from vedette.cli.statistics import FILE, figure, json_option, pairs, seed_option, show, span
from vedette.kernel.bounds import read_json
from vedette.kernel.errors import BadInput

responses_option = click.option(
    "--responses", required=True, type=FILE, help="CSV: the subject, then a column an item (1, 0)."
)


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
    import numpy as np

    from vedette.bench.intervals import wilson
    from vedette.bench.irt import abilities, calibrate, link
    from vedette.bench.responses import MISSING, read_responses

    with ProgressLine() as line:
        line.show(0, 3, "reading")
        table = read_responses(responses)
        places = {subject: place for place, subject in enumerate(table.subjects)}
        # by name, so that no figure depends on the order of the file
        table = table.by_name()
        line.show(1, 3, "calibrating")
        try:
            bank, why = calibrate(table.items, table.cells), ""
        except BadInput as error:
            bank, why = None, str(error)
        line.show(2, 3, "placing subjects")
        placed = abilities(bank, table.cells) if bank else None
        line.show(3, 3, "done")
    tried = np.count_nonzero(table.cells != MISSING, axis=1)
    solved = np.count_nonzero(table.cells == 1, axis=1)
    rows: list[dict[str, Any]] = []
    for subject, n, right in zip(table.subjects, tried.tolist(), solved.tolist(), strict=True):
        share: dict[str, Any] = {"accuracy": None, "accuracy_ci95": None}
        if n:
            share = {"accuracy": right / n, "accuracy_ci95": list(wilson(right, n))}
        rows.append({"subject": subject, "n": n, **share, "ability": None, "se": None})
    unit = 0.0
    if bank and placed:
        unit = bank.unit_odds_ratio
        mean, deviation = placed
        factor, shift = link(bank, _saved(onto)) if onto else (1.0, 0.0)
        for row, where, error_ in zip(rows, mean.tolist(), deviation.tolist(), strict=True):
            if row["n"]:
                row |= {"ability": factor * where + shift, "se": factor * error_}
        if save:
            _save(save, bank.items, (bank.a / factor).tolist(), (factor * bank.b + shift).tolist())
    rows.sort(key=lambda row: places[row["subject"]])
    if as_json:
        click.echo(json.dumps(rows))
    else:
        show(
            ("subject", "n", "accuracy", "95% interval", "ability", "95% interval"),
            [
                (
                    row["subject"],
                    str(row["n"]),
                    figure(row["accuracy"]),
                    span(row["accuracy_ci95"]),
                    figure(row["ability"]),
                    span(_two_sided(row["ability"], row["se"])),
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
        bank = Bank(
            tuple(str(row["item"]) for row in rows),
            np.array([float(row["a"]) for row in rows]),
            np.array([float(row["b"]) for row in rows]),
        )
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None
    except (KeyError, TypeError, ValueError):
        raise BadInput(f"{path}: no saved items", next_step="write them with --save") from None
    for item, a, b in zip(bank.items, bank.a.tolist(), bank.b.tolist(), strict=True):
        if not 0 < a < math.inf or not math.isfinite(b):
            raise BadInput(f"{path}, item {item[:60]!r}: a above 0 and a finite b expected")
    return bank


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
    places = {subject: place for place, subject in enumerate(table.subjects)}
    # by name, so that neither figures nor draws depend on the order of the file
    table = table.by_name()
    names = _names(known)
    unknown = sorted(names - set(table.subjects))
    if unknown:
        raise BadInput(f"{known}: subject {unknown[0][:60]!r} is not in {responses}")
    inside = [i for i, subject in enumerate(table.subjects) if subject in names]
    outside = [i for i, subject in enumerate(table.subjects) if subject not in names]
    if not outside:
        raise BadInput(f"{known}: names every subject", next_step="leave some to replay")
    if target_se is not None and not math.isfinite(target_se):
        raise BadInput(f"--target-se: {target_se} is not finite")
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
    rows.sort(key=lambda row: places[row["subject"]])
    if as_json:
        click.echo(json.dumps(rows))
        return
    show(
        ("subject", "items", "ability", "95% interval"),
        [(r["subject"], str(len(r["items"])), figure(r["ability"]), span(r["ci95"])) for r in rows],
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
    rows = {item: number(text, f"{path}, {item[:60]}") for item, text in pairs(path).items()}
    for item in items:
        if rows.get(item, 0) <= 0:
            raise BadInput(f"{path}: item {item[:60]!r} has no cost above 0")
    return np.array([rows[item] for item in items])
