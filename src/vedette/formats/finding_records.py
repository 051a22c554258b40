"""Records of other formats → a finding's JSON values, which Finding.parse then checks.

Nothing here trusts a type: what has another shape than the format says is left out, and the
finding's own validation names what is then missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_CWE_TAG = re.compile(r"(?:external/cwe/)?cwe-0*([1-9][0-9]{0,5})", re.IGNORECASE)


def from_osv(record: Any) -> dict[str, Any]:
    """Map one OSV record: its summary is the title, its packages the product."""
    record = _object(record)
    affected = _object(_first(record.get("affected")))
    package = _object(affected.get("package"))
    summary, details = _string(record.get("summary")), _string(record.get("details"))
    specific = _object(record.get("database_specific"))
    return {
        "id": record.get("id"),
        "title": (summary or details.strip().split("\n", 1)[0])[:300],
        "description": details,
        "product": _string(package.get("name")),
        "component": _string(package.get("purl")),
        "cwe": [w for w in _list(specific.get("cwe_ids")) if isinstance(w, str)],
        "references": [
            url for r in _list(record.get("references")) if (url := _string(_object(r).get("url")))
        ],
    }


def from_csaf(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Map each vulnerability of a CSAF document; the publisher is the reporter."""
    head = _object(_object(document).get("document"))
    tracking = _string(_object(head.get("tracking")).get("id"))
    names = dict(_product_names(_object(document).get("product_tree"), 0))
    vulnerabilities = _list(_object(document).get("vulnerabilities"))
    for index, item in enumerate(vulnerabilities):
        vulnerability = _object(item)
        status = _object(vulnerability.get("product_status"))
        concerned = _list(status.get("known_affected")) + _list(status.get("under_investigation"))
        products = [names[p] for p in concerned if isinstance(p, str) and p in names]
        notes = [_string(_object(n).get("text")) for n in _list(vulnerability.get("notes"))]
        own = _string(vulnerability.get("cve")) or f"{tracking}#{index}"
        yield (
            f"vulnerabilities[{index}]",
            {
                "id": own if len(vulnerabilities) > 1 or not tracking else tracking,
                "title": _string(vulnerability.get("title")) or _string(head.get("title")),
                "description": "\n\n".join(filter(None, notes)),
                "product": products[0] if products else "",
                "cwe": [i for i in [_string(_object(vulnerability.get("cwe")).get("id"))] if i],
                "references": [
                    url
                    for r in _list(vulnerability.get("references"))
                    if (url := _string(_object(r).get("url")))
                ],
                "reporter": _string(_object(head.get("publisher")).get("name")),
            },
        )


def _product_names(node: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Yield product id and name of every product in a tree, whose depth the reader bounds."""
    node = _object(node)
    products = [node.get("product"), *_list(node.get("full_product_names"))]
    for product in map(_object, products):
        if isinstance(product.get("product_id"), str):
            yield product["product_id"], _string(product.get("name"))
    if depth < 64:
        for branch in _list(node.get("branches")):
            yield from _product_names(branch, depth + 1)


def from_sarif(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Map each result of each run; the tool is the reporter."""
    for number, run in enumerate(_list(_object(document).get("runs"))):
        driver = _object(_object(_object(run).get("tool")).get("driver"))
        rules = {
            rule["id"]: rule
            for rule in map(_object, _list(driver.get("rules")))
            if isinstance(rule.get("id"), str)
        }
        for index, item in enumerate(_list(_object(run).get("results"))):
            result = _object(item)
            rule = rules.get(_string(result.get("ruleId")), {})
            yield f"runs[{number}].results[{index}]", _sarif_result(result, rule, driver)


def _sarif_result(
    result: dict[str, Any], rule: dict[str, Any], driver: dict[str, Any]
) -> dict[str, Any]:
    message = _string(_object(result.get("message")).get("text"))
    location = _object(_first(result.get("locations")))
    physical = _object(location.get("physicalLocation"))
    logical = _object(_first(location.get("logicalLocations")))
    stack = _object(_first(result.get("stacks")))
    description = _string(_object(rule.get("shortDescription")).get("text"))
    tags = _list(_object(rule.get("properties")).get("tags"))
    return {
        "id": result.get("guid"),
        "title": (message or description or _string(result.get("ruleId"))).split("\n", 1)[0][:300],
        "description": "\n\n".join(filter(None, [message, description])),
        "file": _place(physical),
        "function": _string(logical.get("fullyQualifiedName")) or _string(logical.get("name")),
        "cwe": [f"CWE-{m[1]}" for t in tags if isinstance(t, str) and (m := _CWE_TAG.fullmatch(t))],
        "stack": [_frame(_object(frame)) for frame in _list(stack.get("frames"))],
        "reporter": _string(driver.get("name")),
    }


def _place(physical: dict[str, Any]) -> str:
    uri = _string(_object(physical.get("artifactLocation")).get("uri"))
    line = _object(physical.get("region")).get("startLine")
    return f"{uri}:{line}" if uri and isinstance(line, int) else uri


def _frame(frame: dict[str, Any]) -> str:
    location = _object(frame.get("location"))
    logical = _object(_first(location.get("logicalLocations")))
    physical = _object(location.get("physicalLocation"))
    name = _string(logical.get("fullyQualifiedName")) or _string(logical.get("name"))
    return name or _place(physical) or "?"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(value: Any) -> Any:
    return next(iter(_list(value)), None)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
