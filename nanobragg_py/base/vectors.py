"""Three-vectors, in the C program's order of operations. Vectors are tuples of three floats; angles in radians."""

from __future__ import annotations

import math

from .c_numbers import divide

Vector = tuple[float, float, float]
Triad = tuple[Vector, Vector, Vector]
Matrix = tuple[float, ...]

# Degrees in a radian, with pi as the C program has it: divides angles that are read, multiplies those that are shown.
RADIAN_IN_DEGREES = 180.0 * 0.31830988618379067154


def dot(a: Vector, b: Vector) -> float:
    """Scalar product, summed left to right."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Vector product."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def length(v: Vector) -> float:
    """Euclidean length."""
    return math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])


def scaled(v: Vector, factor: float) -> Vector:
    """factor * v."""
    return (factor * v[0], factor * v[1], factor * v[2])


def unit(v: Vector) -> Vector:
    """v / |v|; the zero vector stays zero."""
    size = length(v)
    if size == 0.0:
        return (0.0, 0.0, 0.0)
    return (v[0] / size, v[1] / size, v[2] / size)


def with_length(v: Vector, size: float) -> Vector:
    """v stretched to a given length."""
    old = length(v)
    factor = divide(size, old if old > 0.0 else 1.0)
    return scaled(v, factor)


def combined(f: float, a: Vector, s: float, b: Vector, o: float, c: Vector) -> Vector:
    """-f*a - s*b + o*c, component by component: from a point in the detector's axes to the laboratory."""
    return (
        -f * a[0] - s * b[0] + o * c[0],
        -f * a[1] - s * b[1] + o * c[1],
        -f * a[2] - s * b[2] + o * c[2],
    )


def scaled_all(vectors: Triad, factor: float) -> Triad:
    """factor times each of three vectors."""
    a, b, c = vectors
    return (scaled(a, factor), scaled(b, factor), scaled(c, factor))


def lengths(vectors: Triad) -> Vector:
    """Length of each of three vectors."""
    a, b, c = vectors
    return (length(a), length(b), length(c))


def turned(v: Vector, phi_x: float, phi_y: float, phi_z: float) -> Vector:
    """v turned about x, then y, then z; a zero angle is skipped."""
    x, y, z = v
    if phi_x != 0.0:
        c, s = math.cos(phi_x), math.sin(phi_x)
        x, y, z = x, y * c + z * -s, y * s + z * c
    if phi_y != 0.0:
        c, s = math.cos(phi_y), math.sin(phi_y)
        x, y, z = x * c + y * 0.0 + z * s, y, x * -s + y * 0.0 + z * c
    if phi_z != 0.0:
        c, s = math.cos(phi_z), math.sin(phi_z)
        x, y, z = x * c + y * -s, x * s + y * c, z
    return (x, y, z)


def turned_all(vectors: Triad, angles: Vector) -> Triad:
    """Each of three vectors turned about x, then y, then z."""
    a, b, c = vectors
    return (turned(a, *angles), turned(b, *angles), turned(c, *angles))


def turned_about(v: Vector, axis: Vector, angle: float) -> Vector:
    """Rodrigues' rotation of v about a unit vector, right-handed."""
    sine, cosine = math.sin(angle), math.cos(angle)
    along = dot(axis, v) * (1.0 - cosine)
    return (
        axis[0] * along + v[0] * cosine + (-axis[2] * v[1] + axis[1] * v[2]) * sine,
        axis[1] * along + v[1] * cosine + (axis[2] * v[0] - axis[0] * v[2]) * sine,
        axis[2] * along + v[2] * cosine + (-axis[1] * v[0] + axis[0] * v[1]) * sine,
    )


def angles_of(matrix: Matrix) -> Vector:
    """Angles about x, y, z (in that order) of a rotation matrix given row by row.

    The rows are made orthonormal as the C program does it: normalised, checked, normalised again.
    """
    rows = [unit_row(matrix[0:3]), unit_row(matrix[3:6]), unit_row(matrix[6:9])]
    rows = [unit_row(row) for row in rows]
    (xx, xy, _), (yx, yy, _), (zx, zy, zz) = rows
    if zx * zx < 1.0:
        return (math.atan2(zy, zz), math.atan2(-zx, math.sqrt(zy * zy + zz * zz)), math.atan2(yx, xx))
    return (math.atan2(1.0, 1.0) * 4.0, math.atan2(1.0, 1.0) * 2.0, math.atan2(xy, -yy))


def turns_of(matrix: Matrix) -> Vector:
    """Angles about x, y, z, for turned(), of a rotation matrix given row by row.

    The angle about z is that which is left when the turns about x and y are undone: so near a right angle about y,
    where those about x and z can hardly be told apart, they still go together.
    """
    xx, xy, xz, yx, yy, yz, zx, zy, zz = matrix
    about_x = math.atan2(zy, zz)
    c, s = math.cos(about_x), math.sin(about_x)
    return (about_x, math.atan2(-zx, math.hypot(xx, yx)), math.atan2(xz * s - xy * c, yy * c - yz * s))


def unit_row(row: Matrix) -> Vector:
    """A row divided by its length."""
    size = math.sqrt(row[0] * row[0] + row[1] * row[1] + row[2] * row[2])
    return (row[0] / size, row[1] / size, row[2] / size) if size > 0 else (row[0], row[1], row[2])
