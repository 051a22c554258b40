"""`vedette subject serve` says where it listens, and ends when it is told to."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

VEDETTE = Path(sys.executable).with_name("vedette")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stand_in_ends_by_either_signal(how: signal.Signals) -> None:
    command = [str(VEDETTE), "subject", "serve", "null", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith(b"http://127.0.0.1:")
        serving.send_signal(how)
        _, said = serving.communicate(timeout=20)
    assert serving.returncode == 0
    assert said == b""
