"""The formats' own validators: official JSON schemas, and CSAF's mandatory tests.

Each returns what is wrong, one line a fault; an empty list means that the document passes. A line
that begins with NOT_CHECKED says that the schema or validator is absent: that is no pass.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NOT_CHECKED = "not checked: "
FAULT_LIMIT = 50


def validate_csaf(doc: dict[str, Any]) -> list[str]:
    """Check a CSAF 2.0 document against its official schema and the standard's mandatory tests."""
    try:
        from csaf.csaf.v20 import validate
    except ModuleNotFoundError as error:
        return [f"{NOT_CHECKED}no CSAF validator ({error.name} is missing): pip install csaf"]
    report = validate(doc, preset="basic")
    return [
        f"{result.id}: {error.instance_path}: {error.message}"
        for result in report.results
        if not result.passed and not result.skipped
        for error in result.errors
    ][:FAULT_LIMIT]


def validate_osv(doc: dict[str, Any], schema_path: Path | None) -> list[str]:
    """Check an OSV record against the official schema in the file `schema_path`."""
    if schema_path is None or not schema_path.is_file():
        return [f"{NOT_CHECKED}no OSV schema at {schema_path or 'the path given'}"]
    try:
        from jsonschema import (
            Draft202012Validator,
            FormatChecker,
        )
    except ModuleNotFoundError as error:
        return [f"{NOT_CHECKED}{error.name} is missing: pip install jsonschema"]
    schema = json.loads(schema_path.read_text("utf-8"))
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    faults = (f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(doc))
    return [fault for fault, _ in zip(faults, range(FAULT_LIMIT), strict=False)]
