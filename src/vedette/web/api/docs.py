"""The API's documentation as a page of this instance, and its answer to unknown addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from vedette.kernel.errors import NotFound
from vedette.web.api.root import api
from vedette.web.middleware import problem


def docs(request: HttpRequest) -> HttpResponse:
    """Every operation of the schema, by tag; nothing is loaded from elsewhere."""
    schema = api.get_openapi_schema()
    tags: dict[str, list[dict[str, Any]]] = {}
    for tag, operation in _operations(schema):
        tags.setdefault(tag, []).append(operation)
    context = {"tags": sorted(tags.items()), "info": schema["info"]}
    return render(request, "api/docs.html", context)


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in sorted(schema["paths"].items()):
        for method, operation in methods.items():
            yield (
                (operation.get("tags") or ["other"])[0],
                {
                    "path": path,
                    "method": method.upper(),
                    "id": operation["operationId"],
                    "summary": operation.get("summary", ""),
                    "description": operation.get("description", ""),
                    "parameters": operation.get("parameters", []),
                    "fields": _fields(schema, operation),
                },
            )


def _fields(schema: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The request body's fields: name, kind, whether required."""
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    found = schema["components"]["schemas"].get(name, {})
    needed = found.get("required", [])
    return [
        {"name": field, "kind": _kind(value), "required": field in needed}
        for field, value in found.get("properties", {}).items()
    ]


def _kind(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_kind(one) for one in value["anyOf"])
    if "enum" in value:
        return ", ".join(value["enum"])
    if "$ref" in value:
        return str(value["$ref"].rpartition("/")[2])
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    return str(value.get("format") or value.get("type") or "any")


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """No such address under /api/."""
    return problem(NotFound(f"no such address: {request.path[:100]}", next_step="see /api/v1/docs"))
