"""What nb-compare says of two images, and whether that is good enough."""

from __future__ import annotations

import filecmp
import os
from dataclasses import dataclass, fields
from typing import Any

from ...base.errors import InputError
from ...formats.any_image import Image
from .peaks import peak_shifts
from .statistics import Pixels, statistics

Roi = tuple[int, int, int, int]

SAME_BYTES = {True: "equal", False: "different", None: "not compared: only a part of a file is"}
# Where the shape of an image is from, in words, unless it was read from a file beside it.
SHAPE_SOURCES = {"file": "", "a square": ", taken to be square"}


@dataclass(frozen=True)
class Thresholds:
    """What the two images must fulfil; None or False asks for nothing."""

    identical: bool = False
    min_corr: float | None = None
    sum_ratio: tuple[float, float] | None = None
    max_ulp: float | None = None
    max_abs: float | None = None
    max_rel: float | None = None
    max_rms: float | None = None
    max_differing: int | None = None
    max_shift: float | None = None

    @property
    def given(self) -> bool:
        """Whether anything is asked for."""
        # Not `in (None, False)`: a limit of 0 equals False.
        return self.identical or any(getattr(self, f.name) is not None for f in fields(self)[1:])


@dataclass(frozen=True)
class Settings:
    """Region (fast first, fast last, slow first, slow last), number of peaks, their reach [pixel]."""

    roi: Roi | None = None
    peaks: int = 20
    reach: float = 20.0
    thresholds: Thresholds = Thresholds()


def compare_images(a: Image, b: Image, settings: Settings) -> dict[str, Any]:
    """Everything about two images, ready for JSON. Raises InputError for unequal shapes, a region outside."""
    if a.pixels.shape != b.pixels.shape:
        shapes = " and ".join(f"{image.path} {shape_text(image.pixels)}" for image in (a, b))
        raise InputError(f"the images have different shapes (slow x fast): {shapes}")
    roi = settings.roi or (0, a.pixels.shape[1] - 1, 0, a.pixels.shape[0] - 1)
    x, y = region(a.pixels, roi), region(b.pixels, roi)
    result: dict[str, Any] = {
        "a": image_facts(a),
        "b": image_facts(b),
        "roi_fast_slow": list(roi),
        "same_bytes": same_bytes(a.path, b.path),
        **statistics(x, y).as_dict(),
        "peaks": peak_shifts(x, y, settings.peaks, settings.reach).as_dict(),
    }
    for name in ("max_absolute_difference", "max_relative_difference", "max_ulp_difference"):
        if pixel := result[name]["pixel_slow_fast"]:
            result[name]["pixel_slow_fast"] = [pixel[0] + roi[2], pixel[1] + roi[0]]
    for pair in result["peaks"]["pairs"]:
        for peak in pair.values():
            peak[:] = [peak[0] + roi[2], peak[1] + roi[0]]
    result["checks"] = checks(result, settings.thresholds)
    result["passed"] = all(check["passed"] for check in result["checks"])
    return result


def shape_text(pixels: Pixels) -> str:
    """`slow x fast`."""
    return f"{pixels.shape[0]} x {pixels.shape[1]}"


def region(pixels: Pixels, roi: Roi) -> Pixels:
    """The pixels of a region, limits inclusive. Raises InputError when it is not inside the image."""
    fast_first, fast_last, slow_first, slow_last = roi
    inside = 0 <= fast_first <= fast_last < pixels.shape[1] and 0 <= slow_first <= slow_last < pixels.shape[0]
    if not inside:
        raise InputError(
            f"--roi {' '.join(map(str, roi))}: not inside an image of {shape_text(pixels)} pixels "
            "(slow x fast); expected FAST_FIRST FAST_LAST SLOW_FIRST SLOW_LAST, from 0, limits included"
        )
    return pixels[slow_first : slow_last + 1, fast_first : fast_last + 1]


def image_facts(image: Image) -> dict[str, Any]:
    """What is known of an image beside its pixels, for JSON."""
    return {
        "path": image.path,
        "format": image.format,
        "shape_slow_fast": list(image.pixels.shape),
        "dtype": image.pixels.dtype.name,
        "shape_from": image.shape_from,
    }


def same_bytes(a: str, b: str) -> bool | None:
    """True when the files are equal, headers included; None where a path names a part of a file (FILE::PART)."""
    if not (os.path.isfile(a) and os.path.isfile(b)):
        return None
    return os.path.getsize(a) == os.path.getsize(b) and filecmp.cmp(a, b, shallow=False)


def checks(result: dict[str, Any], thresholds: Thresholds) -> list[dict[str, Any]]:
    """One entry for each threshold that was given; without any, the images must be identical.

    A value that is not defined (the correlation of a constant image) does not pass.
    """
    t, rows = thresholds, []
    # A pixel that is NaN or infinite in one image only is in no sum: no value can speak for it.
    lost = result["not_finite_differing_pixels"]

    def check(name: str, limit: Any, value: Any, passed: bool) -> None:
        rows.append({"name": name, "limit": limit, "value": value, "passed": bool(passed)})

    if t.identical or not t.given:
        check("identical", True, result["identical"], result["identical"])
    if t.min_corr is not None:
        value = result["correlation"]
        check("min_corr", t.min_corr, value, not lost and value is not None and value >= t.min_corr)
    if t.sum_ratio is not None:
        value = result["sum_ratio"]
        low, high = t.sum_ratio
        check("sum_ratio", [low, high], value, not lost and value is not None and low <= value <= high)
    for name, limit, value in (
        ("max_ulp", t.max_ulp, result["max_ulp_difference"]["value"]),
        ("max_abs", t.max_abs, result["max_absolute_difference"]["value"]),
        ("max_rel", t.max_rel, result["max_relative_difference"]["value"]),
        ("max_rms", t.max_rms, result["rms_difference"]),
        ("max_differing", t.max_differing, result["differing_pixels"]),
    ):
        if limit is not None:
            countable = name in ("max_ulp", "max_differing") or not lost
            check(name, limit, value, countable and value is not None and value <= limit)
    if t.max_shift is not None:
        peaks = result["peaks"]
        value = peaks["max_shift_pixels"]
        alone = peaks["unmatched_a"] + peaks["unmatched_b"]
        check("max_shift", t.max_shift, value, alone == 0 and value is not None and value <= t.max_shift)
    return rows


def number(value: float | None) -> str:
    """A statistic in nine digits, or that there is none."""
    return "not defined" if value is None else f"{value:.9g}"


def text(result: dict[str, Any]) -> str:
    """The statistics for a reader, one on a line."""
    rows = []
    for name in "ab":
        facts = result[name]
        slow, fast = facts["shape_slow_fast"]
        source = SHAPE_SOURCES.get(facts["shape_from"], f", shape from {facts['shape_from']}")
        rows.append((name.upper(), f"{facts['path']} ({facts['format']}, {facts['dtype']}, {slow} x {fast}{source})"))
    fast_first, fast_last, slow_first, slow_last = result["roi_fast_slow"]
    share = 100.0 * result["differing_pixels"] / result["pixels"]
    rows += [
        ("region", f"fast {fast_first} to {fast_last}, slow {slow_first} to {slow_last}"),
        ("identical", "yes" if result["identical"] else "no"),
        ("files byte for byte", SAME_BYTES[result["same_bytes"]]),
        ("differing pixels", f"{result['differing_pixels']} of {result['pixels']} ({share:.4g} %)"),
        ("correlation", number(result["correlation"])),
        (
            "sum ratio B/A",
            f"{number(result['sum_ratio'])} (sums {result['sum_a']:.9g}, {result['sum_b']:.9g})",
        ),
        ("pixel ratio B/A, mean", number(result["pixel_ratio_mean"])),
        ("pixel ratio B/A, max", number(result["pixel_ratio_max"])),
        ("ratio of maxima B/A", number(result["ratio_of_maxima"])),
        ("RMS difference", number(result["rms_difference"])),
    ]
    for name in ("absolute", "relative", "ulp"):
        entry = result[f"max_{name}_difference"]
        pixel = entry["pixel_slow_fast"]
        where = f" at slow {pixel[0]}, fast {pixel[1]}" if pixel else ""
        rows.append((f"largest {name}", f"{entry['value']:.9g}{' ulp' if name == 'ulp' else ''}{where}"))
    if count := result["not_finite_pixels"]:
        lost = result["not_finite_differing_pixels"]
        rows.append(("not finite", f"{count} pixels, in the counts and ulp only; {lost} of them differ"))
    rows.append(("brightest peaks", peaks_text(result["peaks"])))
    return "\n".join(f"{name:<22} {value}" for name, value in rows)


def peaks_text(peaks: dict[str, Any]) -> str:
    """The displacement of the peaks in words."""
    if not peaks["matched"]:
        return f"none matched (without partner: {peaks['unmatched_a']} of A, {peaks['unmatched_b']} of B)"
    slow, fast = peaks["mean_shift_slow_fast"]
    return (
        f"{peaks['matched']} matched, displaced by {peaks['mean_shift_pixels']:.3g} pixels on average, "
        f"{peaks['max_shift_pixels']:.3g} at most (mean step slow {slow:+.3g}, fast {fast:+.3g}); "
        f"without partner: {peaks['unmatched_a']} of A, {peaks['unmatched_b']} of B"
    )


def checks_text(rows: list[dict[str, Any]]) -> str:
    """The thresholds with what was found, one on a line."""
    return "\n".join(f"{'passed' if row['passed'] else 'FAILED'}: {check_text(row)}" for row in rows)


def check_text(row: dict[str, Any]) -> str:
    """`identical`, or a threshold with its limit and what was found."""
    if row["name"] == "identical":
        return "identical"
    limits = row["limit"] if isinstance(row["limit"], list) else [row["limit"]]
    return f"{row['name']} {' to '.join(map(number, limits))} (found {number(row['value'])})"
