"""Tables of structure factors against angle: the three scales, and what is wrong with a line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from nanobragg_py.base.errors import InputError
from nanobragg_py.formats.stol import read_stol


def test_scales(tmp_path: Path) -> None:
    """The same angle as stol, 4 stol and Q."""
    for option, factor in (("-stol", 1.0), ("-4stol", 4.0), ("-Q", 4.0 * math.pi)):
        path = tmp_path / f"{option}.stol"
        path.write_text(f"\n0 2.5\n{0.25 * factor!r}, {3.5!r}\n")
        table = read_stol(str(path), option)
        assert table.points == 6
        assert math.isclose(table.stol_per_m[3], 0.25e10, rel_tol=1e-15) and table.F[3] == 3.5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 1\n# stol F\n", "line 2: expected up to 2 numbers, found '#'"),
        ("\n \n", "holds no data"),
        ("0\n0.1\n", "no line has an F"),
        ("0 nan\n", "line 1"),
    ],
)
def test_bad_tables(text: str, says: str, tmp_path: Path) -> None:
    """File and line are named."""
    path = tmp_path / "bad.stol"
    path.write_text(text)
    with pytest.raises(InputError, match=r"bad\.stol") as caught:
        read_stol(str(path))
    assert says in str(caught.value)
