"""What an option needs is looked for before the image is rendered."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from forked import BASE, LIST, run_forked


@pytest.mark.parametrize(
    ("module", "words", "message"),
    [
        ("PIL", ["--preview", "a.png"], "--preview needs pillow, which is not installed: pip install pillow"),
        ("h5py", ["--save", "a.nxs"], "--save a.nxs needs h5py, which is not installed: pip install h5py"),
        ("fabio", ["--save", "a.cbf"], "--save a.cbf needs fabio, which is not installed: pip install fabio"),
    ],
)
def test_missing_library(tmp_path: Path, module: str, words: list[str], message: str) -> None:
    """One line that says how to install it, before any work."""

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == module]:
            del sys.modules[name]
        sys.modules[module] = None

    (tmp_path / "P1.hkl").write_text(LIST)
    result = run_forked(["-hkl", "P1.hkl", *BASE, *words], tmp_path, before=forget)
    assert result.status == 9 and result.err == f"nanoBragg: error: {message}\n"
    assert not result.files.keys() - {"P1.hkl"}
