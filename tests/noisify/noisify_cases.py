"""Command lines of noisify, and the images that they start from: small, and made without a random generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FAST, SLOW = 32, 24
START = f"-floatfile image.bin -detpixels_x {FAST} -detpixels_y {SLOW} -seed 1"

CASES: dict[str, str] = {
    "no_words": "",
    "missing_file": "-floatfile none.bin",
    "plain": START,
    "bare_word": "my_floatimage.bin -seed 7",
    "bin_size_guessed": "-bin image.bin -seed 2",
    "floatimage_square": "-floatimage square.bin -detpixels 16 -seed 3",
    "only_detpixels_y": f"-floatfile image.bin -detpixels_y {SLOW} -seed 3",
    "short_file": "-floatfile image.bin -detpixels 40 -seed 3",
    "much_too_short_file": "-floatfile image.bin -detpixels 400 -seed 3",
    "long_file": "-floatfile image.bin -detpixels 20 -seed 3",
    "no_noise": f"{START} -nonoise",
    "no_noise_spread": f"{START} -nonoise -psf gauss -psf_fwhm 150",
    "no_pgm": f"{START} -nopgm",
    "header_values": f"{START} -lambda 1.3 -Xbeam 1.1 -Ybeam 0.9 -distance 222 -pixel 0.05 -phi 12 -osc 0.5",
    "detsize": f"{START} -detsize 5",
    "detsize_x_y": f"{START} -detsize_x 5 -detsize_y 4",
    "names": f"{START} -intfile a.img -pgmfile b.pgm -noisefile c.img",
    "other_names": f"{START} -intimage a.img -pgmimage b.pgm -noiseimage c.img",
    "bits_32": f"{START} -bits 32 -scale 1000",
    "bits_8": f"{START} -bits 8",
    "overloads": f"{START} -scale 200 -calibration 0",
    "overloads_32": f"{START} -bits 32 -scale 1e8 -calibration 0",
    "below_0_wraps": f"{START} -adc 0 -readout 3",
    "below_0_wraps_32": f"{START} -adc -5 -readnoise 3 -bits 32",
    "far_below_0": f"{START} -adc -3e9 -bits 32",
    "far_below_0_odd_size": "-floatfile image.bin -detpixels_x 7 -detpixels_y 13 -seed 1 -adc -3e9 -bits 32",
    "scaled_to_minus_0": f"{START} -scale -1 -nonoise -psf fiber",
    "photons_of_all_sizes": f"{START} -scale 3 -flicker 0.05 -readout 1 -bits 32",
    "gaussian_photons": f"{START} -scale 3000 -calibration 0.01 -calib_seed 9 -bits 32",
    "flicker": f"{START} -flicker 0.1 -calibration 0",
    "calibration": f"{START} -calibration 0.2 -calib_seed 5",
    "calibration_seed_0": f"{START} -calibration 0.2 -calib_seed 0",
    "calibration_seed_negative": f"{START} -calib_seed -5 -flicker 0.02",
    "unused_seeds": f"{START} -badpix_seed 3 -hotpix_seed 4",
    "seed_negative": f"{START} -seed -9",
    "gain_and_scale": f"{START} -gain 1.7 -scale 0.25 -readout_noise 1.5",
    "fluence": f"{START} -fluence 1e30",
    "gaussian_automatic": f"{START} -psf gauss -psf_size 120",
    "gaussian_radius": f"{START} -psf gaussian -psf_radius 3 -psf_width 200",
    "fibre_automatic": f"{START} -psf fiber",
    "fibre_wide": f"{START} -psf fiber -psf_fwhm 400 -calibration 0",
    "fibre_radius": f"{START} -psf fiber -psf_rad 4.9",
    "fibre_radius_beyond_image": f"{START} -psf fiber -psf_rad 100",
    "fibre_radius_negative": f"{START} -psf fiber -psf_rad -2",
    "unknown_spread": f"{START} -psf round -psf fiber -psf cone",
    "spread_of_no_width": f"{START} -psf fiber -psf_fwhm 0",
    "spread_negative_pixel": f"{START} -psf fiber -pixel -0.1",
    "spread_at_edges": f"-floatfile edges.bin -detpixels_x {FAST} -seed 4 -psf fiber -psf_fwhm 300 -bits 32",
    "spread_of_dim": f"-floatfile image.bin -detpixels_x {FAST} -seed 4 -scale 1e-5 -nonoise -psf gauss",
    "nothing_to_spread": f"-floatfile image.bin -detpixels_x {FAST} -seed 4 -scale -1 -nonoise -psf fiber",
    "negative_values": f"-floatfile negative.bin -detpixels_x {FAST} -seed 5",
    "header": "-floatfile image.bin -header header.img -seed 6",
    "header_and_options": "-floatfile image.bin -header header.img -seed 6 -pixel 0.3 -distance 7 -detpixels 9",
    "all_noise": f"{START} -flicker 0.02 -calibration 0.05 -readout 2 -psf fiber -psf_fwhm 90 -gain 3 -adc 10",
    "words_read_as_others": f"{START} -my-gain 2 -adc_offset 20x",
}  # fmt: skip


def images() -> dict[str, np.ndarray]:
    """Float images, float32, by file name."""
    y, x = np.mgrid[0:SLOW, 0:FAST].astype(np.float64)
    smooth = 5.0 + (7 * x + 13 * y) % 31
    spots = np.where((x % 9 == 4) & (y % 7 == 3), 800.0 + 40 * x, smooth)
    edges = np.zeros((SLOW, FAST))
    edges[[0, 0, -1, -1, 9, 10], [0, -1, 0, -1, -1, 0]] = [3e4, 2e6, 1e4, 5e4, 7e5, 20.0]
    every = {
        "image.bin": spots,
        "my_floatimage.bin": smooth / 3.0,
        "square.bin": spots[:16, :16],
        "edges.bin": edges,
        "negative.bin": np.where((x == 3) & (y % 5 == 0), -2.5, smooth),
    }
    return {name: np.ascontiguousarray(image, dtype=np.float32) for name, image in every.items()}


def write_inputs(folder: Path) -> None:
    """All files that the command lines read."""
    for name, image in images().items():
        (folder / name).write_bytes(image.tobytes())
    text = (
        "{\nHEADER_BYTES=  512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n"
        f"SIZE1={FAST};\nSIZE2={SLOW};\nPIXEL_SIZE=0.09;\nDISTANCE=123;\nWAVELENGTH=1.2;\nBEAM_CENTER_X=1.5;\n"
        "BEAM_CENTER_Y=1.25;\n}\f"
    )
    (folder / "header.img").write_bytes(text.encode().ljust(512) + bytes(2 * FAST * SLOW))
