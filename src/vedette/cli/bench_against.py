"""`vedette bench against`: how a subject stands to a threshold; no instance needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vedette.cli.statistics import FILE, error_rows, figure, json_option, pairs, show, span
from vedette.kernel.errors import BadInput

if TYPE_CHECKING:
    from vedette.bench.responses import Score


@click.command()
@click.option(
    "--responses",
    required=True,
    type=FILE,
    help="CSV as for compare, in the order they came in; or the folder of a run.",
)
@click.option("--subject", required=True, help="Whom.")
@click.option("--threshold", required=True, type=float, help="A share, above 0 and below 1.")
@click.option("--cluster", type=FILE, help="CSV item,cluster: items that belong together.")
@click.option(
    "--solved-at",
    type=float,
    help="The score from which on a sample counts as solved, where scores lie between 0 and 1"
    " [what a run committed to].",
)
@json_option
def against(
    responses: Path,
    subject: str,
    threshold: float,
    cluster: Path | None,
    solved_at: float | None,
    as_json: bool,
) -> None:
    """How a subject's share of solved samples stands to a threshold.

    Meets, does not meet, or insufficient evidence: once for a number of samples chosen beforehand,
    once for who looks while they come in and may stop. Trials of an item belong together. A score
    in between is solved or not by --solved-at; the mean of the scores stands beside. Examples:

    vedette bench against --responses responses.csv --subject model-2 --threshold 0.6

    vedette bench against --responses run-1 --subject model-2 --threshold 0.6
    """
    from vedette.bench.anytime import against as standing

    found, committed = _scores(responses)
    rule = committed if solved_at is None else solved_at
    scores = [score for score in found if score.subject == subject]
    _check(scores, rule, f"{responses}: subject {subject[:60]!r}")
    groups = pairs(cluster) if cluster else {score.item: score.item for score in scores}
    for score in scores:
        if score.item not in groups:
            raise BadInput(f"{cluster}: item {score.item[:60]!r} has no cluster")
    clusters, own = [groups[score.item] for score in scores], [score.score for score in scores]
    stands = standing([int(score >= (rule or 1)) for score in own], clusters, threshold)
    row: dict[str, Any] = {
        "subject": subject,
        "n": len(scores),
        "share": stands.share,
        "ci95": list(stands.interval),
        "outcome_fixed": stands.fixed.value,
        "outcome_anytime": stands.early.value,
        "stopped_at": stands.stopped_at,
        "se_clusters": stands.parts.items if stands.parts else None,
        "se_trials": stands.parts.trials if stands.parts else None,
        **({} if rule is None else _partial(own, clusters, rule)),
    }
    if as_json:
        click.echo(json.dumps(row))
        return
    after = f" (after {stands.stopped_at} of {len(scores)})" if stands.stopped_at else ""
    rows = [
        ("samples", str(len(scores))),
        ("share solved", figure(stands.share, 3)),
        ("95% interval", span(stands.interval, 3)),
        *error_rows(stands.parts, "clusters"),
        ("with n fixed beforehand", stands.fixed.value),
        ("however often one looked", stands.early.value + after),
    ]
    if rule is not None:
        rows += [
            ("counted as solved from a score of", f"{rule:g}"),
            ("mean score", figure(row["mean_score"], 3)),
            ("95% interval", span(row["mean_score_ci95"], 3)),
            ("scores between 0 and 1", str(row["between"])),
        ]
    show(("", "value"), rows)


def _scores(path: Path) -> tuple[list[Score], float | None]:
    """Scores from 0 to 1; of a run also what it committed to count as solved, where it did."""
    from vedette.bench.responses import Score, read_scores, share

    if not path.is_dir():
        return read_scores(path), None
    from vedette.runner.runfolder import load_result

    result = load_result(path)
    said = result.commitment.suite.get("solved_at")
    scores = [
        Score(s.subject, s.item, str(s.trial), float(s.score) if s.partial is None else s.partial)
        for s in result.samples
    ]
    return scores, None if said is None else share(str(said), f"{path}: solved_at")


def _check(scores: list[Score], rule: float | None, said: str) -> None:
    if not scores:
        raise BadInput(f"{said} has no score")
    if rule is not None and not 0 < rule <= 1:
        raise BadInput(f"--solved-at: {rule:g} is not above 0 and at most 1")
    for score in scores:
        if rule is None and score.score not in (0, 1):
            raise BadInput(
                f"item {score.item[:60]!r}: a score of 0 or 1 expected",
                next_step="say from which score on a sample counts as solved: --solved-at 1",
            )


def _partial(scores: list[float], clusters: list[str], rule: float) -> dict[str, Any]:
    from vedette.bench.intervals import clustered_mean

    mean = clustered_mean(scores, clusters)
    return {
        "solved_at": rule,
        "mean_score": mean.estimate,
        "mean_score_ci95": [mean.low, mean.high],
        "between": sum(0 < score < 1 for score in scores),
    }
