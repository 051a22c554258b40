"""Inspect through the lab's proxy, in both dialects: both sides count each attempt alike."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from tests.services.flow import CLOSES, MODEL
from tests.web.test_proxy_clients import one_connection, opened, stand_in

from vedette.bench.results import MeteredCall
from vedette.runner.inspect.metering import Meter
from vedette.services.testing import Fixture

__all__ = ["one_connection", "stand_in"]
PURPOSE = {"X-Vedette-Purpose": "confirmation"}


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def site() -> Iterator[tuple[str, Callable[[Callable[[], Any]], Any]]]:
    """The site's address, and what serves it in this thread while something runs in another.

    A database that exists in a test's own transaction is seen by its own thread alone.
    """
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
        server.timeout = 0.05

        def while_served(work: Callable[[], Any]) -> Any:
            found: list[Any] = []

            def run() -> None:
                try:
                    found.append(work())
                except Exception as error:
                    found.append(error)

            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            while thread.is_alive():
                server.handle_request()
            return found[0]

        yield f"http://127.0.0.1:{server.server_address[1]}", while_served


pytestmark = pytest.mark.any_database


def ask(url: str, credential: str, dialect: str, calls: list[MeteredCall]) -> Any:
    from vedette.runner.inspect.models import metered_model

    subject = {
        "kind": "endpoint",
        "dialect": dialect,
        "model": MODEL,
        "base_url": f"{url}/proxy/v1",
        "api_key": credential,
        "headers": PURPOSE,
        "model_args": {},
    }

    async def go() -> Any:
        model, on_the_wire = metered_model(subject, Meter("subject", calls.append))
        assert on_the_wire
        async with model:
            return await model.generate("Name one animal.")

    return asyncio.run(go())


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_inspect_asks_and_both_sides_count_alike(
    lab: Fixture,
    stand_in: Any,
    dialect: str,
) -> None:
    caller, seen = opened(lab, stand_in, dialect), list[MeteredCall]()
    with site() as (url, while_served):
        answer = while_served(lambda: ask(url, caller.credential, dialect, seen))
    assert answer.completion, "it answered"
    (call,), (counted,) = seen, caller.calls()
    assert (call.request_id, call.status) == (counted.request_id, counted.status)
    assert call.status == 200
    assert (call.input_tokens, call.output_tokens) == (counted.input_tokens, counted.output_tokens)
    assert answer.usage.output_tokens == counted.output_tokens > 0
    assert call.build == counted.build != "", "and which build it was"


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_inspect_is_refused_once_and_does_not_try_again(
    lab: Fixture,
    stand_in: Any,
    dialect: str,
) -> None:
    caller, seen = opened(lab, stand_in, dialect), list[MeteredCall]()
    caller.story.lab.clock.time = CLOSES
    with site() as (url, while_served):
        error = while_served(lambda: ask(url, caller.credential, dialect, seen))
    assert "the window ended at" in str(error)
    assert [(call.status, call.refused) for call in seen] == [(403, "after-window")]
    assert [call.status for call in caller.calls()] == [403]
