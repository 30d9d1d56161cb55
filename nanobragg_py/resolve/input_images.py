"""-img and -mask: each opened once, for the defaults that its header gives and for the pixels that a mask keeps.

What was read, and which default stands in for what was not, is said on standard error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import InputError, note, shown, warn
from ..base.records import record
from ..base.vectors import RADIAN_IN_DEGREES
from ..formats.image_header import HeaderDefaults, ImageHeader
from ..model.detector import Detector
from ..options.config import Config

if TYPE_CHECKING:
    from ..formats.input_image import InputImage

_DEFAULT_PIXEL_m = 0.1e-3
# Names of what a header may say, the default that stands in, and the options that say the same.
_QUANTITIES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("pixel_size_m", "pixel size", "0.1 mm", ("pixel_size_m",)),
    ("distance_m", "distance", "100 mm", ("distance_m", "close_distance_m")),
    ("wavelength_m", "wavelength", "1 Å", ("wavelength_m",)),
    ("beam", "beam centre", "the middle of the detector", ()),
    ("phi", "start angle", "0°", ("phi",)),
    ("osc", "oscillation range", "a still", ("osc", "phi_step")),
)
# Sizes that must be above 0: field, the option that overrides it, and what it must be below (m).
_SIZES = {
    "pixel_size_m": ("-pixel", 1e6),
    "distance_m": ("-distance", 1e6),
    "close_distance_m": ("-close_distance", 1e6),
    "wavelength_m": ("-lambda", 1.0),
}
_CENTRES = {"Xbeam_m": "-Xbeam", "Ybeam_m": "-Ybeam", "ORGX": "-ORGX", "ORGY": "-ORGY"}
_ANGLES = {"phi": "-phi", "osc": "-osc"}
_BEAM, _ORIGIN, _NEAR = ("Xbeam_m", "Ybeam_m"), ("ORGX", "ORGY"), ("Xclose_m", "Yclose_m")
_TILTS = ("twotheta", "detector_rotx", "detector_roty", "detector_rotz")


@record
class Mask:
    """Which pixels of a mask file are kept, uint16 (slow, fast), 0 = skip; and the file."""

    path: str
    keep: np.ndarray


@record
class InputImages:
    """What -mask and -img gave: defaults, the names of the files read, in order, and the mask."""

    defaults: HeaderDefaults
    files: tuple[str, ...] = ()
    mask: Mask | None = None


def open_input_images(config: Config) -> InputImages:
    """Read -mask and then -img, whose header wins. Raises InputError for what cannot be read or used."""
    if config.mask_file is None and config.image_file is None:
        return InputImages(HeaderDefaults())
    from ..formats.input_image import open_image  # its readers are not wanted where no image is read

    defaults = HeaderDefaults()
    images: list[InputImage] = []
    mask: Mask | None = None
    notes: list[str] = []
    said: dict[str, tuple[str, str]] = {}
    for path, option in ((config.mask_file, "-mask"), (config.image_file, "-img")):
        if path is None:
            continue
        as_mask = option == "-mask"
        image = open_image(path, option, want_pixels=as_mask, as_mask=as_mask)
        skips = ""
        if as_mask:
            mask, skips = _mask_of(image, config)
        notes.append(f"{path}: {option}: {image.form}, {_in_words(image.header, image.frame)}{skips}")
        defaults = _added(defaults, image, config)
        if image.header.beam_px is not None:
            said = {name: words for name, words in said.items() if name not in _CENTRES}
        said |= {name: (path, words) for name, words in image.header.spelled.items()}
        images.append(image)
    _check(defaults, config, said)
    for image, words in zip(images, notes, strict=True):
        note(words)
        _warn_of_what_was_not_read(image, [other.header for other in images], config)
    return InputImages(defaults, tuple(image.path for image in images), mask)


# --- from headers to defaults ----


def _added(defaults: HeaderDefaults, image: InputImage, config: Config) -> HeaderDefaults:
    """Defaults with what one more image says on top."""
    header = image.header
    size = header.pixel_size_m if header.pixel_size_m is not None else (defaults.pixel_size_m or _DEFAULT_PIXEL_m)
    _check_square(image, config)
    found: dict[str, Any] = {
        "fpixels": header.fpixels,
        "spixels": header.spixels,
        "pixel_size_m": size,
        "detsize_fast_m": size * header.fpixels,
        "detsize_slow_m": size * header.spixels,
    }
    for name in ("distance_m", "wavelength_m", "phi", "osc", "Xbeam_m", "Ybeam_m", "ORGX", "ORGY"):
        value = getattr(header, name)
        if value is not None:
            found[name] = value
    if image.is_smv:
        if header.close_distance_m is not None:
            found["close_distance_m"] = header.close_distance_m
        if image.option == "-mask" and "Ybeam_m" in found:
            # As in the C program, a mask's counts from the other edge.
            found["Ybeam_m"] = found["detsize_slow_m"] - found["Ybeam_m"]
    else:
        found |= _foreign_position(header, size, config)
    return replace(defaults, **found)


def _foreign_position(header: ImageHeader, size_m: float, config: Config) -> dict[str, float]:
    """Beam centre and distance of a header that gives them in pixels, as the run's convention takes them.

    Detectors that turn about the sample are placed by their nearest point, others by the direct beam's.
    """
    convention = config.convention
    about_sample = convention in ("xds", "dials") or (convention == "custom" and config.pivot == "sample")
    found: dict[str, float] = {}
    spot = header.beam_px
    if about_sample and header.near_px is not None:
        spot = header.near_px
        if header.close_distance_m is not None and config.distance_m is None:
            found["close_distance_m"] = header.close_distance_m
    if spot is None:
        return found
    fast, slow = (value * size_m for value in spot)
    half = 0.5 * size_m
    x, y = {
        "adxv": (fast, header.spixels * size_m - slow),
        "mosflm": (slow - half, fast - half),
        "denzo": (slow, fast),
    }.get(convention, (fast, slow))
    return found | {"Xbeam_m": x, "Ybeam_m": y, "ORGX": spot[0] + 0.5, "ORGY": spot[1] + 0.5}


def _check_square(image: InputImage, config: Config) -> None:
    """Raise InputError for rectangular pixels, unless -pixel says what they are to be taken for."""
    fast, slow = image.header.pixel_size_m, image.header.pixel_slow_m
    if fast is None or slow is None or abs(slow - fast) <= 1e-6 * abs(fast):
        return
    sides = f"pixels of {fast * 1e3:g} x {slow * 1e3:g} mm"
    if config.pixel_size_m is None:
        raise InputError(f"{image.path}: {image.option} has {sides}; expected square ones, or -pixel to say the size")
    warn(f"{image.path}: {image.option} has {sides}; they are taken for squares of {config.pixel_size_m * 1e3:g} mm")


def _check(defaults: HeaderDefaults, config: Config, said: dict[str, tuple[str, str]]) -> None:
    """Raise InputError, with the file and its keyword, for numbers that no run can use and no option overrides."""
    for name, option in ({name: option for name, (option, _) in _SIZES.items()} | _CENTRES | _ANGLES).items():
        value = getattr(defaults, name)
        if value is None or getattr(config, name) is not None:
            continue
        path, words = said.get(name) or said.get("beam_px") or ("the header", name)
        if not math.isfinite(value):
            raise InputError(f"{path}: '{words}': expected a finite number; {option} overrides it")
        if name in _SIZES and not 0.0 < value < _SIZES[name][1]:
            raise InputError(f"{path}: '{words}': expected a size above 0; {option} overrides it")


# --- masks ----


def _mask_of(image: InputImage, config: Config) -> tuple[Mask, str]:
    """The mask that an image is, and words on it."""
    from ..formats.mask_values import KEEPS, kept

    assert image.pixels is not None
    meaning = image.meaning if config.mask_keeps is None else KEEPS[config.mask_keeps]
    keep = kept(image.pixels, meaning, image.narrow_marks)
    skipped = keep.size - int(np.count_nonzero(keep))
    words = f"; {meaning}: skips {skipped} of {keep.size} pixels"
    return Mask(image.path, np.ascontiguousarray(keep).astype(np.uint16)), words


def resolve_mask(config: Config, detector: Detector, given: np.ndarray | Mask | None) -> np.ndarray | None:
    """The mask's pixels, uint16 (slow, fast), 0 = skip; None where there is no mask.

    given: what open_input_images has read, or an array in its place. Raises InputError unless it is of the detector's
    size; warns if it keeps no pixel.
    """
    if given is None:
        return None
    if isinstance(given, Mask):
        name, mask = given.path, given.keep
    else:
        name, mask = "mask", given if config.mask_keeps != "zero" else np.equal(given, 0).astype(np.uint16)
    if mask.shape != (detector.spixels, detector.fpixels):
        raise InputError(
            f"{name}: the mask has {mask.shape[1]} x {mask.shape[0]} pixels; "
            f"expected the detector's {detector.fpixels} x {detector.spixels}"
        )
    if not mask.any():
        other = "nonzero" if config.mask_keeps == "zero" else "zero"
        warn(f"{name}: the mask leaves no pixel to render, the image is 0; --mask-keeps {other} takes the others")
    return mask


# --- what is said ----


def _in_words(header: ImageHeader, frame: str) -> str:
    """Size and geometry for people."""
    parts = (
        ("pixel %g mm", header.pixel_size_m, 1e3),
        ("distance %g mm", header.distance_m, 1e3),
        ("wavelength %g Å", header.wavelength_m, 1e10),
        ("start angle %g°", header.phi, RADIAN_IN_DEGREES),
        ("width %g°", header.osc, RADIAN_IN_DEGREES),
        ("beam X %g mm", header.Xbeam_m, 1e3),
        ("beam Y %g mm", header.Ybeam_m, 1e3),
        ("origin X %g px", header.ORGX, 1.0),
        ("origin Y %g px", header.ORGY, 1.0),
    )
    words = [f"{header.fpixels} x {header.spixels} pixels", frame]
    words += [template % (value * scale) for template, value, scale in parts if value is not None]
    if header.beam_px is not None:
        words.append("beam at fast %g slow %g px" % header.beam_px)
    return ", ".join(word for word in words if word)


def _warn_of_what_was_not_read(image: InputImage, headers: Iterable[ImageHeader], config: Config) -> None:
    """One warning for one image: what it does not say, and which default stands in."""
    remarks = [*image.header.remarks, *_on_tilt(image, config), *_on_distance(image, config)]
    missing = [
        f"no {name} ({stand_in})"
        for field, name, stand_in, options in _QUANTITIES
        if all(getattr(config, option) is None for option in options)
        and not any(_is_said(field, header, config) for header in headers)
    ]
    if missing:
        remarks.append(f"{', '.join(missing)}: the defaults in brackets stand in")
    if remarks:
        warn(f"{image.path}: {image.option}: {'; '.join(remarks)}")


def _is_said(field: str, header: ImageHeader, config: Config) -> bool:
    """Whether a header, or an option for the beam centre, says a quantity in a way that the run takes."""
    if field == "distance_m" and header.close_distance_m is not None:
        return True
    if field != "beam":
        return getattr(header, field) is not None
    pairs = {"xds": [_ORIGIN], "dials": [_ORIGIN], "custom": [_BEAM, _NEAR, _ORIGIN]}.get(config.convention, [_BEAM])
    return header.beam_px is not None or any(
        all(getattr(place, name, None) is not None for name in pair) for place in (header, config) for pair in pairs
    )


def _on_tilt(image: InputImage, config: Config) -> list[str]:
    """A tilt that the header says and no option gives."""
    tilt_deg = image.header.tilt_deg
    tilted = any(getattr(config, name) != 0.0 for name in _TILTS) or config.convention == "custom"
    if not tilt_deg or tilted:
        return []
    words = image.header.spelled.get("tilt_deg", "")
    why = f" ('{words}')" if words else ""
    as_c = ", as in the C program" if image.is_smv else ""
    return [f"the detector is tilted by {tilt_deg:.4g}°{why}, which headers do not do here{as_c}: -twotheta does"]


def _on_distance(image: InputImage, config: Config) -> list[str]:
    """A distance on the command line that the header's nearest distance wins over, as in the C program."""
    if not image.is_smv or image.header.close_distance_m is None:
        return []
    if config.distance_m is None or config.close_distance_m is not None:
        return []
    words = shown(image.header.spelled["close_distance_m"])
    return [f"'{words}' wins over -distance, as in the C program; -close_distance wins over it"]
