"""`vedette subject`: reference subjects, stand-ins for a model."""

from __future__ import annotations

import click


@click.group()
def subject() -> None:
    """Reference subjects, stand-ins for a model.

    Example: vedette subject serve mutator --port 8731
    """


@subject.command()
@click.argument("name", type=click.Choice(["mutator", "null", "random", "talker"]))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--as", "model", default="", metavar="MODEL", help="The model id to answer to [its own name]."
)
@click.option("--key", default="", help="Bearer key that callers must then give.")
@click.option(
    "--key-env", default="", metavar="VAR", help="Take the key from this environment variable."
)
@click.option("--build", default="", help="The talker's build: its name changes its odds.")
@click.option(
    "--drift",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="How far the talker's build is from the common one.",
)
def serve(
    name: str,
    port: int,
    host: str,
    model: str,
    key: str,
    key_env: str,
    build: str,
    drift: float,
) -> None:
    """Serve a stand-in behind OpenAI's and Anthropic's APIs until interrupted or terminated.

    Prints the base URL on stdout once it listens. `mutator` is a simple but real finder: it reads
    the sample inputs, runs mutations of them through the tools, and submits the first crash.
    `talker` answers questions in words, with a model's sampling noise. With --as it answers in the
    place of a model of that name.

    Example: vedette subject serve mutator --port 8731
    """
    import os
    import signal

    from vedette.kernel.errors import BadInput
    from vedette.runner.subjects.server import SubjectServer
    from vedette.runner.subjects.talker import Talker

    if key_env and not os.environ.get(key_env):
        raise BadInput(f"--key-env: {key_env} is not set", next_step=f"export {key_env}=...")
    given = key or os.environ.get(key_env, "")
    talker = Talker(build, drift)
    server = SubjectServer(name, host=host, port=port, key=given, talker=talker, model=model)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        click.echo(server.url)
        server.serve_forever(0.1)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
