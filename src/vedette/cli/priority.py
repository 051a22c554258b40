"""`vedette priority`: the deadline of a vulnerability, stand-alone."""

from __future__ import annotations

import json

import click

from vedette.clearinghouse.priority import IMPACTS, Priority, decide
from vedette.kernel.clock import SystemClock, parse_time
from vedette.kernel.packs import default_pack

YES_NO = click.Choice(["y", "n"])


@click.command()
@click.option("--kev", type=YES_NO, required=True, help="Known to be exploited.")
@click.option("--exposed", type=YES_NO, required=True, help="The system is publicly reachable.")
@click.option("--automatable", type=YES_NO, required=True, help="Exploitation can be automated.")
@click.option("--impact", type=click.Choice(IMPACTS), required=True, help="Technical impact.")
@click.option("--from", "start", metavar="DATE", help="Count from this day; default today, UTC.")
@click.option("--json", "as_json", is_flag=True, help="The answer as JSON on stdout.")
def priority(
    kev: str, exposed: str, automatable: str, impact: str, start: str | None, as_json: bool
) -> None:
    """Deadline of a vulnerability, and the row of the policy pack's table that gave it.

    Example: vedette priority --kev y --exposed n --automatable y --impact total --from 2026-12-01
    """
    begins = parse_time(start, field="--from") if start else SystemClock().now()
    found = decide(
        default_pack(), kev == "y", exposed == "y", automatable == "y", impact, begins.date()
    )
    click.echo(json.dumps(found.to_json(), indent=1) if as_json else _text(found))


def _text(found: Priority) -> str:
    if found.deadline is None:
        when = "at the next upgrade"
    else:
        when = f"by {found.deadline.isoformat()} ({found.deadline_days} days)"
    forensics = ", and look for traces of an attack" if found.forensics else ""
    return f"Fix it {when}{forensics}.\nrow {found.row} of {found.pack}"
