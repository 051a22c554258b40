"""`vedette bench landscape`: assessed models over time, from an instance's shared assessments."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vedette.cli.context import boot, instance_option


@click.command()
@instance_option
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, on stdout.")
def landscape(folder: Path | None, as_json: bool) -> None:
    """Show assessed models over time, by domain, with intervals and the gaps of the measuring.

    Only shared assessments are in it; it names nobody who has none.

    Example: vedette bench landscape --instance office --json
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.landscape import landscape as made_of

    found, _ = made_of(instance_actor())
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for part in found["domains"]:
        click.echo(part["domain"])
        for entry in part["entries"]:
            share, low, high = (float(entry[key]) for key in ("estimate", "low", "high"))
            click.echo(
                f"  {entry['on']}  {entry['model'][:32]:<32} {share:.2f} ({low:.2f} to {high:.2f})"
                f"  {entry['suite']} {entry['version']}  {entry['lab']}"
                + (f"  uplift {entry['uplift']}" if entry["uplift"] else "")
            )
    for text in found["gaps"]:
        click.echo(f"gap: {text}")
    if not found["domains"]:
        click.echo("no assessment is shared yet")
