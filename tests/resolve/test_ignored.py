"""Options that do not count are said to; those that count are not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nanobragg_py.api import simulate
from nanobragg_py.base.errors import InputError
from nanobragg_py.formats.image_header import HeaderDefaults
from nanobragg_py.options.config import scan
from nanobragg_py.resolve.detector import resolve_detector
from nanobragg_py.resolve.ignored import ignored_options

BASE = (
    "-cell 50 60 70 -default_F 100 -N 3 -detpixels 8 -pixel 2 -oversample 1 -nointerpolate "
    "-detector_roty 5 -polar 0.9 -phi 1 -osc 1 -phisteps 2 -dump"
)
CUSTOM = "-fdet_vector 0 0 1"
# Two values of each option, far apart.
CHOICES = {
    "-Xbeam": ("7", "9"),
    "-Ybeam": ("7", "9"),
    "-Xclose": ("7", "9"),
    "-Yclose": ("7", "9"),
    "-ORGX": ("3", "5"),
    "-ORGY": ("3", "5"),
    "-distance": ("50", "70"),
    "-close_distance": ("50", "70"),
    "-pivot": ("beam", "sample"),
    "-fdet_vector": ("0 0 1", "0 0.1 1"),
    "-sdet_vector": ("0 -1 0", "0 -1 0.1"),
    "-odet_vector": ("1 0 0", "0.8 0.6 0"),
    "-beam_vector": ("1 0 0", "1 0.1 0"),
    "-polar_vector": ("0 0 1", "0 1 0"),
    "-spindle_axis": ("0 0 1", "0 1 0"),
    "-fluence": ("1e29", "1e28"),
}
# What stands before and after the option.
AROUND = [
    *(("", f"-{name}") for name in ("mosflm", "adxv", "denzo", "xds", "dials")),
    *((f"-{name}", "") for name in ("mosflm", "adxv", "denzo", "xds", "dials")),
    (CUSTOM, ""),
    (CUSTOM, "-Xclose 6 -Yclose 6"),
    (CUSTOM, "-Xbeam 6 -Ybeam 6"),
    ("-twotheta 10", "-xds"),
    ("-close_distance 60", ""),
    ("-flux 1e12 -exposure 0.1", ""),
    ("-flux 1e12 -exposure 0", ""),
]


NO_HEADER = HeaderDefaults()


def names(messages: list[str]) -> set[str]:
    """Options that messages say do not count."""
    return {word for message in messages for word in re.split("[ ,]+", re.split(" do(es)? not ", message)[0])}


def image(words: list[str]) -> np.ndarray | None:
    """None for a detector that there cannot be."""
    try:
        return simulate(scan(words)[0]).image
    except InputError:
        return None


@pytest.mark.parametrize(("before", "after"), AROUND, ids=lambda words: words or "-")
def test_ignored_is_what_changes_nothing(before: str, after: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An option is said not to count if, and only if, its value does not matter for the image."""
    for option, values in CHOICES.items():
        if option.startswith(("-fdet", "-sdet", "-odet")) and before.startswith(CUSTOM):
            continue  # the same axes may be said again
        if option in after.split():
            continue  # the later one counts
        lines = [[*BASE.split(), "", *before.split(), option, *v.split(), *after.split()] for v in values]
        images = [image(words) for words in lines]
        if images[0] is None or images[1] is None:
            continue
        configs = [scan(words)[0] for words in lines]
        detectors = [resolve_detector(config, NO_HEADER) for config in configs]
        told = [
            option in names(ignored_options(config, NO_HEADER, detector))
            for config, detector in zip(configs, detectors, strict=True)
        ]
        if option == "-pivot":
            # One of the two is what there is anyway, and nothing is said of that.
            assert told == [
                config.pivot_named != detector.pivot for config, detector in zip(configs, detectors, strict=True)
            ]
            assert any(told) == np.array_equal(*images), (before, option, after, told)
        else:
            assert set(told) == {np.array_equal(*images)}, (before, option, after, told)
    capsys.readouterr()


def test_words(tmp_path: Path) -> None:
    """As a process: on standard error, one line for each kind."""
    words = "-cell 50 -default_F 1 -detpixels 4 -nonoise -fdet_vector 0 0 1 -xds -Xbeam 5 -Ybeam 4 -pivot beam".split()
    command = [sys.executable, "-m", "nanobragg_py", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stderr.splitlines()[:3] == [
        "nanoBragg: warning: -Xbeam and -Ybeam do not move the detector: with the XDS convention it is placed by -ORGX "
        "and -ORGY",
        "nanoBragg: warning: -fdet_vector does not count: the XDS convention, chosen after it, has axes of its own",
        "nanoBragg: warning: -pivot beam does not count: the XDS convention has the detector turn about the sample",
    ]
