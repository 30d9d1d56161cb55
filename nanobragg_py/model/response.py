"""What a detector makes of the photons that reach it: point spread, gain, noise, and the numbers that it can report."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from ..base.errors import InputError, shown
from .counts import LARGEST_COUNT

SPREADS = ("gauss", "fiber")
# The most that a pixel of so many bits can report; of 32, the most that files keep for counts.
LARGEST = {16: 65535, 32: LARGEST_COUNT}
# Width of a point spread of which only the kind was said, as in the C program noisify.
USUAL_FWHM_UM = 46.0


@dataclass(frozen=True)
class Detector:
    """How a detector responds to photons.

    A pixel reports the nearest whole number to

        gain · spread(Poisson(mean · (1 + flicker·g) · (1 + calibration·g'))) + offset + readout_noise·g''

    not below 0 and not above the saturation; g are Gaussian deviates: g one for each image, g' one for each pixel, the
    same in every image, g'' one for each pixel of each image (Holton, Classen, Frankel & Tainer, FEBS J. 281 (2014),
    4046). What a sensor of finite thickness captures belongs to the experiment (-detector_thick).

    psf: point spread function, "gauss", "fiber" (fibre-optic taper: Holton, Nielsen & Frankel, J. Synchrotron Rad. 19
    (2012), 1006) or None. psf_fwhm_um: its full width at half maximum, µm. psf_radius: pixels beyond which it is cut
    off; 0 for no limit. gain: counts for each photon. offset: counts that are added. readout_noise: rms, counts.
    calibration: relative rms error of the pixels' calibration, drawn from calibration_seed. flicker: relative rms
    variation of the beam from image to image. saturation: largest count; None for what the bits allow. bits: of a
    pixel, 16 or 32.

    Raises InputError for a value that cannot be.

    >>> from nanobragg_py import Detector
    >>> Detector.preset("ccd", readout_noise=5.0).gain
    1.8
    """

    psf: str | None = None
    psf_fwhm_um: float = USUAL_FWHM_UM
    psf_radius: int = 0
    gain: float = 1.0
    offset: float = 0.0
    readout_noise: float = 0.0
    calibration: float = 0.0
    calibration_seed: int = 1
    flicker: float = 0.0
    saturation: int | None = None
    bits: int = 32

    def __post_init__(self) -> None:
        if self.psf == "fibre":
            object.__setattr__(self, "psf", "fiber")
        if self.psf is not None and self.psf not in SPREADS:
            raise InputError(f"psf: expected 'gauss', 'fiber' or None, got {self.psf!r}")
        if self.bits not in LARGEST:
            raise InputError(f"bits: expected 16 or 32, got {self.bits!r}")
        for name in ("psf_radius", "calibration_seed"):
            _check(name, getattr(self, name), 0, whole=True)
        for name in ("readout_noise", "calibration", "flicker", "offset"):
            _check(name, getattr(self, name), 0)
        for name in ("gain", "psf_fwhm_um"):
            _check(name, getattr(self, name), 0, above=True)
        if self.saturation is not None:
            _check("saturation", self.saturation, 1, whole=True)
            if self.saturation > LARGEST[self.bits]:
                raise InputError(
                    f"saturation: {self.saturation} counts do not fit into {self.bits} bits: expected at most "
                    f"{LARGEST[self.bits]}"
                )

    @property
    def largest_count(self) -> int:
        """The most that a pixel reports."""
        return LARGEST[self.bits] if self.saturation is None else self.saturation

    @classmethod
    def preset(cls, name: str, **other: Any) -> Detector:
        """A detector of a known kind (see PRESETS), with other values of some fields. Raises InputError."""
        if name not in PRESETS:
            raise InputError(f"detector: expected one of {', '.join(PRESETS)}, got '{shown(str(name))}'")
        if unknown := other.keys() - {field.name for field in fields(cls)}:
            raise InputError(f"detector: no property '{shown(min(unknown))}'")
        return cls(**(PRESETS[name] | other))


def _check(name: str, value: Any, least: float, whole: bool = False, above: bool = False) -> None:
    """Raise InputError for what is no number, or too small."""
    wanted = f"{'a whole' if whole else 'a'} number {'above' if above else 'of'} {least}{'' if above else ' or more'}"
    numeric = hasattr(value, "__index__") if whole else hasattr(value, "__float__")
    if isinstance(value, (bool, str)) or not numeric or not math.isfinite(value):
        raise InputError(f"{name}: expected {wanted}, got {value!r}")
    if value < least or (above and value == least) or (whole and value >= 2**63):
        raise InputError(f"{name}: expected {wanted}, got {value!r}")


# Round figures for kinds of detectors, from their makers' and users' descriptions; whoever knows his own gives those.
# pilatus: counts single photons, 20 bits deep (Kraft et al., J. Synchrotron Rad. 16 (2009), 368).
# eiger: the same with 16 bits for each frame (Casanas et al., Acta Cryst. D72 (2016), 1036).
# jungfrau: integrates charge, about 40 units/keV in its highest gain, noise 0.025 photons of 12.4 keV, up to 10^4 of
#   them (Mozzanica et al., J. Instrum. 9 (2014), C05010; Leonarski et al., Nat. Methods 15 (2018), 799). Its switching
#   of gains is not simulated.
# ccd: phosphor, fibre-optic taper and CCD, as in the example of the C program noisify's documentation.
PRESETS: dict[str, dict[str, Any]] = {
    "pilatus": {"bits": 32, "saturation": 1_048_575, "calibration": 0.01},
    "eiger": {"bits": 32, "saturation": 65_535, "calibration": 0.01},
    "jungfrau": {
        "bits": 32, "gain": 500.0, "readout_noise": 12.5, "saturation": 5_000_000, "calibration": 0.01,
    },
    "ccd": {
        "bits": 16, "psf": "fiber", "psf_fwhm_um": USUAL_FWHM_UM, "gain": 1.8, "offset": 40.0, "readout_noise": 3.0,
        "calibration": 0.03,
    },
}  # fmt: skip
