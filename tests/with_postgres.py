"""Run a command against a throw-away PostgreSQL on a unix socket.

    python tests/with_postgres.py COMMAND...

The role that the command gets is no superuser, so row-level security holds for it. The command
finds the database in VEDETTE_TEST_DATABASE.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

ROLE = "vedette"


def binaries() -> Path:
    """The newest installed server's programs (15 or later)."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4])
    )
    if not found:
        sys.exit("PostgreSQL is missing; next: apt-get install postgresql")
    return found[-1].parent


def as_server(argv: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *argv] if os.geteuid() == 0 else argv


def run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{argv[-1]}: {done.stderr or done.stdout}")


def main(command: list[str]) -> int:
    programs = binaries()
    folder = Path(tempfile.mkdtemp(prefix="vedette-pg-"))
    data = folder / "data"
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    folder.chmod(0o755)
    # a test database need not survive a power cut
    options = (
        f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        " -c full_page_writes=off -c autovacuum=off"
    )
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w"]
    try:
        run(as_server([str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "admin"]))
        run(as_server([*control, "-l", str(folder / "log"), "-o", options, "start"]))
        try:
            psql = [str(programs / "psql"), "-h", str(folder), "-U", "admin", "-d", "postgres"]
            run(as_server([*psql, "-c", f"CREATE ROLE {ROLE} LOGIN CREATEDB"]))
            url = f"postgresql://{ROLE}@/postgres?host={quote(str(folder), safe='')}"
            return subprocess.run(
                command, env={**os.environ, "VEDETTE_TEST_DATABASE": url}, check=False
            ).returncode
        finally:
            run(as_server([*control, "-m", "immediate", "stop"]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
