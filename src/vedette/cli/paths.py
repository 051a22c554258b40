"""What commands over files and folders share: options of several values, checks, problems told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import click

from vedette.kernel.errors import BadInput, VedetteError

T = TypeVar("T")
P = TypeVar("P", str, Path)
PATHS = click.Path(path_type=Path)
# a path as it was given: `./a` stays so
AS_GIVEN = click.Path()
SHOWN_PROBLEMS = 20


def _spread(args: list[str], names: tuple[str, ...]) -> list[str]:
    """Rewrite `--advisories a b` as `--advisories a --advisories b`."""
    spread: list[str] = []
    current, fresh = "", False
    for position, arg in enumerate(args):
        if arg == "--":
            return spread + args[position:]
        if arg in names:
            current, fresh = arg, True
        elif arg.startswith("-") and len(arg) > 1:
            current = ""
        elif current and not fresh:
            spread.append(current)
        else:
            fresh = False
        spread.append(arg)
    return spread


class PathsCommand(click.Command):
    """A command whose path options take several values each."""

    many = ("--advisories", "--inventory", "--source", "--vex")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _spread(args, self.many))


def present(paths: tuple[P, ...]) -> tuple[P, ...]:
    """Return the paths. Raises BadInput naming the first that does not exist."""
    for path in paths:
        if not os.path.exists(path):
            raise BadInput(
                f"{path}: no such file or folder", next_step="see how its name is written"
            )
    return paths


def tell(problems: list[str]) -> None:
    """Print problems on stderr, the first of many."""
    for problem in problems[:SHOWN_PROBLEMS]:
        click.echo(f"vedette: {problem}", err=True)
    if len(problems) > SHOWN_PROBLEMS:
        click.echo(f"vedette: and {len(problems) - SHOWN_PROBLEMS:,} more", err=True)


def recalled(path: Path, read: Callable[[bytes], T], none: T) -> T:
    """What a file of our own holds; `none` where there is none, or a damaged one, which is told."""
    try:
        return read(path.read_bytes())
    except FileNotFoundError:
        return none
    except (VedetteError, ValueError, KeyError, TypeError):
        tell([f"{path}: damaged, and left aside: what it held is fetched or told anew"])
        return none


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place when it is whole, or not at all."""
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except VedetteError as error:
        if path.exists() and not error.kept:
            error.kept = f"{path} as it was"
        raise
    except OSError as error:
        raise BadInput(
            f"{path}: can't be written ({error.strerror})",
            next_step="see to its owner, its rights and the room left",
        ) from None
    finally:
        draft.unlink(missing_ok=True)
