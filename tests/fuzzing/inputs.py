"""Input files for differential fuzzing: reflection lists, matrices, SMV images, sources, dumps, tables.

Every function takes a `random.Random` and returns the bytes of one file, so a case is a function of its seed
alone. The files are small and valid; the unusual ones (a list that stops half-way, a header with traps) are
those that the reference program handles in a defined way.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterable

Vector = tuple[float, float, float]
Box = tuple[int, int, int, int, int, int]


def rotation(rng: random.Random, largest: float = math.pi) -> tuple[Vector, Vector, Vector]:
    """Rows of a rotation matrix about a random axis, by up to `largest` radians."""
    axis = unit_vector(rng)
    angle = rng.uniform(-largest, largest)
    cos, sin = math.cos(angle), math.sin(angle)
    (x, y, z), rest = axis, 1.0 - math.cos(angle)
    return (
        (cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin),
        (y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin),
        (z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest),
    )


def unit_vector(rng: random.Random) -> Vector:
    """A direction, uniform on the sphere."""
    z = rng.uniform(-1.0, 1.0)
    angle = rng.uniform(0.0, 2.0 * math.pi)
    radius = math.sqrt(1.0 - z * z)
    return radius * math.cos(angle), radius * math.sin(angle), z


def rotate(matrix: tuple[Vector, Vector, Vector], vector: Vector) -> Vector:
    """Matrix times column vector."""
    x, y, z = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


# --- reflection lists and dumps ----


def index_box(rng: random.Random, largest: int = 6) -> Box:
    """Limits (h_min, h_max, k_min, ...) of a reflection list, not always around the origin."""
    limits: list[int] = []
    for _ in range(3):
        half = rng.choice([rng.randint(0, largest), rng.randint(largest // 2, largest)])
        shift = rng.choice([0, 0, 0, 0, rng.randint(-3, 3)])
        limits += [-half + shift, half + shift]
    return tuple(limits)  # type: ignore[return-value]


def indices_in(box: Box) -> list[tuple[int, int, int]]:
    """All (h, k, l) in the box, h slowest."""
    h0, h1, k0, k1, l0, l1 = box
    return [(h, k, i) for h in range(h0, h1 + 1) for k in range(k0, k1 + 1) for i in range(l0, l1 + 1)]


def amplitude(rng: random.Random) -> str:
    """A structure factor as text, in one of the spellings found in such lists."""
    value = rng.choice([rng.uniform(0, 500), rng.expovariate(0.01), 0.0, float(rng.randint(1, 999))])
    return rng.choice(["{:.2f}", "{:.2f}", "{:g}", "{:.8e}", "{:.0f}"]).format(value)


def reflection_list(rng: random.Random, most: int = 500) -> bytes:
    """A P1 reflection list: complete, sparse or shuffled, with duplicates, tabs and what ends it early."""
    chosen = indices_in(index_box(rng))
    if len(chosen) > most or rng.random() < 0.3:
        chosen = rng.sample(chosen, min(len(chosen), rng.randint(1, most)))
    elif rng.random() < 0.2:
        rng.shuffle(chosen)
    if rng.random() < 0.3:
        chosen += rng.choices(chosen, k=3)
    separator = rng.choice([" ", " ", "  ", "\t"])
    rows = [separator.join([str(h), str(k), str(i), amplitude(rng)]) for h, k, i in chosen]
    return _with_oddities(rng, rows)


def _with_oddities(rng: random.Random, rows: list[str]) -> bytes:
    """Blank lines, Windows line ends, no final newline, or numbers in unusual spellings.

    Lines that the C program stops at or misreads are left out: ours refuses them (tests/test_bad_input.py).
    """
    kind = rng.choice(["plain"] * 8 + ["blank", "windows", "cut", "sloppy"])
    where = rng.randint(0, len(rows))
    if kind == "blank":
        rows.insert(where, "")
    elif kind == "sloppy":
        rows.insert(max(1, where), "+1 -0 2 1e2")
    text = "\n".join(rows) + ("" if kind == "cut" else "\n")
    return text.replace("\n", "\r\n").encode() if kind == "windows" else text.encode()


def no_reflections(rng: random.Random) -> bytes:
    """A list in which nothing can be read: an error exit of both programs."""
    return rng.choice([b"", b"\n", b" \t \n\n"])


def dump_file(rng: random.Random) -> bytes:
    """A dump of structure factors as the program writes it; one plane more than the range on each axis.

    The reader skips white space after the header, so a first number whose first byte looks like white space
    shifts all that follows. Here this happens only with values that stay harmless when they are shifted.
    """
    box = index_box(rng, 3)
    shape = [box[2 * axis + 1] - box[2 * axis] + 2 for axis in range(3)]
    count = shape[0] * shape[1] * shape[2]
    values = [float(rng.randint(0, 400)) if rng.random() < 0.8 else 0.0 for _ in range(count)]
    first = struct.pack("<d", values[0])
    if rng.random() < 0.15:
        first = bytes([rng.choice([0x20, 0x09, 0x0D])]) + first[1:]
    header = "{} {} {} {} {} {}\n\f".format(*box).encode()
    return header + first + struct.pack(f"<{count - 1}d", *values[1:])


# --- cells and matrices ----


def matrix_file(rng: random.Random, lengths: Vector, wavelength: float) -> bytes:
    """A MOSFLM orientation matrix (reciprocal vectors in columns, times the wavelength), slightly oblique."""
    turn = rotation(rng)
    skew = rng.choice([0.0, 0.0, 0.3])
    columns: list[Vector] = []
    for axis in range(3):
        vector = [rng.uniform(-skew, skew) if other < axis else 0.0 for other in range(3)]
        vector[axis] = 1.0
        x, y, z = (component * wavelength / lengths[axis] for component in vector)
        columns.append(rotate(turn, (x, y, z)))
    form = rng.choice(["{:12.8f}", "{:12.8f}", "{:.6g}", "{:.17e}"])
    rows = [" ".join(form.format(column[row]) for column in columns) for row in range(3)]
    rest = "       0.000       0.000       0.000\n" if rng.random() < 0.5 else ""
    return ("\n".join(rows) + "\n" + rest).encode()


# --- SMV images ----


def smv_header(rng: random.Random, width: int, height: int, keys: dict[str, float]) -> bytes:
    """The header of an SMV image: 512 bytes or more, keys in any order, with traps for a substring search."""
    size = rng.choice([512, 512, 512, 1024, 2048])
    lines = [f"SIZE1={width};", f"SIZE2={height};"]
    if width == height and rng.random() < 0.1:
        lines = ["SIZE1=0;", "SIZE2=0;", f"DETECTOR_DIMENSIONS={width};"]
    lines += [f"{key}={value:.6g};" for key, value in keys.items()]
    lines += rng.sample(["DETECTOR_SN=901;", "BEAMLINE=fake;", "DATE=Mon Jul  4;", "TIME=0.5;"], k=2)
    if rng.random() < 0.3:
        rng.shuffle(lines)
    size = max(size, 1024) if sum(map(len, lines)) > 380 else size
    head = rng.choice(["HEADER_BYTES={};", "HEADER_BYTES= {:4d};"]).format(size)
    order = rng.choice(["little_endian", "little_endian", "big_endian"])
    text = "\n".join(["{", head, "DIM=2;", f"BYTE_ORDER={order};", "TYPE=unsigned_short;", *lines, "}\f"])
    return text.encode().ljust(size)


def smv_keys(rng: random.Random, geometry: dict[str, float]) -> dict[str, float]:
    """Some of the keywords the reader looks for, with values that suit `geometry` (millimetres, Å)."""
    across = geometry["pixel"] * geometry["width"]
    candidates = {
        "PIXEL_SIZE": geometry["pixel"],
        "DISTANCE": geometry["distance"],
        "WAVELENGTH": geometry["wavelength"],
        "BEAM_CENTER_X": across * rng.uniform(0.2, 0.8),
        "BEAM_CENTER_Y": across * rng.uniform(0.2, 0.8),
        "XDS_ORGX": geometry["width"] * rng.uniform(0.2, 0.8),
        "ORGY": geometry["width"] * rng.uniform(0.2, 0.8),
        "PHI": rng.uniform(-20, 20),
        "OSC_RANGE": rng.choice([0.0, 0.5, 1.0]),
        "TWOTHETA": rng.uniform(-10, 10),
        "CLOSE_DISTANCE": geometry["distance"] * rng.choice([1.0, 0.98]),
    }
    chosen = {key: value for key, value in candidates.items() if rng.random() < 0.5}
    if "PIXEL_SIZE" not in chosen and rng.random() < 0.7:
        chosen["PIXEL_SIZE"] = candidates["PIXEL_SIZE"]
    return chosen


def smv_file(rng: random.Random, width: int, height: int, keys: dict[str, float], zeros: float) -> bytes:
    """An SMV image of `width` × `height` pixels of which a part, `zeros`, is 0 (masked)."""
    pixels = [0 if rng.random() < zeros else rng.choice([1, 1, 40, 65535]) for _ in range(width * height)]
    if zeros and rng.random() < 0.3:
        row = rng.randrange(height)
        pixels[row * width : (row + 1) * width] = [0] * width
    return smv_header(rng, width, height, keys) + struct.pack(f"<{width * height}H", *pixels)


# --- text tables ----


def _table(rng: random.Random, rows: Iterable[list[str]]) -> bytes:
    """Rows of words as text with one of the separators the reader knows; always ends with a newline."""
    separator = rng.choice([" ", " ", "  ", "\t", ", ", ";", ": "])
    lines = [separator.join(row) for row in rows]
    if rng.random() < 0.2:
        lines.insert(rng.randint(0, len(lines)), rng.choice(["", "  ", " \t"]))
    if rng.random() < 0.2:
        lines = ["  " + line + " " for line in lines]
    return ("\n".join(lines) + "\n").encode()


def source_file(rng: random.Random, beam: Vector, wavelength: float, count: int) -> bytes:
    """Sources (X Y Z weight wavelength, metres) around where the beam comes from; columns may lack."""
    rows: list[list[str]] = []
    columns = rng.choice([3, 4, 5, 5])
    for _ in range(count):
        far = rng.choice([1.0, 10.0])
        position = [-far * (component + rng.uniform(-0.01, 0.01)) for component in beam]
        weight = rng.choice(["1", "0.5", "0", f"{rng.uniform(0, 2):g}"])
        colour = f"{wavelength * 1e-10 * rng.uniform(0.98, 1.02):.9g}"
        row = [*(f"{component:.7g}" for component in position), weight, colour][:columns]
        if columns == 5 and rng.random() < 0.1:
            row.append("# remark")
        rows.append(row)
    return _table(rng, rows)


def stol_file(rng: random.Random) -> bytes:
    """Structure factors of an amorphous material against sin(theta)/lambda; read and not used."""
    rows = [[f"{0.05 * row:g}", f"{rng.uniform(0, 9):.3f}"] for row in range(rng.randint(1, 6))]
    return _table(rng, rows)


# --- unusual files ----


def signed_reflections(rng: random.Random) -> bytes:
    """A complete list of amplitudes of both signs, many of them equal but for the sign."""
    box = index_box(rng, 5)
    strong = [rng.uniform(1, 500) for _ in range(rng.choice([1, 2, 5]))]
    pattern = rng.choice(["alternating", "random", "planes", "one"])
    rows = []
    for h, k, l in indices_in(box):
        value = rng.choice(strong)
        if pattern == "alternating":
            value *= (-1.0) ** (h + k + l)
        elif pattern == "planes":
            value *= (-1.0) ** h
        elif pattern == "one":
            value *= float((h, k, l) == (0, 0, 0))
        else:
            value *= rng.choice([-1.0, 0.0, 1.0])
        rows.append(f"{h} {k} {l} {value:.6g}")
    return ("\n".join(rows) + "\n").encode()


def odd_smv_file(rng: random.Random, width: int, height: int) -> bytes:
    """An SMV image whose header has a number that is none, or whose size is odd, or no multiple of 512."""
    keys = ["PIXEL_SIZE", "DISTANCE", "WAVELENGTH", "BEAM_CENTER_X", "BEAM_CENTER_Y", "ORGX", "PHI", "OSC_RANGE"]
    values = ["nan", "NaN", "-nan", "nan(0x1)", "inf", "-inf", "0", "-1", "1e300", "", "abc", "1e-300", "0x10"]
    odd = {key: rng.choice(values) for key in rng.sample(keys, rng.choice([0, 1, 1, 2]))}
    size = rng.choice([512, 512, 513, 600, 1025, 1023, 2048]) if odd else rng.choice([513, 511, 777, 1025, 4097])
    lines = [f"SIZE1={width};", f"SIZE2={height};", *(f"{key}={value};" for key, value in odd.items())]
    head = [f"HEADER_BYTES={size};", "DIM=2;", "BYTE_ORDER=little_endian;", "TYPE=unsigned_short;"]
    text = "\n".join(["{", *head, *lines, "}\f"]).encode().ljust(size)
    pixels = [rng.choice([0, 1, 256, 65280, 40]) for _ in range(width * height)]
    return text + struct.pack(f"<{width * height}H", *pixels) + bytes(rng.choice([0, 1, 7]))


def odd_sources(rng: random.Random, wavelength: float) -> bytes:
    """Sources with Windows line ends, without the last line end, with columns that are missing."""
    rows = []
    for _ in range(rng.randint(1, 4)):
        row = [f"{-10 + rng.uniform(-0.1, 0.1):.5g}", f"{rng.uniform(-0.1, 0.1):.5g}", "0", "1", f"{wavelength}e-10"]
        rows.append(" ".join(row[: rng.choice([1, 3, 4, 5, 5, 5])]))
    end = rng.choice(["\n", "\n", "\r\n"])
    text = end.join(rows) + rng.choice(["", "", end, end + "  ", end + end])
    return text.encode()
