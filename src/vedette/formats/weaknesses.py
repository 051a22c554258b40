"""Names of the weaknesses that advisories name most, as CSAF wants them beside the id.

Source: MITRE, Common Weakness Enumeration. An id without a name here is given without it.
"""

from __future__ import annotations

import json
from importlib import resources

CWE_NAMES: dict[str, str] = json.loads(
    resources.files("vedette.formats").joinpath("data", "cwe_names.json").read_text("utf-8")
)
