"""Crystallographic files that are cut, or have bytes changed: what can be read of them, or a message, and no more."""

from __future__ import annotations

import faulthandler
import random
import time
from pathlib import Path

import numpy as np
import pytest

gemmi = pytest.importorskip("gemmi")

from reflection_files import (  # noqa: E402
    ATOMS,
    CELL,
    CRYST1,
    CRYSTFEL,
    IDENTITY_SCALE,
    SCALEPACK,
    SHELX,
    SMALL_MODEL,
    SMALL_MOLECULE,
    XDS,
    as_mmcif,
    mmcif,
    model,
    write_mtz,
)

from nanobragg_py.base.errors import InputError  # noqa: E402
from nanobragg_py.formats.crystal_files import read_reflections  # noqa: E402

DAMAGES = 120
INSERTED = [
    b"9" * 20,
    b"-",
    b"nan",
    b"nan(0x1)",
    b"inf",
    b"1e999",
    b"\0",
    b"\n",
    b"'",
    b"?",
    b";",
    b"loop_\n",
    b"data_x\n",
]
WORDS = [b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\0\0\0\x80"]  # -1 or NaN, largest, 0, smallest


def mtz(folder: Path) -> bytes:
    columns = {"F(+)": "G", "SIGF": "Q", "F(-)": "G", "FP": "F", "DANO": "D", "IMEAN": "J"}
    rows = [[h, k, i, 1, 2, 3, 4, 5, 6] for h in range(3) for k in range(4) for i in range(5)]
    return write_mtz(folder / "good.mtz", "P 21 21 21", columns, np.array(rows)).read_bytes()


SAMPLES = {
    "mtz": mtz,
    "mmcif": mmcif("status F_meas_au intensity_meas", "".join(f"1 2 {i} o 10.5 100\n" for i in range(20))),
    "cif": SMALL_MOLECULE,
    "pdb": model(ATOMS, head=CRYST1 + IDENTITY_SCALE),
    "mmcif-model": as_mmcif(SMALL_MODEL),
    "xds": XDS,
    "crystfel": CRYSTFEL.format("mmm"),
    "shelx": SHELX * 5,
    "scalepack": SCALEPACK,
}


def damaged(good: bytes, draw: random.Random) -> bytes:
    """The file cut, with a part left out or said twice, with something put in, or with bytes changed."""
    content = bytearray(good)
    for _ in range(draw.choice([1, 1, 1, 2, 5])):
        at, kind = draw.randrange(len(content) or 1), draw.random()
        if kind < 0.15:
            del content[at:]
        elif kind < 0.3:
            del content[at : at + draw.choice([1, 2, 4, 40])]
        elif kind < 0.4:
            content[at:at] = content[draw.randrange(len(content) or 1) :][: draw.choice([1, 8, 80])]
        elif kind < 0.5:
            content[at:at] = draw.choice(INSERTED)
        elif kind < 0.6:
            content[at : at + 4] = draw.choice(WORDS)
        elif content:
            content[at % len(content)] = draw.randrange(256)
    return bytes(content)


@pytest.mark.parametrize("kind", SAMPLES)
def test_damaged_files(tmp_path: Path, kind: str) -> None:
    """Reflections, or an error that names the file; no other exception, no crash, and no reader that never ends."""
    sample = SAMPLES[kind]
    good = sample(tmp_path) if callable(sample) else sample.encode()
    path = tmp_path / "damaged"
    draw = random.Random(kind)
    refused = 0
    faulthandler.dump_traceback_later(120, exit=True)
    try:
        for _ in range(DAMAGES):
            path.write_bytes(damaged(good, draw))
            start = time.process_time()
            try:
                cell, group = draw.choice([None, CELL]), draw.choice([None, "19"])
                data = read_reflections(path, resolution_A=4.0, cell=cell, symmetry=group)
                assert len(data.hkl) == len(data.F) > 0 and np.isfinite(data.F).all()
            except InputError as error:
                refused += 1
                assert str(error).startswith(str(path)) and len(str(error)) < len(str(path)) + 400
            assert time.process_time() - start < 5
    finally:
        faulthandler.cancel_dump_traceback_later()
    assert 0 < refused < DAMAGES
