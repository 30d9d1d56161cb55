"""What is true of each frame of a series: orientation, cell, and its spots; HDF5, NPZ or CSV by the name's ending."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

import numpy as np

from ..base.errors import InputError
from ..base.files import check_writable, whole_file
from ..base.optional import require
from ..base.records import record
from ..model.experiment import Experiment

OPTION = "--ground-truth"
ENDINGS = (".h5", ".npz", ".csv")
# One row for each spot; frames count from 1, pixels from the middle of the first.
COLUMNS = ("frame", "h", "k", "l", "fast_px", "slow_px", "peak_fast_px", "peak_slow_px", "peak_photons", "photons")


@record
class FrameTruth:
    """One frame. columns: a*, b*, c* in Å⁻¹ after the spindle's first step, float64 (3, 3). spots: (n, COLUMNS - 1)."""

    number: int
    columns: np.ndarray
    cell_A_deg: np.ndarray
    phi_deg: float
    spots: np.ndarray


def frame_truth(number: int, experiment: Experiment, spots: np.ndarray) -> FrameTruth:
    """What is true of a frame; spots: float64 (n, 9), COLUMNS without the frame."""
    real = experiment.cells[1, 0].reshape(3, 3) * 1e10
    lengths = np.linalg.norm(np.array(experiment.crystal.real), axis=1)
    angles = np.degrees(experiment.crystal.real_angles.angles)
    start = float(np.degrees(experiment.spindle.start_rad))
    return FrameTruth(number, np.linalg.inv(real), np.array([*lengths, *angles]), start, spots)


def check_truth(path: str) -> None:
    """Raise InputError, before the work is done, for a name that no format goes with or that cannot be written."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        raise InputError(f"{OPTION} {path}: expected a name that ends in {', '.join(ENDINGS)}")
    if ending == ".h5":
        require("h5py", f"{OPTION} {path}")
    check_writable(path, OPTION)


def write_truth(path: str, frames: list[FrameTruth]) -> None:
    """Write all frames. Raises InputError."""
    table = np.concatenate(
        [np.column_stack((np.full(len(one.spots), one.number + 1.0), one.spots)) for one in frames]
        or [np.empty((0, len(COLUMNS)))]
    )
    with whole_file(path, OPTION) as file:
        ending = os.path.splitext(path)[1].lower()
        if ending == ".csv":
            file.write(_csv(table).encode())
        elif ending == ".npz":
            np.savez_compressed(file, **_arrays(table, frames))
        else:
            _write_hdf5(file.name, _arrays(table, frames))


def _arrays(table: np.ndarray, frames: list[FrameTruth]) -> dict[str, Any]:
    whole = table[:, :4].astype(np.int32)
    return {
        "frame": whole[:, 0],
        "hkl": whole[:, 1:],
        "position_px": table[:, 4:6],
        "peak_px": table[:, 6:8].astype(np.int32),
        "peak_photons": table[:, 8],
        "photons": table[:, 9],
        "frames": np.array([one.number + 1 for one in frames], dtype=np.int32),
        "reciprocal_per_A": np.array([one.columns for one in frames]).reshape(-1, 3, 3),
        "cell_A_deg": np.array([one.cell_A_deg for one in frames]).reshape(-1, 6),
        "phi_deg": np.array([one.phi_deg for one in frames]),
    }


def _csv(table: np.ndarray) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in table.tolist():
        writer.writerow([int(v) for v in row[:4]] + [f"{v:.6g}" for v in row[4:]])
    return text.getvalue()


def _write_hdf5(path: str, arrays: dict[str, Any]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("ground_truth")
        for name, array in arrays.items():
            group.create_dataset(name, data=array, compression="gzip" if array.size > 1000 else None)
