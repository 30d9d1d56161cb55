"""What a miniCBF header cannot say of the geometry is said on standard error."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanobragg_py import simulate
from nanobragg_py.options.config import scan

BASE = "-default_F 10 -cell 40 50 60 -N 3 -detpixels 16 -pixel 1 -oversample 1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-mosflm", ""),
        ("-xds", ""),
        ("-denzo", ""),
        ("-mosflm -twotheta 20", "tilt or two-theta"),
        ("-mosflm -detector_roty 5", "tilt or two-theta"),
        ("-dials", "spindle that is not along the fast axis"),
        # Readers take the crystal to turn about the fast axis, in its direction.
        ("-mosflm -spindle_axis 0 0 -1", "spindle that is not along the fast axis"),
        ("-adxv", "mirrored"),
        ("-curved_det -mosflm", "a curved detector"),
    ],
)
def test_geometry_without_a_place(words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulate(scan(f"{BASE} {words}".split())[0]).save(tmp_path / "a.cbf")
    warnings = [line for line in capsys.readouterr().err.splitlines() if "no place" in line]
    assert len(warnings) == bool(said)
    assert all(said in line for line in warnings)
