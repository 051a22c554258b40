"""`vedette exchange`: signed messages to and from other instances."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from vedette.cli.context import boot, instance_option
from vedette.cli.progress import ProgressLine
from vedette.cli.terms import terms
from vedette.kernel.bounds import read_json
from vedette.kernel.words import counted

SHOWN_REFUSALS = 20


@click.group()
def exchange() -> None:
    """Signed messages to and from other instances.

    Example: vedette exchange card > lab.card.json
    """


exchange.add_command(terms)


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


@peer.command("early-warning")
@click.argument("name")
@click.option("--end", is_flag=True, help="No longer answer its private questions.")
@instance_option
def peer_early_warning(name: str, end: bool, folder: Path | None) -> None:
    """Let an operator's instance ask in private about cases under embargo.

    NAME is the peer's name or the beginning of its key id.

    Example: vedette exchange peer early-warning "Norrvik Water" --instance clearinghouse
    """
    boot(folder)
    from vedette.services import private_cases
    from vedette.services.acting import instance_actor

    if end:
        private_cases.end_warning(instance_actor(), name)
        click.echo(f"{name}: early warning ended")
    else:
        private_cases.warn_early(instance_actor(), name)
        click.echo(f"{name}: may ask in private; next: vedette watch --embargoed, at its own place")


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


@exchange.command()
@click.argument("message_id", default="", required=False)
@click.option("--peer", "peer_name", default="", help="Only messages to this peer.")
@instance_option
def retry(message_id: str, peer_name: str, folder: Path | None) -> None:
    """Queue again what was given up for now, or waits for a later try.

    Example: vedette exchange retry --peer "Reviewing Office" --instance lab
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.messages import retry as retry_messages

    count = retry_messages(instance_actor(), message_id, peer_name)
    click.echo(f"{count} messages queued again; next: vedette exchange send")


@exchange.command()
@click.option("--peer", "peer_name", default="", help="Only with this peer.")
@instance_option
def compare(peer_name: str, folder: Path | None) -> None:
    """Find out with peers what was lost, and have it sent again, both ways.

    For a lost file, or after a restore: sums of what crossed go to the peer, which answers with
    its own. `exchange status --peer` then says whether both agree.

    Example: vedette exchange compare --peer "Reviewing Office" --instance lab
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.syncing import compare as compare_peers

    names = compare_peers(instance_actor(), peer_name)
    click.echo(f"sums queued for {', '.join(names) or 'nobody'}; next: vedette exchange send")


@exchange.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--peer", "peer_name", required=True, help="Whom it goes to.")
@click.option("--about", default="", help="The act, case or finding that it belongs to.")
@click.option("--marking", default="TLP:AMBER", show_default=True)
@click.option("--note", default="", help="A word to go with it.")
@instance_option
def attach(
    file: Path, peer_name: str, about: str, marking: str, note: str, folder: Path | None
) -> None:
    """Send a file of any size to a peer: what is too large for a message is attached to one.

    Example: vedette exchange attach dossier.pdf --peer "Reviewing Office" --instance lab
    """
    boot(folder)
    from vedette.services import attachments
    from vedette.services.acting import instance_actor

    with file.open("rb") as source:
        row = attachments.attach(
            instance_actor(), peer_name, source, file.name, about=about, marking=marking, note=note
        )
    click.echo(f"{row.id}  {row.size:,} bytes in {len(row.chunks)} chunks, queued for {row.peer}")


@exchange.command("attachments")
@click.option("--about", default="", help="Only what belongs to this act, case or finding.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def attachments_list(about: str, as_json: bool, folder: Path | None) -> None:
    """List the files that came and went.

    Example: vedette exchange attachments --instance office
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.attachment_views import list_attachments

    rows = list_attachments(instance_actor(), about)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        missing = f", {row['missing']} of {row['chunks']} chunks missing" if row["missing"] else ""
        way = "to" if row["direction"] == "out" else "from"
        click.echo(f"{row['id']}  {row['name']}  {row['size']:,} bytes  {way} {row['peer']}")
        click.echo(f"  {row['marking']}  {row['state']}{missing}  {row['reason']}".rstrip())


@exchange.command()
@click.argument("attachment_id")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@instance_option
def save(attachment_id: str, file: Path, folder: Path | None) -> None:
    """Write an attachment's content to a file.

    Example: vedette exchange save att-… dossier.pdf --instance office
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.attachment_views import open_attachment

    told, chunks = open_attachment(instance_actor(), attachment_id)
    partial = file.with_name(file.name + ".partial")
    with partial.open("wb") as out, ProgressLine() as progress:
        for number, data in enumerate(chunks, 1):
            out.write(data)
            progress.show(number, told["chunks"], file.name)
    partial.replace(file)
    click.echo(f"{told['size']:,} bytes written to {file}; {told['digest']}, {told['marking']}")


@exchange.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--peer", "peer_name", default="", help="Only messages to this peer.")
@click.option("--again", is_flag=True, help="Also what an earlier file carried without a receipt.")
@instance_option
def export_file(file: Path, peer_name: str, again: bool, folder: Path | None) -> None:
    """Write queued messages to a file, to be carried by hand.

    They count as delivered once the receipts that the other side's import writes are imported here.

    Example: vedette exchange export to-office.jsonl --peer "Reviewing Office" --instance lab
    """
    boot(folder)
    from vedette.services.carrying import export_file as export

    count = export(file, peer_name, again=again)
    click.echo(f"{counted(count, 'message')} written to {file}")


@exchange.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only say what would be taken; write nothing.")
@click.option("--lines", is_flag=True, help="One JSON line for each line of the file.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def import_file(file: Path, check: bool, lines: bool, as_json: bool, folder: Path | None) -> None:
    """Take messages from a file; taking it twice changes nothing. Exit 2 if any was refused.

    Refused lines go to FILE.refused.jsonl with their reasons. FILE.receipts.jsonl goes back to the
    sender, who imports it and so knows what arrived.

    Example: vedette exchange import from-lab.jsonl --instance office
    """
    boot(folder, handlers=True)
    from vedette.services import carrying

    report = carrying.Report(file)
    taken = carrying.import_file(file, check=check)
    shown: list[dict[str, Any]] = []
    with ProgressLine() as progress:
        for line in report.passed(taken) if check else report.run(taken):
            progress.show(line.number, line.number, file.name)
            if lines:
                click.echo(json.dumps(line.to_json()))
            if line.receipt.status == "refused" and len(shown) < SHOWN_REFUSALS:
                shown.append(line.to_json())
    _tell_import(
        report.counts, report.states, shown, "json" if as_json else "" if lines else "text"
    )
    for told in report.files:
        click.echo(f"{told['attachment']}: {told['state']}  {told['detail']}".rstrip(), err=True)
    if not check:
        for written in (report.refused_file, report.receipts_file):
            if written.exists():
                click.echo(f"written: {written}", err=True)
    if report.counts["refused"]:
        sys.exit(2)


def _tell_import(
    counts: dict[str, int], states: dict[str, int], refused: list[dict[str, Any]], form: str
) -> None:
    if form == "json":
        named = ("line", "reason", "detail")
        rows = [{name: row[name] for name in named} for row in refused]
        click.echo(json.dumps({**counts, "states": states, "refusals": rows}, indent=1))
    elif form == "text":
        also = {name: n for name, n in states.items() if name not in ("handled", "refused")}
        click.echo(", ".join(f"{count} {name}" for name, count in {**counts, **also}.items()))
    for row in refused:
        click.echo(f"line {row['line']}: {row['detail']} ({row['reason']})", err=True)
    if counts["refused"] > len(refused):
        click.echo(f"and {counts['refused'] - len(refused)} more", err=True)


@exchange.command()
@click.option("--peer", "peer_name", default="", help="What both sides have of one peer.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def status(peer_name: str, as_json: bool, folder: Path | None) -> None:
    """What is queued, waits for something else, or was refused.

    With --peer: whether this instance and that one agree on what crossed. Exit 1 where they don't.

    Example: vedette exchange status --instance lab
    """
    boot(folder)
    if peer_name:
        _peer_status(peer_name, as_json)
        return
    from vedette.services.messages import status as exchange_status

    value = exchange_status()
    if as_json:
        click.echo(json.dumps(value, indent=1))
        return
    for side, states in value["counts"].items():
        click.echo(f"{side}: " + (", ".join(f"{n} {s}" for s, n in states.items()) or "nothing"))
    for row in value["open"]:
        click.echo(f"  {row['id']}  {row['type']}  {row['state']}  {row['why']}")


def _peer_status(peer_name: str, as_json: bool) -> None:
    from vedette.services.acting import instance_actor
    from vedette.services.syncing import account

    value = account(instance_actor(), peer_name)
    found = value["compared"]
    if as_json:
        click.echo(json.dumps(value, indent=1))
    else:
        click.echo(
            f"{value['peer']}: {value['sent']} sent, {value['not_acknowledged']} of them not"
            f" acknowledged; {value['taken']} taken"
        )
        if not found:
            click.echo("not compared yet; next: vedette exchange compare", err=True)
        elif found["agree"]:
            click.echo(f"both sides agreed at {value['compared_at']}")
        else:
            click.echo(
                f"they differed at {value['compared_at']}: {found['queued_again']} queued again,"
                f" {found['given_back']} given back; next: vedette exchange compare"
            )
    if found and not found["agree"]:
        sys.exit(1)
