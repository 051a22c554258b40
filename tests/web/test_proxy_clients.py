"""The makers' own clients through the lab's proxy: whole and streamed, counted, errors in form."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from tests.services.flow import CLOSES, MODEL, LabStory, session_of
from tests.web import openai_model
from tests.web.test_proxy import Caller

from vedette.kernel.bounds import from_text
from vedette.runner.subjects.server import served
from vedette.services import access
from vedette.services.testing import Fixture

if TYPE_CHECKING:  # slow to import, and only this file needs them
    import anthropic
    import openai

KEY = "sk-the-labs-own"
ASKED: Any = [{"role": "user", "content": "Name one animal."}]
BASE = "http://testserver/proxy/v1"

pytestmark = pytest.mark.any_database


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """As Django's own client does: a request does not close the connection of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def stand_in() -> Iterator[Any]:
    with served("talker", key=KEY) as server:
        yield server


def opened(lab: Fixture, server: Any, dialect: str, url: str = "") -> Caller:
    story, url = LabStory.start(lab), url or server.url
    access.add_endpoint(
        story.lead, MODEL, url, KEY, "b1", "on", upstream_model="talker", dialect=dialect
    )
    act_id = story.opened()
    session_id = story.session(act_id)
    (message,) = story.office.received("access.opened")
    assert message.body["dialect"] == dialect
    secret = story.office.keys.open(from_text(message.body["credential"], field="x")).decode()
    return Caller(story, server, act_id, session_id, secret)


def http(flavour: Any) -> Any:
    """A client that reaches this process's own site, and stamps each attempt."""
    numbers = itertools.count()

    def stamp(request: Any) -> None:
        request.headers["X-Vedette-Request"] = f"attempt-{next(numbers)}"
        request.headers["X-Vedette-Purpose"] = "confirmation"

    return flavour.Client(
        transport=flavour.WSGITransport(app=get_wsgi_application()),
        event_hooks={"request": [stamp]},
    )


def claude(caller: Caller) -> anthropic.Anthropic:
    import anthropic

    return anthropic.Anthropic(
        base_url="http://testserver/proxy", api_key=caller.credential, http_client=http(httpx2)
    )


def gpt(caller: Caller) -> openai.OpenAI:
    import openai

    return openai.OpenAI(base_url=BASE, api_key=caller.credential, http_client=http(httpx))


def test_anthropics_client_whole_and_streamed(lab: Fixture, stand_in: Any) -> None:
    caller = opened(lab, stand_in, "anthropic")
    client = claude(caller)
    found = client.messages.create(model=MODEL, max_tokens=64, messages=ASKED)
    assert found.content[0].text
    with client.messages.stream(model=MODEL, max_tokens=64, messages=ASKED) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[0].text
    whole, streamed = caller.calls()
    assert (whole.input_tokens, whole.output_tokens) == (
        found.usage.input_tokens,
        found.usage.output_tokens,
    )
    assert (streamed.input_tokens, streamed.output_tokens) == (
        final.usage.input_tokens,
        final.usage.output_tokens,
    )
    assert [call.ended for call in (whole, streamed)] == ["whole", "whole"]
    assert client.models.list().data[0].id == MODEL


def test_anthropics_client_reads_refusals(lab: Fixture, stand_in: Any) -> None:
    import anthropic

    caller = opened(lab, stand_in, "anthropic")
    client = claude(caller)
    with pytest.raises(anthropic.NotFoundError, match="this session is for the model"):
        client.messages.create(model="another", max_tokens=8, messages=ASKED)
    with pytest.raises(anthropic.RateLimitError, match="state a lower limit"):
        client.messages.create(model=MODEL, max_tokens=2_000_000, messages=ASKED, stream=True)
    caller.story.lab.clock.time = CLOSES
    with pytest.raises(anthropic.PermissionDeniedError, match="the window ended at"):
        client.messages.create(model=MODEL, max_tokens=8, messages=ASKED)
    # a refusal is not tried again by the client
    assert [call.status for call in caller.calls()] == [404, 429, 403]


def test_openais_client_whole_and_streamed(lab: Fixture, stand_in: Any) -> None:
    caller = opened(lab, stand_in, "openai")
    client = gpt(caller)
    found = client.chat.completions.create(model=MODEL, messages=ASKED)
    assert found.choices[0].message.content
    stream = client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    chunks = list(stream)
    whole, streamed = caller.calls()
    assert whole.output_tokens == found.usage.completion_tokens
    assert streamed.output_tokens == chunks[-1].usage.completion_tokens
    assert session_of(caller.session).tokens_used == sum(
        call.input_tokens + call.output_tokens for call in (whole, streamed)
    )
    assert client.models.list().data[0].id == MODEL


@pytest.fixture
def older_and_newer(lab: Fixture) -> Iterator[Caller]:
    """A session to a model that speaks text completions and Responses."""
    with openai_model.running() as url:
        yield opened(lab, None, "openai", url)


def test_openais_client_completes_text_whole_and_streamed(older_and_newer: Caller) -> None:
    ask = gpt(older_and_newer).completions.create
    found = ask(model=MODEL, prompt="Name one animal.", max_tokens=64)
    assert found.choices[0].text == openai_model.TEXT
    stream = ask(model=MODEL, prompt="Name one animal.", max_tokens=64, stream=True)
    pieces = [chunk.choices[0].text for chunk in stream if chunk.choices]
    assert pieces == list(openai_model.PIECES)
    counted = [(call.input_tokens, call.output_tokens) for call in older_and_newer.calls()]
    assert counted == [(5, 8), (5, 8)], "the stream was asked to name its usage on its way"
    assert session_of(older_and_newer.session).tokens_used == 26


def test_openais_client_responds_whole_and_streamed(older_and_newer: Caller) -> None:
    client = gpt(older_and_newer)
    found = client.responses.create(model=MODEL, input="Name one animal.")
    assert found.output_text == openai_model.TEXT
    with client.responses.stream(model=MODEL, input="Name one animal.") as stream:
        pieces = [e.delta for e in stream if e.type == "response.output_text.delta"]
        whole = list(client.responses.create(model=MODEL, input="One more.", stream=True))[-1]
    assert pieces == list(openai_model.PIECES)
    assert whole.response.usage.output_tokens == 9
    calls = older_and_newer.calls()
    assert [(call.input_tokens, call.output_tokens) for call in calls] == [(6, 9)] * 3
    assert [call.ended for call in calls] == ["whole"] * 3


def test_a_dialect_that_is_not_spoken_there_is_refused_in_the_callers_form(
    lab: Fixture, stand_in: Any
) -> None:
    import anthropic

    caller = opened(lab, stand_in, "openai")
    with pytest.raises(anthropic.NotFoundError, match="in the dialect of openai"):
        claude(caller).messages.create(model=MODEL, max_tokens=8, messages=ASKED)
    assert [call.status for call in caller.calls()] == [404]


def test_what_could_not_be_counted_is_refused(lab: Fixture, stand_in: Any) -> None:
    import openai

    caller = opened(lab, stand_in, "openai")
    with pytest.raises(openai.BadRequestError, match="background"):
        gpt(caller).responses.create(model=MODEL, input="hello", background=True)
    assert [call.status for call in caller.calls()] == [400]
