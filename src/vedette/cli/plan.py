"""`vedette plan`: a release plan, stand-alone."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from vedette.kernel.clock import SystemClock, parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import default_pack
from vedette.readiness.calendar import to_ics
from vedette.readiness.plan import Plan, make_plan


@click.command()
@click.option("--partner-release", required=True, metavar="DATE", help="Ends the window.")
@click.option("--public-release", metavar="DATE", help="Where it is planned already.")
@click.option("--window-days", type=int, metavar="N", help="Default: the pack's ceiling.")
@click.option(
    "--ics", type=click.Path(path_type=Path, dir_okay=False), help="Write a calendar file as well."
)
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON on stdout.")
def plan(
    partner_release: str,
    public_release: str | None,
    window_days: int | None,
    ics: Path | None,
    as_json: bool,
) -> None:
    """Release plan, backwards from the partner release.

    DATE is a day (00:00 UTC) or a time with its zone. Steps and their offsets come from the
    policy pack. The plan reminds; nothing waits for it.

    Example: vedette plan --partner-release 2027-03-01 --public-release 2027-03-22 --ics plan.ics
    """
    made = make_plan(
        default_pack(),
        parse_time(partner_release, field="--partner-release"),
        parse_time(public_release, field="--public-release") if public_release else None,
        window_days,
    )
    now = SystemClock().now()
    if ics is not None:
        _write(ics, to_ics(made, now))
    click.echo(json.dumps(made.to_json(), indent=1) if as_json else _text(made, now))
    if ics is not None and not as_json:
        click.echo(f"\nCalendar: {ics}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise BadInput(
            f"--ics: {path}: {error.strerror}", next_step="name a file in a folder that exists"
        ) from None


def _text(made: Plan, now: datetime) -> str:
    days = (made.closes - made.opens).days
    lines = [
        f"Release plan under {made.pack}; times in UTC",
        "",
        f"  window opens     {_at(made.opens)}",
        f"  window closes    {_at(made.closes)}   {days} days",
        f"  partner release  {_at(made.partner_release)}",
        f"  public release   {_at(made.public_release) if made.public_release else 'not given'}",
        "",
        f"  {'start by':22} {'due':22} step",
    ]
    for step in made.steps:
        late = " *" if step.latest_start < now else ""
        lines.append(f"  {_at(step.latest_start):22} {_at(step.due):22} {step.name}{late}")
    if any(step.latest_start < now for step in made.steps):
        lines += ["", "* its latest start has passed; the dates stay yours"]
    return "\n".join(lines)


def _at(time: datetime) -> str:
    return f"{time:%a} {time.year:04}-{time:%m-%d %H:%M}"
