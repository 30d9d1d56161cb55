"""Write the small input files that the golden cases use into golden/inputs/ (always the same bytes)."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

INPUTS = Path(__file__).resolve().parent / "inputs"
MATRIX_ROW = "{:12.8f}{:12.8f}{:12.8f}\n"


def reflections(limits: tuple[int, int, int], keep: float, seed: int) -> list[tuple]:
    """Draw amplitudes for a random part of a box of indices; F(000) is always there."""
    draw = np.random.RandomState(seed)
    box = itertools.product(*(range(-limit, limit + 1) for limit in limits))
    kept = [hkl for hkl in box if draw.rand() < keep or hkl == (0, 0, 0)]
    return [(*hkl, round(float(20 + 200 * draw.rand()), 2)) for hkl in kept]


def lines(pattern: str, rows: list[tuple]) -> str:
    """Format each row by the pattern."""
    return "".join(pattern.format(*row) for row in rows)


def write_text(name: str, text: str) -> None:
    """Write one text file with Unix line ends."""
    (INPUTS / name).write_bytes(text.encode("ascii"))


def write_reflection_lists() -> None:
    """Write a full box, a box with gaps, and lists that are odd in one way each."""
    full = reflections((4, 4, 5), 1.0, 1)
    write_text("full.hkl", lines("{} {} {} {:.2f}\n", full))
    gaps = reflections((5, 6, 7), 0.25, 2)
    write_text("gaps.hkl", lines("{:4d}{:4d}{:4d} {:10.3f}\n", gaps))
    twice = [(*hkl, f + 7) for *hkl, f in gaps[::3]]
    rows = lines("{}\t{}\t{}\t{:.3e}\n", gaps[:300] + twice)
    write_text("twice.hkl", rows + "-3 -2 -1 -55.5\n2 1 0 0\n")
    write_text("stream.hkl", lines("{} {} {} {:g} ", gaps[100:300]).rstrip())
    decimal = lines("{} {} {} {}\n", gaps[200:320])
    write_text("decimal.hkl", decimal + "1.0 2 3 250\n1.5 1 1 40\n-1 2.25 -1.75 60\n0 0 0 900\n")
    write_text("comment.hkl", "1 0 0 100\n0 1 0 90\n-1 0 2 80\n# the rest is not read\n5 5 5 400\n")
    write_text("one.hkl", "0 0 0 150\n")
    write_text("empty.hkl", "")


def cell_matrix(cell: tuple[float, ...], angle: float) -> np.ndarray:
    """Reciprocal vectors (columns) of an orthogonal cell, turned about z and then about x."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return about_x @ about_z @ np.diag([1 / length for length in cell])


def write_matrices() -> None:
    """Write one matrix in 1/Angstrom, and one as MOSFLM does (times the wavelength, more text below)."""
    plain = cell_matrix((50, 60, 70), 25)
    write_text("plain.mat", lines(MATRIX_ROW, plain))
    skewed = 1.2 * (cell_matrix((45, 55, 65), 40) + 0.0005)
    rows = lines(MATRIX_ROW, skewed)
    write_text("mosflm.mat", rows + "       0.000       0.000       0.000\n 45.0 55.0 65.0 90.0 90.0 90.0\n")


def write_smv(name: str, pixels: np.ndarray, keys: dict[str, str], header_bytes: int = 512) -> None:
    """Write an SMV image with the given header lines."""
    lines = {
        "HEADER_BYTES": f"{header_bytes:5d}",
        "DIM": "2",
        "BYTE_ORDER": "little_endian",
        "TYPE": "unsigned_short",
        "SIZE1": str(pixels.shape[1]),
        "SIZE2": str(pixels.shape[0]),
        **keys,
    }
    header = "{\n" + "".join(f"{key}={value};\n" for key, value in lines.items()) + "}\f"
    (INPUTS / name).write_bytes(header.encode("ascii").ljust(header_bytes) + pixels.astype("<u2").tobytes())


def write_images() -> None:
    """Write masks (0 = leave out) and images whose headers describe the camera."""
    mask = np.ones((40, 48), int)
    mask[10:14, :] = 0
    mask[:, 20:23] = 0
    mask[30:, 30:] = 65535
    write_smv(
        "mask.img",
        mask,
        {
            "PIXEL_SIZE": "0.5",
            "DISTANCE": "120",
            "WAVELENGTH": "1.1",
            "BEAM_CENTER_X": "11.5",
            "BEAM_CENTER_Y": "9",
            "PHI": "2.5",
            "OSC_RANGE": "0.5",
            "TWOTHETA": "3",
        },
    )
    write_smv("plainmask.img", np.arange(32 * 32).reshape(32, 32) % 3, {"PIXEL_SIZE": "0.6"})
    write_smv(
        "header.img",
        np.arange(36 * 44).reshape(36, 44),
        {
            "PIXEL_SIZE": "0.55",
            "DISTANCE": "110",
            "CLOSE_DISTANCE": "105",
            "WAVELENGTH": "0.98",
            "BEAM_CENTER_X": "10.2",
            "BEAM_CENTER_Y": "12.6",
            "XDS_ORGX": "20.5",
            "XDS_ORGY": "19.25",
            "PHI": "0",
            "OSC_START": "0",
            "OSC_RANGE": "1",
        },
        header_bytes=1024,
    )


def write_sources() -> None:
    """Write source lists: complete, with columns left out, and with other separators."""
    write_text(
        "sources.txt",
        "-10 0 0 1 1.0e-10\n-10 0.02 0.01 0.5 1.01e-10\n\n-10 -0.015 0.02 2 0.99e-10\n-5 0.01 -0.02 0.1 1.0e-10\n",
    )
    write_text("fewcolumns.txt", "-10\n-10 0.03\n-10 0.01 -0.02\n-10 0 0.03 0.7\n")
    write_text("separators.txt", " -10,0;0.01:1!1.0E-10\n\t-9.5\t0.02,, 0 1 1.02e-10 extra words\n")


def write_stols() -> None:
    """Write a table of amorphous structure factors over sin(theta)/lambda, with one value missing."""
    rows = lines("{:.3f} {:.4f}\n", [(0.02 * i, 2.57 / (1 + 0.05 * i)) for i in range(12)])
    write_text("water.stol", rows + "0.3\n0.32 1.1\n")


def write_dump(name: str, low: tuple[int, ...], high: tuple[int, ...], values: np.ndarray) -> None:
    """Write a structure factor grid: the limits as text, then doubles with one plane more on each axis."""
    limits = " ".join(f"{a} {b}" for a, b in zip(low, high, strict=True))
    grid = np.zeros([b - a + 2 for a, b in zip(low, high, strict=True)])
    grid[:-1, :-1, :-1] = values
    (INPUTS / name).write_bytes(f"{limits}\n\f".encode("ascii") + grid.astype("<f8").tobytes())


def write_dumps() -> None:
    """Write a grid, a grid that breaks off, and one whose first byte reads as white space."""
    low, high = (-4, -4, -4), (4, 4, 4)
    values = np.round(50 + 100 * np.random.RandomState(5).rand(9, 9, 9), 2)
    write_dump("grid.dump", low, high, values)
    whole = (INPUTS / "grid.dump").read_bytes()
    (INPUTS / "short.dump").write_bytes(whole[: len(whole) // 2])
    lowest_byte = values.view(np.uint8).reshape(-1, 8)[:, 0]
    lowest_byte[:] = 0x40
    lowest_byte[0] = ord(" ")
    write_dump("blank.dump", low, high, values)


def main() -> None:
    """Write every input file."""
    INPUTS.mkdir(exist_ok=True)
    write_reflection_lists()
    write_matrices()
    write_images()
    write_sources()
    write_stols()
    write_dumps()


if __name__ == "__main__":
    main()
