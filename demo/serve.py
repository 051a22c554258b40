"""Open the demo's portals: `python demo/serve.py [--out demo-out] [--port 8700]`.

Starts the four instances that `demo/run.py` left, each with its worker, and one start page that
lists the portals and the demo sign-ins. Ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo.stage import PASSWORD, VEDETTE, Instance, Stopped, run, stop

FILES = {
    "/report.html": "The assessment, with its plot",
    "/timeline.html": "The whole story, woven from four ledgers",
    "/lead-time.csv": "What each operator gained",
}
KINDS = {".html": "text/html; charset=utf-8", ".csv": "text/csv; charset=utf-8"}
STYLE = (
    "body{margin:0;font:17px/1.55 system-ui,sans-serif;color:#1b1b1b;background:#f7f8f9}"
    "main{max-width:1080px;margin:0 auto;padding:40px 20px 80px}h1{margin:0 0 8px;font-size:2rem}"
    ".grid{display:grid;gap:20px;grid-template-columns:repeat(auto-fit,minmax(300px,1fr))}"
    "section{background:#fff;border:1px solid #dfe1e2;border-top:4px solid #1a4480;padding:20px}"
    "h2{margin:0;font-size:1.2rem}ul{padding-left:18px;margin:8px 0}a{color:#1a4480}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{text-align:left;vertical-align:top;padding:5px 8px 5px 0;border-top:1px solid #eef0f1}"
    "code{background:#eef0f1;padding:1px 5px}.quiet{color:#565c65}"
)


def read_stage(out: Path) -> dict[str, Any]:
    """What the demo left; raises Stopped where it left nothing."""
    try:
        return dict(json.loads((out / "stage.json").read_text("utf-8")))
    except (OSError, ValueError):
        raise Stopped(f"{out} holds no finished demo; next: make demo") from None


@contextmanager
def running(out: Path, stage: dict[str, Any]) -> Iterator[None]:
    """The four instances, as long as the block lasts."""
    env = {**os.environ, "VEDETTE_CLOCK": str(out / "clock")}
    instances = [
        Instance(profile, out / each["folder"], each["port"], env)
        for profile, each in stage.items()
    ]
    try:
        for instance in instances:
            run([*VEDETTE, "migrate", "--instance", str(instance.folder)], env=env)
            instance.start()
        for instance in instances:
            instance.wait_until_ready()
        yield
    finally:
        stop(instances)


def start_page(stage: dict[str, Any]) -> str:
    """Where everything is, and who may sign in."""
    cards = "".join(_card(profile, each) for profile, each in stage.items())
    files = "".join(f'<li><a href="{path}">{escape(what)}</a></li>' for path, what in FILES.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Vedette demo</title><style>{STYLE}</style></head><body><main>"
        "<h1>Vedette demo</h1><p>Four instances that share nothing but signed messages, a signed"
        f" index and metered calls. Everybody's password is <code>{PASSWORD}</code>; each person"
        " sees only what their role may.</p>"
        f'<div class="grid">{cards}</div><h2>What the demo left</h2><ul>{files}</ul>'
        '<p class="quiet">All names are invented. The clock is simulated, and stands where the'
        " story ended.</p></main></body></html>"
    )


def _card(profile: str, each: dict[str, Any]) -> str:
    people = "".join(
        f"<tr><td>{escape(p['name'])}<br><span class=quiet>{escape(p['role'])}</span></td>"
        f"<td><code>{escape(p['email'])}</code></td></tr>"
        for p in each["people"]
    )
    return (
        f'<section><h2><a href="http://127.0.0.1:{each["port"]}/">{escape(each["name"])}</a></h2>'
        f'<p class="quiet">{escape(profile)}, port {each["port"]}</p>'
        f'<table><thead><tr><th scope="col">Who</th><th scope="col">Sign in as</th></tr></thead>'
        f"<tbody>{people}</tbody></table></section>"
    )


def serve_start_page(out: Path, stage: dict[str, Any], port: int) -> None:
    page = start_page(stage).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self.answer(page, KINDS[".html"])
            elif self.path in FILES:
                file = out / self.path.removeprefix("/")
                self.answer(file.read_bytes(), KINDS[file.suffix])
            else:
                self.send_error(404)

        def answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the terminal for the addresses."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(
            f"Start page: http://127.0.0.1:{server.server_address[1]}/   (Ctrl-C ends)", flush=True
        )
        server.serve_forever()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo-out"))
    parser.add_argument("--port", type=int, default=8700)
    given = parser.parse_args()
    # ended by a service manager or by Ctrl-C, the instances end as well
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = given.out.resolve()
    try:
        stage = read_stage(out)
        print("Opening four portals, each with its worker …", flush=True)
        with running(out, stage):
            for profile, each in stage.items():
                print(f"{profile:14} http://127.0.0.1:{each['port']}/  {each['name']}")
                for person in each["people"]:
                    print(f"{'':14}   {person['email']}  ({person['role']})")
            print(f"Everybody's password: {PASSWORD}")
            serve_start_page(out, stage, given.port)
    except KeyboardInterrupt:
        return 0
    except (Stopped, OSError, subprocess.SubprocessError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
