"""`vedette bench`: a table of commands; each module is imported when its command is called."""

from __future__ import annotations

import click

from vedette.cli.lazy import LazyGroup, Table

COMMANDS: Table = {
    "ability": (".bench_ability", "ability", "Accuracy and ability of each subject."),
    "adaptive": (".bench_ability", "adaptive", "Replay adaptive item choice."),
    "bundle": (".bench_bundle", "bundle", "Write a suite as an encrypted bundle for a lab."),
    "certify": (".bench_suites", "certify", "Certify a suite's items by execution."),
    "against": (".bench_against", "against", "How a subject stands to a threshold."),
    "compare": (".bench_compare", "compare", "Two subjects on the same items."),
    "generate": (".bench_suites", "generate", "Write a suite of toy daemons from a seed."),
    "horizon": (".bench_compare", "horizon", "Time horizon, and its trend."),
    "keyholder": (".bench_unseal", "keyholder", "Become a keyholder of sealed suites."),
    "keys": (".bench_verify", "keys", "Make a pair of keys for whoever has no instance."),
    "landscape": (".bench_landscape", "landscape", "Assessed models over time, by domain."),
    "list": (".bench_suites", "list_suites", "List suites with their items."),
    "new": (".bench_suites", "new", "Start a suite of your own."),
    "plan": (".bench_plan", "plan", "The chance of a determination with what is left."),
    "release": (".bench_bundle", "release", "Release the key of a bundle that you hold."),
    "report": (".bench_report", "report", "Assess a finished run and write its report."),
    "seal": (".bench_unseal", "seal", "Seal a suite again."),
    "take": (".bench_suites", "take", "Take a suite of your own into an office's instance."),
    "scan": (".bench_scan", "scan", "Scan a run's transcripts for words worth reading."),
    "take-results": (".bench_bundle", "take_results", "Take a bundle's results into the office."),
    "run": (".bench_runs", "run", "Run a suite on subjects."),
    "unseal": (".bench_unseal", "unseal", "Unseal a suite: two keyholders, one after the other."),
    "weights": (".bench_weights", "weights", "Weights that a lab handed over under an act."),
    "verify": (".bench_verify", "verify", "Verify a result against what was committed to."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def bench() -> None:
    """Suites, runs and statistics.

    Example: vedette bench run daemons --subject null --subject oracle --out run-1
    """
