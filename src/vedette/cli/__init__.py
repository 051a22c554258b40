"""The commands. Each module here holds one group or command and imports its room lazily.

Exit codes: 0 done, 1 the answer is no, 2 bad input, usage, refused or an extra missing,
3 our own fault. Errors are one line on stderr; `--json` goes to stdout.
"""

from __future__ import annotations

import errno
import io
import sys
from typing import Any, NoReturn

import click

from vedette import __version__
from vedette.cli.lazy import LazyGroup, Table
from vedette.kernel.errors import VedetteError

COMMANDS: Table = {
    "backup": ("vedette.site.commands", "backup", "Copy an instance into one file."),
    "bench": (".bench", "bench", "Run suites on subjects, and read the statistics."),
    "check": (
        "vedette.site.commands",
        "check",
        "Say what is misconfigured or weaker than recommended.",
    ),
    "document": (
        "vedette.cli.document",
        "document",
        "Make a marked copy of a document; tell whose a copy is.",
    ),
    "exchange": (
        "vedette.cli.exchange",
        "exchange",
        "Send and receive signed messages, by network or file.",
    ),
    "feeds": (".feeds", "feeds", "Keep public feeds of advisories in a folder."),
    "findings": (".findings", "findings", "Import findings, find duplicates."),
    "index": (".match", "index", "Build the advisory index that match reuses."),
    "init": ("vedette.site.commands", "init", "Found an instance."),
    "inventory": (
        "vedette.cli.inventory",
        "inventory",
        "Take this machine's inventory; check how a list is read.",
    ),
    "invite": ("vedette.site.commands", "invite", "Invite a person to an instance."),
    "ledger": (".ledger", "ledger", "Export and verify ledgers."),
    "match": (".match", "match", "Match inventories against advisories."),
    "migrate": ("vedette.site.commands", "migrate", "Bring an instance's database up to date."),
    "pack": (".pack", "pack", "Show the policy pack in force; adopt another."),
    "plan": (".plan", "plan", "Plan a release, backwards from the partner release."),
    "priority": (
        "vedette.cli.priority",
        "priority",
        "Give a vulnerability its deadline by the policy pack.",
    ),
    "publish": (
        "vedette.cli.publish",
        "publish",
        "Write a case's advisory in a format of the field.",
    ),
    "reads": ("vedette.site.commands", "reads", "Say up to which marking a member reads."),
    "restore": ("vedette.site.commands", "restore", "Bring an instance back from a backup file."),
    "serve": ("vedette.site.commands", "serve", "Serve an instance: portal, API, exchange, proxy."),
    "subject": (
        "vedette.cli.subject",
        "subject",
        "Serve a reference subject in the place of a model.",
    ),
    "token": ("vedette.site.commands", "token", "Make an API token for a person."),
    "watch": (".watch", "watch", "Tell what is new for an inventory, matched at home."),
    "worker": ("vedette.site.commands", "worker", "Run an instance's jobs and deadlines."),
}


@click.group(
    cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__)
def vedette() -> None:
    """A head start for defenders on frontier AI."""


def main(args: list[str] | None = None) -> Any:
    """Run the command line and exit with the contract's code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # what its encoding lacks is written escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        # without standalone mode click returns the code of an early exit instead of raising
        returned = vedette.main(args=args, prog_name="vedette", standalone_mode=False)
    except VedetteError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.Abort:
        _fail("stopped", 130)
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        hint = f"; next: {where} --help" if where else ""
        _fail(error.format_message().replace("\n", " ") + hint, 2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            _fault(error)
        _fail(f"no room left ({error.strerror}); next: make room, and run it again", 2)
    except ModuleNotFoundError as error:
        extra = EXTRA_OF.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        _fail(
            f"this command needs the extra [{extra}] ({error.name} is missing)"
            f"; next: pip install 'vedette[{extra}]'",
            2,
        )
    except Exception as error:
        _fault(error)
    sys.exit(returned if isinstance(returned, int) else 0)


# the top-level module whose absence tells that an extra is missing -> that extra
EXTRA_OF = {
    "numpy": "stats",
    "scipy": "stats",
    "rensa": "stats",
    "django": "server",
    "ninja": "server",
    "allauth": "server",
    "django_tasks": "server",
    "inspect_ai": "bench",
    "matplotlib": "bench",
    "typst": "server",
    "openai": "bench",
    "httpx": "server",
    "ray": "ray",
}


def _fault(error: Exception) -> NoReturn:
    said = f"our own fault: {type(error).__name__}: {error}"
    _fail(f"{said}; next: report this line, with the command and its input", 3)


def _fail(line: str, code: int) -> NoReturn:
    click.echo(f"vedette: {line}", err=True)
    sys.exit(code)
