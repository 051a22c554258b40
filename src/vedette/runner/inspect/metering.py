"""Metering: every HTTP attempt of a model's client gets a request id and is recorded.

The client that the model's SDK would make is subclassed, so that whatever flavour of httpx the SDK
uses is kept. An attempt is recorded when its answer has been read, or when it failed: retries are
attempts of their own. Usage comes from the JSON answer, or from the last stream chunk that has it;
our own count stands beside it. What an endpoint does wrong is bounded in time and size, and said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import anyio
from openai import DefaultAsyncHttpxClient

from vedette.bench.counting import count
from vedette.bench.results import MeteredCall
from vedette.kernel.clock import format_time
from vedette.kernel.ids import new_id
from vedette.runner.inspect import answers
from vedette.runner.inspect.answers import EndpointFault, Tap, refusal

REQUEST_HEADER = "X-Vedette-Request"
PURPOSE_HEADER = "X-Vedette-Purpose"
BUILD_HEADER = "X-Vedette-Build"
REFUSED_HEADER = "X-Vedette-Refused"

# the item and trial whose solver is running, so that a call can be put to its sample
CURRENT: ContextVar[tuple[str, int]] = ContextVar("vedette_current_sample", default=("", 0))


class Meter:
    """Counts one subject's calls and hands each to `record`."""

    def __init__(self, subject: str, record: Callable[[MeteredCall], None]) -> None:
        self.subject = subject
        self._record = record
        self._sums: dict[tuple[str, int], list[int]] = {}
        self._faults: dict[tuple[str, int], str] = {}

    def note(
        self,
        request_id: str,
        started: datetime,
        status: int,
        usage: tuple[int, int],
        seconds: float,
        said: tuple[str, str] = ("", ""),
        passed: tuple[int, int] | None = None,
        fault: str = "",
    ) -> None:
        """Record one attempt of the running sample.

        Args:
            said: the build and refusal that it names.
            passed: characters sent and received, where the call was seen on the wire.
            fault: what the endpoint did wrong.
        """
        item, trial = CURRENT.get()
        own, odd, charged = (0, 0), "", usage
        if passed is not None:
            found = count(usage, status=status, sent=passed[0], received=passed[1])
            own, odd, charged = found.own, found.odd, found.charged
        sums = self._sums.setdefault((item, trial), [0, 0, 0, 0])
        for index, amount in enumerate((1, *usage, sum(charged))):
            sums[index] += amount
        self._faults[item, trial] = fault
        moment = format_time(started)
        self._record(
            MeteredCall(
                *(request_id, self.subject, item, trial, moment, status),
                *(*usage, seconds, *said),
                own_input=own[0],
                own_output=own[1],
                odd=(fault or odd)[:200],
            )
        )

    def sums(self, item: str, trial: int) -> tuple[int, int, int]:
        """Return calls, input tokens and output tokens of one sample so far, as claimed."""
        calls, read, written, _ = self._sums.get((item, trial), (0, 0, 0, 0))
        return calls, read, written

    def charged(self, item: str, trial: int) -> int:
        """Return the tokens that one sample's budget is charged so far."""
        return self._sums.get((item, trial), [0])[-1]

    def fault(self, item: str, trial: int) -> str:
        """Return what the endpoint did wrong in a sample's last call, "" where nothing."""
        return self._faults.get((item, trial), "")


class MeteredClient(DefaultAsyncHttpxClient):
    """The SDK's own client, with each attempt stamped, metered and bounded."""

    def __init__(self, meter: Meter, headers: Mapping[str, str], *, trust_env: bool = True) -> None:
        super().__init__(follow_redirects=False, trust_env=trust_env)
        self._meter = meter
        self._stamp = dict(headers)

    async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Send one attempt; it is recorded when the reader is done with its answer."""
        request_id = new_id("call")
        request.headers.update({**self._stamp, REQUEST_HEADER: request_id})
        request.headers["Accept-Encoding"] = "identity"
        started, clock = datetime.now(UTC), time.monotonic()
        sent = len(getattr(request, "content", b""))

        def note(
            status: int, headers: Mapping[str, str], usage: tuple[int, int], said: int, fault: str
        ) -> None:
            told = headers.get(BUILD_HEADER, "")[:40], headers.get(REFUSED_HEADER, "")[:40]
            spent = time.monotonic() - clock
            passed = sent, said
            self._meter.note(request_id, started, status, usage, spent, told, passed, fault)

        try:
            with anyio.fail_after(answers.FIRST_BYTE_SECONDS):
                response = await super().send(request, stream=True, **options)
        except TimeoutError:
            fault = f"the endpoint gave no answer within {answers.FIRST_BYTE_SECONDS:.0f} s"
            note(0, {}, (0, 0), 0, fault)
            raise EndpointFault(fault) from None
        except Exception as error:
            note(0, {}, (0, 0), 0, f"the endpoint gave no answer ({type(error).__name__})")
            raise
        except BaseException:  # the sample's own limit
            waited = time.monotonic() - clock
            note(0, {}, (0, 0), 0, f"the endpoint had given no answer for {waited:.0f} s")
            raise

        def end(usage: tuple[int, int], said: int, fault: str) -> None:
            if not fault and response.status_code >= 300:
                fault = f"the endpoint answered {response.status_code}"
            elif not fault and not said and not any(usage):
                fault = "the endpoint's answer held nothing that could be read"
            note(response.status_code, response.headers, usage, said, fault)

        Tap(response, end, streamed=stream)
        if not stream:
            try:
                await response.aread()
            except EndpointFault as fault:
                return refusal(response, fault)
        return response
