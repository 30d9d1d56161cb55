"""Make the golden cases' module importable, and say how strictly they are compared on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))

import goldenlib
import pytest


def pytest_report_header() -> str:
    """Tell the reader when byte-for-byte comparison cannot be asked for."""
    if goldenlib.rounds_as_recorded():
        return "golden cases: compared byte for byte"
    return (
        "golden cases: this machine's C library rounds differently from the recording machine's; "
        f"1 ulp is allowed in {100 * goldenlib.DIFFERENT_PIXELS_ALLOWED:g} % of a float image's pixels, "
        "1e-5 in printed numbers; other images are compared by size"
    )


@pytest.fixture
def golden_folder() -> Path:
    """The folder of golden data and their inputs."""
    return Path(__file__).resolve().parent.parent / "golden"
