"""An instance's folder and its one TOML file; environment variables win over the file.

The folder holds `vedette.toml`, `keys/`, `db.sqlite3` (unless another database is named) and
`files/`. Every setting is in SETTINGS below, which `vedette check` and the documentation read.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from vedette.kernel.errors import BadInput
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile


@dataclass(frozen=True)
class Setting:
    """One setting: its TOML key, environment variable, default and meaning."""

    key: str
    variable: str
    default: str
    meaning: str


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "attachment_limit",
        "VEDETTE_ATTACHMENT_LIMIT",
        "8",
        "GiB that one file from a peer may have",
    ),
    Setting(
        "attachment_quota",
        "VEDETTE_ATTACHMENT_QUOTA",
        "100",
        "GiB that files from all peers may take",
    ),
    Setting("profile", "VEDETTE_PROFILE", "operator", "lab, office, clearinghouse or operator"),
    Setting("name", "VEDETTE_NAME", "", "the host organisation's name"),
    Setting("org", "VEDETTE_ORG", "", "the host organisation's id, given at founding"),
    Setting("url", "VEDETTE_URL", "http://127.0.0.1:8000", "where others reach this instance"),
    Setting("bind", "VEDETTE_BIND", "127.0.0.1:8000", "address and port that serve listens on"),
    Setting("database", "VEDETTE_DATABASE", "", "postgresql://… ; empty: db.sqlite3 in the folder"),
    Setting(
        "ceiling", "VEDETTE_CEILING", "TLP:RED", "what is marked above it is refused at the door"
    ),
    Setting(
        "classified_by",
        "VEDETTE_CLASSIFIED_BY",
        "",
        "who classifies here, on the Classified By line: name or identifier, and position",
    ),
    Setting(
        "mail", "VEDETTE_MAIL", "folder", "folder (files/mail), or smtp://user:password@host:port"
    ),
    Setting("mail_from", "VEDETTE_MAIL_FROM", "vedette@localhost", "sender of mail"),
    Setting(
        "feeds",
        "VEDETTE_FEEDS",
        "",
        "a folder of `vedette feeds sync` (from the instance's own): synced and taken every night",
    ),
    Setting(
        "ask_daily",
        "VEDETTE_ASK_DAILY",
        "no",
        "yes: an operator's instance asks in private once a day, where it has early warning",
    ),
    Setting("threads", "VEDETTE_THREADS", "128", "requests served at once; 8 stay for others"),
    Setting("demo", "VEDETTE_DEMO", "no", "yes: simulated clock and demo sign-ins are allowed"),
    Setting("clock", "VEDETTE_CLOCK", "", "a clock file; refused unless demo is yes"),
)


@dataclass(frozen=True)
class Config:
    """The settings of one instance, read and checked."""

    folder: Path
    profile: Profile
    name: str
    org: str
    url: str
    bind: str
    database: str
    ceiling: Marking
    classified_by: str
    mail: str
    mail_from: str
    threads: int
    demo: bool
    clock: Path | None
    attachment_limit: int
    attachment_quota: int
    feeds: Path | None
    ask_daily: bool


def find_instance(folder: Path | None) -> Path:
    """The instance of a command: the given folder, else VEDETTE_INSTANCE, else the current one."""
    found = folder or Path(os.environ.get("VEDETTE_INSTANCE") or ".")
    if not (found / "vedette.toml").is_file():
        raise BadInput(
            f"{found}: no instance here (vedette.toml is missing)",
            next_step="name one with --instance DIR, or found one: vedette init --profile lab DIR",
        )
    return found.resolve()


def read_config(folder: Path) -> Config:
    """Read `folder`'s settings. Raises BadInput naming the setting."""
    try:
        values = tomllib.loads((folder / "vedette.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{folder / 'vedette.toml'}: can't be read ({error})") from None
    known = {setting.key for setting in SETTINGS}
    for key in values:
        if key not in known:
            raise BadInput(
                f"vedette.toml: setting {key!r} is unknown", next_step=f"known: {sorted(known)}"
            )
    text = {
        s.key: os.environ.get(s.variable) or str(values.get(s.key, s.default)) for s in SETTINGS
    }
    if text["profile"] not in Profile.__members__.values():
        raise BadInput(f"setting profile: {text['profile']!r} is none of {', '.join(Profile)}")
    if not text["threads"].isdigit() or not 1 <= int(text["threads"]) <= 256:
        raise BadInput("setting threads: a number from 1 to 256 expected")
    for name in ("attachment_limit", "attachment_quota"):
        if not text[name].isdigit() or not 1 <= int(text[name]) <= 1_000_000:
            raise BadInput(f"setting {name}: whole GiB from 1 to 1,000,000 expected")
    demo = text["demo"].lower() in ("yes", "true", "1")
    if text["clock"] and not demo:
        raise BadInput(
            "setting clock: a simulated clock is refused outside a demo",
            next_step="unset VEDETTE_CLOCK, or found the instance with --demo",
        )
    return Config(
        folder=folder,
        profile=Profile(text["profile"]),
        name=text["name"],
        org=text["org"],
        url=text["url"].rstrip("/"),
        bind=text["bind"],
        database=text["database"],
        ceiling=Marking.parse(text["ceiling"]),
        classified_by=text["classified_by"],
        mail=text["mail"],
        mail_from=text["mail_from"],
        threads=int(text["threads"]),
        demo=demo,
        clock=Path(text["clock"]) if text["clock"] else None,
        attachment_limit=int(text["attachment_limit"]),
        attachment_quota=int(text["attachment_quota"]),
        feeds=folder / text["feeds"] if text["feeds"] else None,
        ask_daily=_yes(text["ask_daily"], "ask_daily"),
    )


def _yes(word: str, name: str) -> bool:
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if word.lower() not in known:
        raise BadInput(f"setting {name}: yes or no expected, not {word[:40]!r}")
    return known[word.lower()]


def write_config(folder: Path, values: dict[str, str]) -> None:
    """Write a new instance's vedette.toml, with a comment a setting."""
    lines = []
    for setting in SETTINGS:
        value = values.get(setting.key, setting.default)
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        mark = "" if setting.key in values else "# "
        lines += [
            f"# {setting.meaning} (or {setting.variable})",
            f'{mark}{setting.key} = "{quoted}"',
        ]
    (folder / "vedette.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
