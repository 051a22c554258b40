"""Models for Inspect: any of Inspect's names, or an OpenAI-compatible endpoint, metered."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model

from vedette.runner.inspect.metering import Meter, MeteredClient

# providers whose SDK takes the metered client; the others are metered a model call at a time
ON_THE_WIRE = ("anthropic", "openai", "openai-api")
SERVICE = "vedette"


def metered_model(subject: Mapping[str, Any], meter: Meter) -> tuple[Model, bool]:
    """Return a subject's model, and whether its HTTP attempts are metered on the wire.

    Args:
        subject: kind ("endpoint" or "inspect"), model, base_url, api_key, headers, model_args, and
            the dialect that an endpoint speaks ("openai" unless it says so).
        meter: takes each attempt.
    """
    arguments: dict[str, Any] = dict(subject["model_args"])
    name, base_url = subject["model"], subject["base_url"] or None
    if subject["kind"] == "endpoint" and subject.get("dialect") == "anthropic":
        # this maker's client puts /v1 before its addresses itself
        name, base_url = f"anthropic/{name}", (base_url or "").removesuffix("/v1")
    elif subject["kind"] == "endpoint":
        name = f"openai-api/{SERVICE}/{name}"
        arguments.setdefault("stream", True)
    on_the_wire = name.split("/")[0] in ON_THE_WIRE
    if on_the_wire:
        arguments["http_client"] = MeteredClient(
            meter, subject["headers"], trust_env=not _is_loopback(base_url)
        )
    elif name.startswith("mockllm/"):
        arguments.setdefault("custom_outputs", _mock)
    model = get_model(
        name,
        base_url=base_url,
        api_key=subject["api_key"] or ("none" if base_url else None),
        memoize=False,
        **arguments,
    )
    return model, on_the_wire


def _is_loopback(url: str | None) -> bool:
    host = urlsplit(url or "").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mock(*_: object) -> ModelOutput:
    """Answer for `mockllm`: with usage set, Inspect needs no tokenizer to count."""
    output = ModelOutput.from_content("mockllm", "I have nothing to try.")
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output
