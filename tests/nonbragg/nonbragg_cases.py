"""Command lines of nonBragg and the files that they read: small, and made without a random generator."""

from __future__ import annotations

import math
from pathlib import Path

FAST, SLOW = 32, 24
# The beam meets a detector of 77 x 58 mm near its middle.
SMALL = f"-detpixels_x {FAST} -detpixels_y {SLOW} -pixel 2.4 -seed 1 -noprogress"
START = f"-stol water.stol {SMALL} -fluence 1e22"

CASES: dict[str, str] = {
    "no_words": "",
    "missing_table": "-stol none.stol",
    "empty_table": "-stol empty.stol",
    "plain": START,
    "progress": f"{START} -progress",
    "pixels_in_all": "-stol water.stol -detpixels 20 -pixel 3 -fluence 1e22 -seed 2",
    "detsize": "-stol water.stol -detsize 60 -pixel 2.5 -seed 2",
    "detsize_x_y": "-stol water.stol -detsize_x 60 -detsize_y 45 -pixel 2.5 -seed 2",
    "one_pixel_more": "-stol water.stol -detpixels 13 -pixel 0.1 -distance 5 -seed 2",
    "fast_and_slow": "-stol water.stol -detpixels_f 9 -detpixels_s 7 -pixel 9 -seed 2",
    "names": f"{START} -floatfile a.bin -intfile a.img -pgmfile a.pgm -noisefile b.img",
    "other_names": f"{START} -floatimage a.bin -intimage a.img -pgmimage a.pgm -noiseimage b.img",
    "no_noise": f"{START} -nonoise -noprogress",
    "noise_after_all": f"{START} -nonoise -noisefile b.img -noprogress -progress",
    "no_effect": f"{START} -nopgm -noreject -coherent -spindle_axis 0 1 0 -pix0_vector 1 2 3 -odet_vector 1 1 1",
    "scales": f"{START} -scale 0.01 -pgmscale 0.001 -adc 10",
    "negative_offset": f"{START} -adc -30",
    "gain_is_not_for_noise": f"{START} -gain 3",
    "seed_0": f"{START} -seed 0",
    "seed_negative": f"{START} -seed -5",
    "bright": f"{START} -fluence 1e27",
    "dark": f"{START} -fluence 1e15",
    "samplesize": f"{START} -samplesize 0.05 -density 0.9 -MW 20",
    "sample_size_clipped": f"{START} -sample_size 2",
    "sample_sides": f"{START} -thick 0.3 -width 0.02 -heigh 0.03 -beamsize 0.5",
    "sample_other_names": f"{START} -sample_thick 0.3 -sample_width 0.02 -sample_heigh 0.03 -sample_density 0.001",
    "sample_x_y_z": f"{START} -sample_x 0.2 -sample_y 0.01 -sample_z 0.05 -molecular_weight 29",
    "molecules": f"{START} -molecules 1e15",
    "sample_molecules": f"{START} -sample_molecules 3e14 -samplesize 0.1",
    "flux": f"{START} -flux 1e12 -exposure 0.5 -beamsize 0.08",
    "beam_centre": f"{START} -Xbeam 10 -Ybeam 70 -distance 90",
    "near_point": f"{START} -Xclose 30 -Yclose 20 -close_distance 80",
    "near_pixel": f"{START} -ORGX 12.5 -ORGY 8.25",
    "pivot_beam": f"{START} -twotheta 12 -pivot beam",
    "pivot_sample": f"{START} -Xbeam 20 -pivot sample -detector_rotx 5 -detector_roty -10 -detector_rotz 3",
    "behind_the_sample": f"{START} -close_distance -80",
    "twotheta": f"{START} -twotheta 25 -twotheta_axis 0 0.6 0.8",
    "vectors": f"{START} -fdet_vector 0 0.1 1 -sdet_vector 0.05 -1 0 -beam_vector 1 0.02 0 -polar_vector 0 0.5 1",
    "curved": f"{START} -curved_det -Xbeam 30 -Ybeam 25",
    "curved_last": f"{START} -curved_det",
    "point_pixel": f"{START} -point_pixel",
    "F_map": f"{START} -Fmap",
    "polarized": f"{START} -polar 0.9",
    "polarized_vertically": f"{START} -polar -1 -polar_vector 0 1 0",
    "polarized_along_the_beam": f"{START} -polar 0.5 -polar_vector 1 0 0",
    "polarized_beyond_1": f"{START} -polar 4 -distance 20",
    "no_polarization": f"{START} -polar 0.9 -nopolar",
    "oversample": f"{START} -oversample 3",
    "region": f"{START} -roi 3 20 5 15",
    "region_beyond": f"{START} -roi 20 90 -4 7",
    "region_empty": f"{START} -roi 90 99 0 7",
    "wavelength": f"{START} -lambda 1.8",
    "energy": f"{START} -energy 9000",
    "wave": f"{START} -wave 1.3 -wavelength 1.2",
    "dispersion": f"{START} -dispersion 5 -dispsteps 3",
    "divergence": f"{START} -divergence 20 -divsteps 3 -source_distance 500",
    "divergence_square": f"{START} -hdivrange 20 -hdivstep 5 -vdivrange 10 -vdivstep 5 -square_div",
    "divergence_round": f"{START} -hdivrange 20 -hdivsteps 4 -vdivsteps 2 -vdivrange 9 -round_div",
    "source_list": f"{START} -sourcefile sources.txt -polar 0.7 -oversample 2",
    "angles_of_header": f"{START} -phi 12 -osc 0.5 -phistep 0.1",
    "range_of_steps": f"{START} -phisteps 4",
    "printout": f"-stol water.stol -detpixels 5 -pixel 9 -seed 1 -printout {'-oversample 2'}",
    "printout_pixel": f"{START} -printout_pixel 5 6 -curved_det -polar 0.5",
    "printout_at_no_distance": f"{START} -printout_pixel 5 6 -curved_det -close_distance 0",
    "four_stol": START.replace("-stol water.stol", "-4stol water4.stol"),
    "Q": START.replace("-stol water.stol", "-Q waterq.stol"),
    "negative_F": START.replace("water.stol", "negative.stol"),
    "short_table": START.replace("water.stol", "short.stol"),
    "odd_table": START.replace("water.stol", "odd.stol"),
    "unordered_table": START.replace("water.stol", "unordered.stol"),
    "image": "-stol coarse.stol -img in.img -fluence 1e22 -seed 3 -noprogress",
    "image_ignored": "-stol coarse.stol -img in.img -fluence 1e22 -seed 3 -ignore 700 -ignore 65535 -stolout curve.txt",
    "image_counts": "-stol coarse.stol -img in.img -fluence 1e22 -seed 3 -gain 2 -adc 500 -nopolar",
    "image_region": "-stol coarse.stol -img in.img -fluence 1e22 -seed 3 -roi 4 30 2 20",
    "image_overridden": "-stol coarse.stol -img in.img -fluence 1e22 -seed 3 -distance 60 -lambda 1.2 -detpixels 20",
    "words_read_as_others": f"{START} -my-gain 2 -adc_offset 20 -oversample_thick 2",
}  # fmt: skip


def F_of_water(stol: float) -> float:
    """A curve like water's (electrons): forward scattering of 2.57, a ring, and a fall."""
    return 2.57 * math.exp(-3.0 * stol) + 4.5 * math.exp(-(((stol - 0.16) / 0.05) ** 2))


def lines(stol: list[float], factor: float = 1.0, less: float = 0.0) -> str:
    """A table."""
    return "".join(f"{s * factor:.6f} {F_of_water(s) - less * s:.5f}\n" for s in stol)


def files() -> dict[str, bytes]:
    """All files that the command lines read, by name."""
    fine = [0.005 * i for i in range(120)]
    coarse = [0.02 + 0.04 * i for i in range(12)]
    tables = {
        "water.stol": lines(fine),
        "coarse.stol": lines(coarse),
        "water4.stol": lines(fine, 4.0),
        "waterq.stol": lines(fine, 4.0 * math.pi),
        "negative.stol": lines(fine, less=9.0),
        "short.stol": "0.2 3.5\n",
        "odd.stol": "0\t2.5\n\n0.05, 2.6, 9\n0.1\n 0.15;5\n0.2 : 6\n0.3 2",
        "unordered.stol": lines([0.1, 0.3, 0.2, 0.4, 0.15, 0.15, 0.5]),
        "empty.stol": "\n\n",
        "sources.txt": "-10 0.1 0 1 1e-10\n-10 0 0.2 0.5 1.1e-10\n-10 -0.3 0\n-9 0 0 -0.25\n",
    }  # fmt: skip
    header = (
        "{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n"
        f"SIZE1={FAST};\nSIZE2={SLOW};\nPIXEL_SIZE=2.4;\nDISTANCE=110;\nWAVELENGTH=1.1;\nBEAM_CENTER_X=38;\n"
        "BEAM_CENTER_Y=29;\nPHI=7;\nOSC_RANGE=0.5;\nTWOTHETA=0;\n}\f"
    )
    pixels = [40 + (7 * x + 13 * y) % 31 * 100 for y in range(SLOW) for x in range(FAST)]
    image = header.encode().ljust(512) + b"".join(pixel.to_bytes(2, "little") for pixel in pixels)
    return {**{name: text.encode() for name, text in tables.items()}, "in.img": image}


def write_inputs(folder: Path) -> None:
    """Put the files into a folder."""
    for name, content in files().items():
        (folder / name).write_bytes(content)
