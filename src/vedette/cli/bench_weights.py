"""`vedette bench weights`: weights that a lab handed over, on the office's instance."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import click

from vedette.cli.bench_runs import FILE, as_json
from vedette.cli.context import boot, instance_option
from vedette.kernel.errors import AnswerIsNo, BadInput

PLACE = "{weights}"


@click.group()
def weights() -> None:
    """Weights received under an act: kept sealed, open only while a model server uses them.

    Example: vedette bench weights list --instance office
    """


@weights.command()
@click.argument("file", type=FILE)
@click.option("--act", required=True, help="The act that the lab hands them over under.")
@instance_option
def receive(file: Path, act: str, folder: Path | None) -> None:
    """Take a file of weights in, sealed as it is read; remove the original yourself.

    Example: vedette bench weights receive orion.safetensors --act act-2222222222222222
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.weights import receive_weights

    row = receive_weights(instance_actor(), act, file)
    click.echo(f"{row.id}: {row.size:,} bytes, {row.digest}, sealed")
    click.echo(f"next: remove {file}; vedette bench weights serve {row.id} -- SERVER")


@weights.command("list")
@as_json
@instance_option
def list_(as_json: bool, folder: Path | None) -> None:
    """List the weights received, by digest.

    Example: vedette bench weights list --instance office
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.weights import list_weights, state_of

    rows = [
        {"id": w.id, "act": w.act_id, "name": w.name, "digest": w.digest, "size": w.size,
         "state": state_of(w)}
        for w in list_weights(instance_actor())
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['digest']}  {row['size']:,}  {row['state']}  {row['name']}")


@weights.command(context_settings={"ignore_unknown_options": True})
@click.argument("weights_id", metavar="ID")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@instance_option
def serve(weights_id: str, command: tuple[str, ...], folder: Path | None) -> None:
    """Open weights in memory for a model server of the office's own, until that ends.

    {weights} in the command is the path of the file. A run with custody weights-here then names
    the server's address. Where the weights can't be served, a stand-in can be: it reads none.

    Example: vedette bench weights serve weights-2222222222222222 -- vedette subject serve mutator
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.weights import opened_weights

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with opened_weights(instance_actor(), weights_id) as path:
        try:
            server = subprocess.Popen([part.replace(PLACE, str(path)) for part in command])
        except OSError as error:
            raise BadInput(f"{command[0]}: {error.strerror}", kept="the weights, sealed") from None
        try:
            code = server.wait()
        finally:
            server.terminate()
            server.wait()
    if code:
        raise AnswerIsNo(f"the model server ended with {code}", kept="the weights, sealed")


@weights.command()
@click.argument("weights_id", metavar="ID")
@instance_option
def close(weights_id: str, folder: Path | None) -> None:
    """Say that weights are put away whose server was killed.

    Example: vedette bench weights close weights-2222222222222222
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.weights import close_weights

    close_weights(instance_actor(), weights_id)
    click.echo(f"{weights_id}: sealed")
