"""`vedette pack`: the policy pack in force, and how another one gets there."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vedette.cli.context import boot, instance_option
from vedette.kernel.bounds import read_json
from vedette.kernel.errors import BadInput

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def pack() -> None:
    """Deadlines, ceilings, forms and bases are a signed, versioned pack of rules.

    Example: vedette pack show --instance lab
    """


@pack.command()
@click.option("--digest", default="", help="The pack behind a past decision, by its digest.")
@click.option("--json", "as_json", is_flag=True, help="For machines, with the rules.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to a new file, to be changed, signed and adopted.",
)
@instance_option
def show(digest: str, as_json: bool, out: Path | None, folder: Path | None) -> None:
    """Show the pack in force.

    Examples: vedette pack show --json --instance lab

    vedette pack show --out rules.json --instance office
    """
    if out is not None and out.exists():
        raise BadInput(f"--out: {out} is there already", kept="it as it was")
    boot(folder)
    from vedette.kernel.packs import plain
    from vedette.services.here import here
    from vedette.services.packs import pack_of

    found = pack_of(digest) if digest else here().pack
    if out is not None:
        whole = {"name": found.name, "version": found.version, "title": found.title}
        text = json.dumps({**whole, "rules": plain(found.rules)}, indent=1, ensure_ascii=False)
        out.write_text(text + "\n", "utf-8")
        click.echo(f"{out}: {found.ref}; give it a version of its own, then vedette pack sign")
        return
    if as_json:
        value = {"pack": found.ref, "digest": found.digest, "title": found.title}
        click.echo(json.dumps({**value, "rules": plain(found.rules)}, indent=1))
        return
    click.echo(f"{found.ref}  {found.digest}\n{found.title}")


@pack.command()
@click.argument("file", type=FILE)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@instance_option
def sign(file: Path, out: Path, folder: Path | None) -> None:
    """Sign a pack of your own with the instance's key, so that others can adopt it.

    Example: vedette pack sign rules.json --out rules.signed.json --instance office
    """
    boot(folder)
    from vedette.kernel.packs import sign_pack
    from vedette.services.here import here

    out.write_bytes(sign_pack(file.read_bytes(), here().keys))
    click.echo(f"signed by {here().name}: {out}")


@pack.command()
@click.argument("card", type=FILE)
@instance_option
def trust(card: Path, folder: Path | None) -> None:
    """Trust the packs that another instance signs, by its card.

    Example: vedette pack trust office.card.json --instance lab
    """
    found = boot(folder)
    from vedette.exchange.card import Card

    known = Card.from_json(read_json(card.read_bytes(), source=str(card)))
    keys = found / "keys" / "packs"
    keys.mkdir(mode=0o700, exist_ok=True)
    (keys / f"{known.keys.keyid[:16]}.json").write_text(json.dumps(known.to_json()) + "\n")
    click.echo(f"packs signed by {known.name} ({known.fingerprint}) can be adopted now")


@pack.command()
@click.argument("file", type=FILE)
@instance_option
def adopt(file: Path, folder: Path | None) -> None:
    """Adopt a signed pack; past decisions stay checkable under the pack then in force.

    Example: vedette pack adopt rules.signed.json --instance lab
    """
    boot(folder)
    from vedette.services.acting import instance_actor
    from vedette.services.packs import adopt_pack

    found = adopt_pack(instance_actor(), file.read_bytes())
    click.echo(f"adopted {found.ref} ({found.digest}); next: start server and worker again")
