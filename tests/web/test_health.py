"""Health and metrics, from near and from afar."""

from __future__ import annotations

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
