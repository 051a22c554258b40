"""`vedette exchange`: signed messages to and from other instances."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from vedette.cli.context import boot, instance_option
from vedette.kernel.bounds import read_json


@click.group()
def exchange() -> None:
    """Signed messages to and from other instances.

    Example: vedette exchange card > lab.card.json
    """


@exchange.command()
@instance_option
def card(folder: Path | None) -> None:
    """Print this instance's card: what another instance needs to know it.

    Example: vedette exchange card --instance lab > lab.card.json
    """
    boot(folder)
    from vedette.services.here import here

    click.echo(json.dumps(here().card.to_json(), indent=1))
    click.echo(f"fingerprint, to compare by voice: {here().card.fingerprint}", err=True)


@exchange.group()
def peer() -> None:
    """Other instances whose keys this one knows.

    Example: vedette exchange peer add office.card.json
    """


@peer.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@instance_option
def peer_add(file: Path, folder: Path | None) -> None:
    """Know another instance by its card.

    Example: vedette exchange peer add office.card.json --instance lab
    """
    boot(folder)
    from vedette.exchange.card import Card
    from vedette.services.acting import instance_actor
    from vedette.services.peers import add_peer

    found = Card.from_json(read_json(file.read_bytes(), source=str(file)))
    add_peer(instance_actor(), found)
    click.echo(f"peer {found.name} ({found.profile}) added; fingerprint {found.fingerprint}")


@peer.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def peer_list(as_json: bool, folder: Path | None) -> None:
    """List the peers.

    Example: vedette exchange peer list --instance lab
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.peers import peers

    rows = peers(instance_actor())
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(
            f"{row['name']}  {row['profile']}  {row['keyid'][:16]}  {row['url'] or 'by file'}"
        )
    if not rows:
        click.echo("no peers yet; next: vedette exchange peer add CARD", err=True)


@exchange.command()
@instance_option
def send(folder: Path | None) -> None:
    """Deliver by HTTP now what is queued, instead of waiting for the worker.

    Example: vedette exchange send --instance lab
    """
    boot(folder)
    from vedette.services.outbox import send_now

    sent, left = send_now()
    click.echo(f"{sent} delivered or answered, {left} still queued")


@exchange.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--peer", "peer_name", default="", help="Only messages to this peer.")
@instance_option
def export_file(file: Path, peer_name: str, folder: Path | None) -> None:
    """Write queued messages to a file, to be carried by hand.

    Example: vedette exchange export to-office.jsonl --peer "Reviewing Office" --instance lab
    """
    boot(folder)
    from vedette.services.outbox import export_waiting

    count = export_waiting(file, peer_name)
    click.echo(f"{count} messages written to {file}")


@exchange.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def import_file(file: Path, as_json: bool, folder: Path | None) -> None:
    """Take messages from a file; taking it twice changes nothing. Exit 2 if any was refused.

    Example: vedette exchange import from-lab.jsonl --instance office
    """
    boot(folder, handlers=True)
    from vedette.services.inbox import receive

    counts = {"accepted": 0, "already": 0, "refused": 0}
    refusals = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            receipt = receive(line)
            counts[receipt.status] += 1
            if receipt.status == "refused":
                refusals.append(
                    {"line": number, "reason": receipt.reason, "detail": receipt.detail}
                )
    if as_json:
        click.echo(json.dumps({**counts, "refusals": refusals}, indent=1))
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
    for refusal in refusals:
        click.echo(f"line {refusal['line']}: {refusal['detail']} ({refusal['reason']})", err=True)
    if refusals:
        sys.exit(2)


@exchange.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def status(as_json: bool, folder: Path | None) -> None:
    """What is queued, waits for something else, or was refused.

    Example: vedette exchange status --instance lab
    """
    boot(folder)
    from vedette.services.outbox import status as outbox_status

    value = outbox_status()
    if as_json:
        click.echo(json.dumps(value, indent=1))
        return
    for side, states in value["counts"].items():
        click.echo(f"{side}: " + (", ".join(f"{n} {s}" for s, n in states.items()) or "nothing"))
    for row in value["open"]:
        click.echo(f"  {row['id']}  {row['type']}  {row['state']}  {row['why']}")
