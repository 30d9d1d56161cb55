"""nonBragg's options as data, in the order in which the C program looks through them; see options/table.py."""

from __future__ import annotations

from typing import Any

from ..options.table import Option

CAMERA, SAMPLE, BEAM, FORM, OUTPUT = "Detector", "Sample", "Beam", "Structure factors", "Output and run"
GROUPS = (FORM, SAMPLE, BEAM, CAMERA, OUTPUT)
AT_SAMPLE, AT_BEAM = {"pivot": "sample"}, {"pivot": "beam"}


def _o(names: str, sets: str, kind: str, group: str, text: str, **more: Any) -> Option:
    return Option(tuple(names.split()), tuple(sets.split()), kind, text, group, **more)


def _flag(names: str, group: str, text: str, **also: Any) -> Option:
    return _o(names, "", "flag", group, text, values=0, also=also)


OPTIONS: tuple[Option, ...] = (
    _o("-samplesize -sample_size", "sample_x_m sample_y_m sample_z_m", "real", SAMPLE, "edge of a cube", unit="mm"),
    _o("-sample_thick -sample_x -thick", "sample_x_m", "real", SAMPLE, "thickness along the beam (0.1)", unit="mm",
       aliases=("-thickness", "-sample_thickness")),
    _o("-sample_width -sample_y -width", "sample_y_m", "real", SAMPLE, "its extent across the beam (0.1)", unit="mm"),
    _o("-sample_heigh -sample_z -heigh", "sample_z_m", "real", SAMPLE, "the other extent across (0.1)", unit="mm",
       aliases=("-height", "-sample_height")),
    _o("-density -sample_den", "density_g_per_m3", "real", SAMPLE, "density (1)", unit="g/cm³",
       aliases=("-sample_density",)),
    _o("-molecules -sample_molecules", "molecules", "real", SAMPLE, "number of molecules, in place of the density"),
    _o("-MW", "molecular_weight", "real", SAMPLE, "molecular weight (18)", unit="g/mol", whole=True),
    _o("-molecular", "molecular_weight", "real", SAMPLE, "the same", unit="g/mol", aliases=("-molecular_weight",)),
    _o("-Xbeam", "Xbeam_m", "real", CAMERA, "beam centre along the fast axis", unit="mm", also=AT_BEAM),
    _o("-Ybeam", "Ybeam_m", "real", CAMERA, "beam centre along the slow axis", unit="mm", also=AT_BEAM),
    _o("-Xclose", "Xclose_m", "real", CAMERA, "point nearest to the sample, fast", unit="mm", also=AT_SAMPLE),
    _o("-Yclose", "Yclose_m", "real", CAMERA, "point nearest to the sample, slow", unit="mm", also=AT_SAMPLE),
    _o("-ORGX", "ORGX", "real", CAMERA, "point nearest to the sample, fast pixel", unit="px", also=AT_SAMPLE),
    _o("-ORGY", "ORGY", "real", CAMERA, "point nearest to the sample, slow pixel", unit="px", also=AT_SAMPLE),
    _o("-pivot", "pivot", "pivot", CAMERA, "beam or sample: what the detector turns about"),
    _o("-fdet_vector", "fdet_vector", "vector", CAMERA, "fast axis", values=3),
    _o("-sdet_vector", "sdet_vector", "vector", CAMERA, "slow axis", values=3),
    _o("-odet_vector", "odet_vector", "vector", CAMERA, "no effect: the normal is fast x slow", values=3),
    _o("-beam_vector", "beam_vector", "vector", BEAM, "direction of the beam", values=3),
    _o("-polar_vector", "polar_vector", "vector", BEAM, "direction of the electric field", values=3),
    _o("-spindle_axis", "spindle_axis", "vector", CAMERA, "no effect", values=3),
    _o("-twotheta_axis", "twotheta_axis", "vector", CAMERA, "axis of -twotheta", values=3),
    _o("-pix0_vector", "pix0_vector", "vector", CAMERA, "no effect", values=3),
    _o("-distance", "distance_m", "real", CAMERA, "distance along the beam (100)", unit="mm", also=AT_BEAM),
    _o("-close_distance", "close_distance_m", "real", CAMERA, "distance along the normal", unit="mm", also=AT_SAMPLE),
    _o("-source_distance", "source_distance_m", "real", BEAM, "distance of the sources (10000)", unit="mm"),
    _o("-twotheta", "twotheta", "real", CAMERA, "swing of the detector (0)", unit="deg", also=AT_SAMPLE),
    _o("-detector_rotx", "rotx", "real", CAMERA, "turn about x (0)", unit="deg"),
    _o("-detector_roty", "roty", "real", CAMERA, "turn about y (0)", unit="deg"),
    _o("-detector_rotz", "rotz", "real", CAMERA, "turn about z (0)", unit="deg"),
    _o("-detsize", "detsize_fast_m detsize_slow_m", "real", CAMERA, "length of both edges (102.4)", unit="mm",
       whole=True),
    _o("-detsize_x", "detsize_fast_m", "real", CAMERA, "length of the fast edge", unit="mm"),
    _o("-detsize_y", "detsize_slow_m", "real", CAMERA, "length of the slow edge", unit="mm"),
    _o("-detpixels", "fpixels spixels", "integer", CAMERA, "pixels along both edges", whole=True),
    _o("-detpixels_f -detpixels_x", "fpixels", "integer", CAMERA, "pixels along the fast edge",
       aliases=("-detpixels_fast",)),
    _o("-detpixels_s -detpixels_y", "spixels", "integer", CAMERA, "pixels along the slow edge",
       aliases=("-detpixels_slow",)),
    _o("-curved_det", "", "follower", CAMERA, "all pixels as far from the sample", values=0, also={"curved": True}),
    _o("-pixel", "pixel_size_m", "real", CAMERA, "pixel size (0.1)", unit="mm"),
    _flag("-point_pixel", CAMERA, "solid angle without area and obliquity", point_pixel=True),
    _flag("-Fmap", OUTPUT, "write F of each pixel's last step in place of photons", Fmap=True),
    _o("-polar", "polarization", "real", BEAM, "Kahn's polarization factor, -1 to 1 (0)", whole=True,
       also={"nopolar": False}),
    _flag("-nopolar", BEAM, "no polarization factor", nopolar=True),
    _o("-oversample", "oversample", "integer", CAMERA, "sub-pixels along each edge of a pixel (1)"),
    _o("-roi", "roi_fast_first roi_fast_last roi_slow_first roi_slow_last", "integer", CAMERA,
       "first and last fast, first and last slow pixel to render", values=4),
    _o("-lambda -wave", "wavelength_m", "real", BEAM, "wavelength (1)", unit="Å", aliases=("-wavelength",)),
    _o("-energy", "wavelength_m", "real", BEAM, "photon energy", unit="eV"),
    _o("-fluence", "fluence_per_m2", "real", BEAM, "fluence (one photon a steradian and electron)", unit="photons/m²"),
    _o("-flux", "flux_per_s", "real", BEAM, "flux, in place of the fluence", unit="photons/s"),
    _o("-exposure", "exposure_s", "real", BEAM, "exposure time (1)", unit="s"),
    _o("-beamsize", "beamsize_m", "real", BEAM, "edge of the beam (0.1); clips the sample", unit="mm"),
    _o("-dispersion", "dispersion", "real", BEAM, "width of the spectrum over the wavelength (0)", unit="percent"),
    _o("-dispsteps", "dispersion_steps", "integer", BEAM, "wavelengths in it"),
    _o("-divergence", "hdiv_range vdiv_range", "real", BEAM, "divergence, both directions", unit="mrad"),
    _o("-hdivrange", "hdiv_range", "real", BEAM, "horizontal divergence", unit="mrad"),
    _o("-vdivrange", "vdiv_range", "real", BEAM, "vertical divergence", unit="mrad"),
    _o("-hdivstep", "hdiv_step", "real", BEAM, "step of the horizontal divergence", unit="mrad", whole=True),
    _o("-hdivsteps", "hdiv_steps", "integer", BEAM, "number of its steps"),
    _o("-vdivstep", "vdiv_step", "real", BEAM, "step of the vertical divergence", unit="mrad", whole=True),
    _o("-vdivsteps", "vdiv_steps", "integer", BEAM, "number of its steps"),
    _o("-divsteps", "hdiv_steps vdiv_steps", "integer", BEAM, "number of steps of both"),
    _flag("-round_div", BEAM, "divergence within an ellipse", round_divergence=True),
    _flag("-square_div", BEAM, "divergence within a rectangle", round_divergence=False),
    _o("-adc", "offset_counts", "real", OUTPUT, "offset added to each pixel (40)", unit="counts"),
    _o("-gain", "gain", "real", FORM, "counts a photon of the image -img (1)", unit="counts"),
    _o("-phi", "phi", "real", CAMERA, "spindle angle, for the header (0)", unit="deg", whole=True),
    _o("-osc", "osc", "real", CAMERA, "oscillation range, for the header (0)", unit="deg"),
    _o("-phistep", "phi_step", "real", CAMERA, "spindle step, which may give -osc", unit="deg", whole=True),
    _o("-phisteps", "phi_steps", "integer", CAMERA, "spindle steps, which may give -osc"),
    _o("-img", "image_file", "text", FORM, "SMV image to take geometry and F against stol from"),
    _o("-ignore", "ignored_values", "ignored", FORM, "pixel value of -img that does not count (repeatable)"),
    _o("-stolout", "stolout_file", "text", FORM, "F against stol of -img (output.stol)"),
    _o("-stol", "stol_file", "text", FORM, "table of sin(theta)/lambda, 1/Å, and F", whole=True,
       also={"stol_option": "-stol"}),
    _o("-4stol", "stol_file", "text", FORM, "table of 4 sin(theta)/lambda, 1/Å, and F", whole=True,
       also={"stol_option": "-4stol"}),
    _o("-Q", "stol_file", "text", FORM, "table of 4 pi sin(theta)/lambda, 1/Å, and F", whole=True,
       also={"stol_option": "-Q"}),
    _o("-sourcefile", "source_file", "text", BEAM, "sources: x, y, z (m), weight, wavelength (m)"),
    _o("-floatfile -floatimage", "float_file", "text", OUTPUT, "float32 photons per pixel (floatimage.bin)"),
    _o("-intfile -intimage", "int_file", "text", OUTPUT, "SMV image without noise (intimage.img)"),
    _o("-pgmfile -pgmimage", "pgm_file", "text", OUTPUT, "PGM image (image.pgm)"),
    _o("-noisefile -noiseimage", "noise_file", "text", OUTPUT, "SMV image with photon noise (noiseimage.img)",
       also={"noise": True}),
    _flag("-nonoise", OUTPUT, "no noise image", noise=False),
    _flag("-nopgm", OUTPUT, "no effect, but with --fix pgm: no PGM image", write_pgm=False),
    _flag("-noreject", OUTPUT, "no effect: outliers are never rejected"),
    _o("-scale", "int_scale", "real", OUTPUT, "factor of the SMV image (brightest pixel at 55000)"),
    _o("-pgmscale", "pgm_scale", "real", OUTPUT, "factor of the PGM image (five rms deviations at 250)"),
    _flag("-coherent", BEAM, "no effect"),
    _flag("-printout", OUTPUT, "print pixels", printout=True),
    _flag("-noprogress", OUTPUT, "no progress lines", progress=False),
    _flag("-progress", OUTPUT, "progress lines", progress=True),
    _o("-printout_pixel", "printout_pixel", "pair", OUTPUT, "the pixel to print: fast, slow", values=2),
    _o("-seed", "seed", "seed", OUTPUT, "seed of the photon noise (the time)"),
)  # fmt: skip
# Options that the C program does not have.
OWN = {
    "--fix": "NAME[,NAME...]  correct known defects of the C program (repeatable): all, none, names; list tells more",
    "--threads": "N  threads to render with (all cores); the image does not depend on it",
}
