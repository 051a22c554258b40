"""`vedette init`, `invite`, `token`, `serve`, `worker`, `migrate`, `check`, `backup`, `restore`.

These found, compose and run an instance, so they stand with the composition root.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from vedette.cli.context import boot, instance_option
from vedette.kernel.permissions import Profile


@click.command()
@click.option("--profile", required=True, type=click.Choice([str(p) for p in Profile]))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--name", default="", help="The organisation's name.")
@click.option("--email", default="admin@localhost", help="The first administrator's address.")
@click.option("--url", default="", help="Where others reach it (default: http://BIND).")
@click.option("--bind", default="127.0.0.1:8000", help="Address and port to listen on.")
@click.option("--database", default="", help="postgresql://… (default: SQLite in the folder).")
@click.option("--demo", is_flag=True, help="A demo instance: a simulated clock is allowed.")
def init(
    profile: str,
    folder: Path,
    name: str,
    email: str,
    url: str,
    bind: str,
    database: str,
    demo: bool,
) -> None:
    """Found an instance: keys, organisation, default policy pack, first administrator.

    Example: vedette init --profile lab --name "Example Lab" lab
    """
    from vedette.site.founding import found_instance

    link = found_instance(
        folder,
        profile=Profile(profile),
        name=name or f"{profile} {folder.resolve().name}",
        email=email,
        url=url,
        bind=bind,
        database=database,
        demo=demo,
    )
    click.echo(f"founded in {folder}: {profile}")
    click.echo(f"first administrator ({email}), one-time link: {link}")
    click.echo("next:")
    click.echo(f"  vedette serve --instance {folder}")
    click.echo(f"  vedette exchange card --instance {folder} > {profile}.card.json")
    click.echo(f"  vedette check --instance {folder}")


@click.command()
@click.argument("email")
@click.option("--role", required=True, help="A role of this profile; a wrong one lists them.")
@click.option("--org", default="", help="Organisation (default: the host's own).")
@click.option("--kind", default="", help="Add the organisation, of this kind, if it is not here.")
@click.option("--sector", default="", help="Sector of an added organisation.")
@click.option("--small", is_flag=True, help="An added organisation is a small one.")
@instance_option
def invite(
    email: str, role: str, org: str, kind: str, sector: str, small: bool, folder: Path | None
) -> None:
    """Invite a person to an organisation on this instance; prints a one-time link.

    Example: vedette invite ann@vendor.example --role vendor --org "Acme" --kind vendor
    """
    boot(folder)
    from vedette.kernel.errors import NotFound
    from vedette.services import accounts
    from vedette.services.acting import instance_actor, reading
    from vedette.services.here import here

    actor = instance_actor()
    org_id = ""
    if org:
        try:
            with reading(actor):
                org_id = accounts.find_organisation(org).id
        except NotFound:
            if not kind:
                raise
            org_id = accounts.add_organisation(
                actor, org, kind, sector=sector, small=small, email=email
            ).id
    code = accounts.invite(actor, email, role, org_id)
    click.echo(f"{here().url}/welcome/{code}/")


@click.command()
@click.argument("email")
@click.argument("marking")
@click.option("--org", default="", help="Organisation (default: the person's first).")
@instance_option
def reads(email: str, marking: str, org: str, folder: Path | None) -> None:
    """Say up to which marking a member reads, at most up to the instance's ceiling.

    Who joins reads up to TLP:RED, and nothing classified.

    Example: vedette reads ann@office.example "SECRET//TLP:RED"
    """
    boot(folder)
    from vedette.services import accounts
    from vedette.services.acting import instance_actor, reading

    actor = instance_actor()
    with reading(actor):
        org_id = accounts.find_organisation(org).id if org else ""
    row = accounts.set_reach(actor, email, marking, org_id)
    click.echo(f"{row.person.email} ({row.org.name}) reads up to {row.marking}")


@click.command()
@click.argument("email")
@click.option("--org", default="", help="Organisation id (default: the person's first).")
@click.option("--label", default="", help="What the token is for.")
@click.option("--permission", "permissions", multiple=True, help="Fewer permissions than the role.")
@instance_option
def token(
    email: str, org: str, label: str, permissions: tuple[str, ...], folder: Path | None
) -> None:
    """Make an API token for a member; it is shown once.

    Example: vedette token ann@lab.example --label nightly
    """
    boot(folder)
    from vedette.services.accounts import make_token

    click.echo(make_token(email, org, label=label, permissions=permissions or None))


@click.command()
@click.option("--worker/--no-worker", default=True, help="Run the worker beside the server.")
@instance_option
def serve(worker: bool, folder: Path | None) -> None:
    """Serve the instance: portal, API, exchange and proxy, with its worker.

    Example: vedette serve --instance lab
    """
    boot(folder)
    from vedette.site.serving import serve_instance

    serve_instance(worker=worker)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due, then end.")
@instance_option
def worker(once: bool, folder: Path | None) -> None:
    """Run the instance's jobs and deadlines.

    Example: vedette worker --instance lab
    """
    boot(folder)
    from vedette.site.worker import work

    work(once=once)


@click.command()
@instance_option
def migrate(folder: Path | None) -> None:
    """Bring the database up to date.

    Example: vedette migrate --instance lab
    """
    boot(folder)
    from vedette.site.founding import migrate_database

    migrate_database()
    click.echo("the database is up to date")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@instance_option
def check(as_json: bool, folder: Path | None) -> None:
    """Say what is misconfigured (exit 1) or weaker than recommended.

    Example: vedette check --instance lab
    """
    boot(folder)
    from vedette.site.checking import check_instance

    results = check_instance()
    if as_json:
        click.echo(json.dumps([r.__dict__ for r in results], indent=1))
    else:
        for result in results:
            click.echo(
                f"{result.level:>5}  {result.what}"
                + (f"; {result.next_step}" if result.next_step else "")
            )
    if any(result.level == "wrong" for result in results):
        sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@instance_option
def backup(file: Path, folder: Path | None) -> None:
    """Copy an instance, its own keys included, into one file that only its owner may read.

    The keys of access windows (keys/windows/) are left out, so that destroying one reaches every
    copy; what is sealed under a lost one can't be read, and the lab can send it again.

    Example: vedette backup lab.tar.gz --instance lab
    """
    boot(folder)
    from vedette.kernel.sealing import FOLDER
    from vedette.services.vault import keeps_sealed
    from vedette.site.backups import make_backup

    size = make_backup(file)
    click.echo(f"{file}: {size:,} bytes; it holds the instance's keys, keep it as safe as them")
    if keeps_sealed():
        click.echo(f"the keys of windows stay in {FOLDER}: they are in no backup, by design")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def restore(file: Path, folder: Path) -> None:
    """Bring an instance back from a backup file, into a new or empty folder.

    Example: vedette restore lab.tar.gz lab-again
    """
    from vedette.site.backups import restore_backup

    restore_backup(file, folder)
    click.echo(f"restored to {folder}; next: vedette check --instance {folder}")
