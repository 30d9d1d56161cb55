"""What an option needs is looked for before the image is rendered."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from forked import BASE, LIST, run_forked


@pytest.mark.parametrize(
    ("module", "words", "message"),
    [
        ("PIL", ["--preview", "a.png"], "--preview needs pillow"),
        ("h5py", ["--save", "a.nxs"], "--save a.nxs needs h5py"),
        ("fabio", ["--save", "a.cbf"], "--save a.cbf needs fabio"),
    ],
)
def test_missing_library(tmp_path: Path, module: str, words: list[str], message: str) -> None:
    """One line that says how to install it for this interpreter, before any work."""

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == module]:
            del sys.modules[name]
        sys.modules[module] = None

    (tmp_path / "P1.hkl").write_text(LIST)
    result = run_forked(["-hkl", "P1.hkl", *BASE, *words], tmp_path, before=forget)
    package = message.rpartition(" ")[2]
    remedy = f"{shlex.quote(sys.executable)} -m pip install {package}"
    assert result.status == 9
    assert result.err == f"nanoBragg: error: {message}, which is not installed: {remedy}\n"
    assert not result.files.keys() - {"P1.hkl"}
