"""Health and metrics, from near and from afar."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from vedette.kernel.permissions import Profile
from vedette.services.testing import instance


@pytest.mark.django_db
def test_health_and_metrics(tmp_path: Path) -> None:
    with instance(Profile.LAB, tmp_path):
        client = Client()
        assert client.get("/healthz").status_code == 200
        assert b"ready" in client.get("/readyz").content
        text = client.get("/metrics").content.decode()
        assert "vedette_ledger_entries" in text
        assert client.get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 404
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 404


@pytest.mark.any_database
def test_a_server_starts_without_what_is_slow_to_load() -> None:
    names = ("duckdb", "inspect_ai", "matplotlib", "numpy", "scipy")
    code = (
        "import sys, django; django.setup(); import vedette.site.urls, vedette.site.worker;"
        f"print(*(name for name in {names} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "vedette.site.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
