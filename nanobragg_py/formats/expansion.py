"""From merged reflections to all of P1: equivalents, Friedel mates, and what several rows say of one reflection."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .symmetry import Remarks, Symmetry

HALF = 1 << 19  # a Miller index of -HALF..HALF-1 fits in a packed one
SPAN = 1 << 20
# Values that differ by less than this share of their mean are the same number, rounded by a writer.
SAME = 1e-4


def expand_to_p1(
    hkl: np.ndarray, plus: np.ndarray, minus: np.ndarray | None, symmetry: Symmetry
) -> tuple[np.ndarray, np.ndarray]:
    """Equivalents and Friedel mates of merged reflections: hkl, int32 (m, 3), sorted, and F, float64 (m,).

    hkl: integers (n, 3). plus: F of hkl, float64 (n,), NaN where missing. minus: F of -hkl, or None; then
    -hkl has the F of hkl (Friedel's law) unless the list has its own value for it. An operation x' = Rx + t takes h
    to hR. What several rows give a value for gets their mean; F000 and systematic absences are left out.
    """
    keys, values = [], []
    for chosen, F, _ in _signed(hkl, plus, minus, symmetry):
        for rotation in symmetry.rotations():
            keys.append(packed(chosen @ rotation))
            values.append(F)
    key, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    F = np.bincount(inverse, np.concatenate(values), len(key)) / np.bincount(inverse, minlength=len(key))
    if minus is None:
        mate = 2 * packed(np.zeros((1, 3), np.int64)) - key
        alone = ~np.isin(mate, key)
        key, F = np.concatenate([key, mate[alone]]), np.concatenate([F, F[alone]])
        order = np.argsort(key)
        key, F = key[order], F[order]
    return unpacked(key), F


def _signed(
    hkl: np.ndarray, plus: np.ndarray, minus: np.ndarray | None, symmetry: Symmetry
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Indices, int64 (m, 3), F, (m,), and rows, (m,), of hkl and then of -hkl, but not what is missing or absent."""
    allowed = hkl.any(axis=1) & ~_absent(hkl, symmetry)
    for sign, F in [(1, plus)] if minus is None else [(1, plus), (-1, minus)]:
        row = np.flatnonzero(allowed & ~np.isnan(F))
        yield sign * hkl[row].astype(np.int64), F[row], row


def _absent(hkl: np.ndarray, symmetry: Symmetry) -> np.ndarray:
    """Which reflections are systematically absent, bool (n,)."""
    found: np.ndarray = symmetry.operations.systematic_absences(np.ascontiguousarray(hkl, dtype=np.int32))
    return found


def tell_of_rows(
    hkl: np.ndarray, plus: np.ndarray, minus: np.ndarray | None, symmetry: Symmetry, remarks: Remarks
) -> None:
    """Say what expand_to_p1, with the same arguments, leaves out, and what it takes the mean of."""
    absent = _absent(hkl, symmetry) & hkl.any(axis=1) & (plus > 0)
    if absent.any():
        share = plus[absent].mean() / plus[plus > 0].mean()
        remarks.notes.append(
            f"{absent.sum()} reflections that are systematically absent in {symmetry.name} left out "
            f"(their mean F is {share:.2g} of that of all)"
        )
    keys, values, rows = [], [], []
    for chosen, F, row in _signed(hkl, plus, minus, symmetry):
        keys.append(np.maximum.reduce([packed(chosen @ rotation) for rotation in symmetry.rotations()]))
        values.append(F)
        rows.append(row)
    _, first, group = np.unique(np.concatenate(keys), return_index=True, return_inverse=True)
    if len(first) < len(group):
        _tell_of_means(np.concatenate(values), np.concatenate(rows), group, first, remarks)


def _tell_of_means(value: np.ndarray, row: np.ndarray, group: np.ndarray, first: np.ndarray, remarks: Remarks) -> None:
    """Say how many reflections have several values, and how these agree.

    value, row: of each measurement, F and the row that it stands in. group: number of its reflection. first: a
    measurement of each reflection. F(+) and F(-) of one centric reflection are the same quantity, from one row.
    """
    count = np.bincount(group)
    mean = np.bincount(group, value) / count
    apart = np.abs(value - mean[group])
    several_rows = np.bincount(group, row != row[first][group]) > 0
    for wanted, text in (
        (several_rows, "stand in several rows, as themselves or as symmetry equivalents"),
        ((count > 1) & ~several_rows, "are centric, and have two values"),
    ):
        chosen = wanted[group]
        if not chosen.any():
            continue
        text = f"{wanted.sum()} reflections {text}"
        if (apart[chosen] <= SAME * mean[group][chosen]).all():
            if wanted is several_rows:
                remarks.notes.append(f"{text}, with equal F")
            continue
        typical = apart[chosen].sum() / max(value[chosen].sum(), 1e-300)
        largest = (apart[chosen] / np.maximum(mean[group][chosen], 1e-300)).max()
        remarks.warnings.append(
            f"{text}: the mean of their F is taken, from which they differ by {typical:.1%} on average and "
            f"{largest:.1%} at most"
        )


def packed(hkl: np.ndarray) -> np.ndarray:
    """One integer, int64 (n,), for each hkl, integers (n, 3), that sorts like it; -hkl mirrors hkl at 000."""
    h, k, ell = hkl.astype(np.int64).T + HALF
    key: np.ndarray = (h * SPAN + k) * SPAN + ell
    return key


def unpacked(key: np.ndarray) -> np.ndarray:
    """What packed was given, int32 (n, 3)."""
    return np.stack([key // SPAN**2, key // SPAN % SPAN, key % SPAN], axis=1).astype(np.int32) - HALF
