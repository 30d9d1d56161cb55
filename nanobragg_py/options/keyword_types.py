"""Types of the keywords of simulate(), Simulator() and Simulator.render(), for editors and type checkers.

Made by python -m nanobragg_py.options.keyword_types_source: change the flag table, not this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .amorphous import Amorphous

    File = str | PathLike[str]
    Integers = Sequence[int] | NDArray[Any]
    Numbers = Sequence[float] | NDArray[Any]


class Rotation(Protocol):
    """SciPy's Rotation, or whatever else gives its matrix (3, 3)."""

    def as_matrix(self) -> Any:
        """The rotation matrix."""


class Changes(TypedDict, total=False):
    """Keywords whose values may differ between images of one Simulator."""

    Xbeam_mm: float | None
    """direct beam, X of the convention [mm]"""
    Ybeam_mm: float | None
    """direct beam, Y of the convention [mm]"""
    Xclose_mm: float | None
    """point nearest to the sample, X [mm]"""
    Yclose_mm: float | None
    """point nearest to the sample, Y [mm]"""
    ORGX: float | None
    """XDS origin, fast [px]"""
    ORGY: float | None
    """XDS origin, slow [px]"""
    pivot: Literal["beam", "sample"] | None
    """turn the detector about 'beam' or 'sample'; only custom axes heed it"""
    distance_mm: float | None
    """from the sample to the direct beam spot [mm]"""
    close_distance_mm: float | None
    """from the sample to the nearest point [mm]"""
    detector_absorb_um: Literal["inf"] | float | None
    """attenuation depth of the sensor, or 'inf' [µm]"""
    detector_absorption_um: Literal["inf"] | float | None
    """attenuation depth of the sensor, or 'inf' [µm]; another name of detector_absorb_um"""
    detector_thick_um: float | None
    """thickness of the sensor [µm]"""
    detector_thicksteps: int | None
    """layers of the sensor"""
    thicksteps: int | None
    """layers of the sensor"""
    twotheta_deg: float | None
    """swing of the detector [deg]"""
    detector_rotx_deg: float | None
    """turn of the detector about x [deg]"""
    detector_roty_deg: float | None
    """turn of the detector about y [deg]"""
    detector_rotz_deg: float | None
    """turn of the detector about z [deg]"""
    polar: float | None
    """Kahn polarization factor"""
    oversample: int | None
    """sub-pixels along each side of a pixel"""
    roi: Integers | None
    """render only these pixels: xmin xmax ymin ymax, both ends included [px]"""
    fluence: float | None
    """photons through the sample [photons/m²]"""
    flux: float | None
    """with -exposure and -beamsize, instead of -fluence [photons/s]"""
    exposure_s: float | None
    """time [s]"""
    beamsize_mm: float | None
    """width of the beam; clips the sample [mm]"""
    dispersion_percent: float | None
    """width of the spectrum, of the wavelength [percent]"""
    dispsteps: int | None
    """number of wavelengths"""
    divergence_mrad: float | Numbers | None
    """divergence, horizontal and vertical [mrad]"""
    hdivrange_mrad: float | None
    """horizontal divergence [mrad]"""
    vdivrange_mrad: float | None
    """vertical divergence [mrad]"""
    hdivstep_mrad: float | None
    """step in horizontal divergence [mrad]"""
    hdivsteps: int | None
    """number of horizontal steps"""
    vdivstep_mrad: float | None
    """step in vertical divergence [mrad]"""
    vdivsteps: int | None
    """number of vertical steps"""
    divsteps: int | Integers | None
    """number of steps, both ways"""
    phi_deg: float | None
    """spindle angle of the first step [deg]"""
    osc_deg: float | None
    """range of the spindle sweep [deg]"""
    osc_range_deg: float | None
    """range of the spindle sweep [deg]; another name of osc_deg"""
    phistep_deg: float | None
    """angle between steps [deg]"""
    phisteps: int | None
    """number of steps"""
    dmin_A: float | None
    """ignore everything finer than this [Å resolution]"""
    sourcefile: File | None
    """list of sources: x y z weight wavelength(m)"""
    water_um: float | None
    """thickness of water for the background [µm of water]"""
    nopolar: bool | None
    """no polarization correction"""
    oversample_thick: bool | None
    """sensor effect anew for each sub-pixel"""
    oversample_polar: bool | None
    """polarization anew for each sub-pixel"""
    oversample_omega: bool | None
    """solid angle anew for each sub-pixel"""
    round_divergence: bool | None
    """round off the corners of the divergence (default: True)"""
    background: Amorphous | Mapping[str, object] | Sequence[Amorphous | Mapping[str, object]] | None
    """scattering of a material without order: 'water', 'air', 'paraffin', or a file of sin(theta)/lambda and F; with
    --background-thick; may be repeated
    """
    detector: Literal["pilatus", "eiger", "jungfrau", "ccd"] | None
    """a kind of detector, whose point spread, gain, noise and limits the noise image gets; the options below change
    single properties
    """
    psf: Literal["gauss", "fiber", "none"] | None
    """point spread function: Gaussian, or a fibre-optic taper's"""
    psf_fwhm_um: float | None
    """its full width at half maximum, in µm (default: 46)"""
    psf_radius: int | None
    """pixels beyond which it is cut off (default: nowhere)"""
    gain: float | None
    """counts for each photon (default: 1)"""
    offset: float | None
    """counts added to the noise image (default: -adc's)"""
    readout_noise: float | None
    """rms noise of the readout, in counts (default: 0)"""
    calibration: float | None
    """relative rms error of the pixels' calibration (default: 0)"""
    calibration_seed: int | None
    """seed of these errors, which are a detector's, not an image's (default: 1)"""
    flicker: float | None
    """relative rms variation of the beam from image to image (default: 0)"""
    saturation: int | None
    """largest count (default: what the bits allow)"""
    bits: Literal[16, 32] | None
    """bits of a pixel of the noise image (default: 16)"""
    sources: File | ArrayLike | None
    """sources: a file, or an array (n, 5) of x y z [m], weight, wavelength [m]"""


class Keywords(Changes, total=False):
    """All keywords; None stands for what is not given."""

    img: File | None
    """take detector, distance, wavelength, beam centre, angles from this image's header: SMV, CBF, EDF, NXmx, ..."""
    mask: File | ArrayLike | None
    """skip pixels that are 0 in this image, or masked in its format: SMV, CBF, NPY, NXmx, Fit2D, ...; its header counts
    too; or an array (slow, fast), 0 = skip
    """
    Na: int | None
    """unit cells along a"""
    Nb: int | None
    """unit cells along b"""
    Nc: int | None
    """unit cells along c"""
    N: int | Integers | None
    """unit cells along a, b and c"""
    cell: float | Numbers | None
    """unit cell, instead of -mat: a b c alpha beta gamma; one to six numbers [Å and deg]"""
    unit_cell: float | Numbers | None
    """unit cell, instead of -mat: a b c alpha beta gamma; one to six numbers [Å and deg]; another name of cell"""
    misset: Literal["random"] | Numbers | Rotation | None
    """turn the crystal about x, y, z; or the word 'random' [deg]"""
    samplesize_mm: float | Numbers | None
    """full width of the crystal [mm]"""
    sample_size_mm: float | Numbers | None
    """full width of the crystal [mm]; another name of samplesize_mm"""
    sample_x_mm: float | None
    """size along a [mm]"""
    sample_thickness_mm: float | None
    """size along a [mm]; another name of sample_x_mm"""
    sample_width_mm: float | None
    """size along b [mm]"""
    sample_y_mm: float | None
    """size along b [mm]; another name of sample_width_mm"""
    width_mm: float | None
    """size along b [mm]; another name of sample_width_mm"""
    sample_z_mm: float | None
    """size along c [mm]"""
    sample_height_mm: float | None
    """size along c [mm]; another name of sample_z_mm"""
    height_mm: float | None
    """size along c [mm]; another name of sample_z_mm"""
    xtalsize_mm: float | Numbers | None
    """full width of the crystal, instead of -N [mm]"""
    xtal_size_mm: float | Numbers | None
    """full width of the crystal, instead of -N [mm]; another name of xtalsize_mm"""
    xtal_x_mm: float | None
    """size along a [mm]"""
    xtal_thickness_mm: float | None
    """size along a [mm]; another name of xtal_x_mm"""
    xtal_width_mm: float | None
    """size along b [mm]"""
    xtal_y_mm: float | None
    """size along b [mm]; another name of xtal_width_mm"""
    xtal_z_mm: float | None
    """size along c [mm]"""
    xtal_height_mm: float | None
    """size along c [mm]; another name of xtal_z_mm"""
    fdet_vector: Numbers | None
    """fast axis; this and the next seven make the axes custom"""
    sdet_vector: Numbers | None
    """slow axis"""
    odet_vector: Numbers | None
    """normal of the detector"""
    beam_vector: Numbers | None
    """direction of the beam"""
    polar_vector: Numbers | None
    """direction of the E vector"""
    spindle_axis: Numbers | None
    """rotation axis of phi"""
    twotheta_axis: Numbers | None
    """axis of the two-theta swing; also sets -twotheta to x"""
    pix0_vector_m: Numbers | None
    """corner of the first pixel; used with --fix pix0 only [m]"""
    detsize_mm: float | Numbers | None
    """width and height of the detector [mm]"""
    detsize_fast_mm: float | None
    """width of the detector [mm]"""
    detsize_slow_mm: float | None
    """height of the detector [mm]"""
    detpixels: int | Integers | None
    """width and height in pixels"""
    detpixels_x: int | None
    """width in pixels"""
    detpixels_fast: int | None
    """width in pixels; another name of detpixels_x"""
    detpixels_y: int | None
    """height in pixels"""
    detpixels_slow: int | None
    """height in pixels; another name of detpixels_y"""
    pixel_mm: float | None
    """size of a pixel [mm]"""
    pixel_size_mm: float | None
    """size of a pixel [mm]; another name of pixel_mm"""
    lambda_A: float | None
    """wavelength [Å]"""
    wavelength_A: float | None
    """wavelength [Å]; another name of lambda_A"""
    energy_eV: float | None
    """photon energy, instead of -lambda [eV]"""
    mosaic_deg: float | None
    """mosaic spread [deg]"""
    mosaicity_deg: float | None
    """mosaic spread [deg]"""
    mosaic_spread_deg: float | None
    """mosaic spread [deg]; another name of mosaicity_deg"""
    mosaic_domains: int | None
    """number of mosaic domains"""
    adc: float | None
    """added to the integer images [counts]"""
    adc_offset: float | None
    """added to the integer images [counts]; another name of adc"""
    mat: File | None
    """MOSFLM matrix: three reciprocal vectors, times the wavelength"""
    matrix: File | ArrayLike | None
    """MOSFLM matrix: a file, or an array (3, 3) with columns a*, b*, c* [1/Å] times λ [Å]"""
    mat_file: File | None
    """MOSFLM matrix: three reciprocal vectors, times the wavelength; another name of mat"""
    matfile: File | None
    """MOSFLM matrix: three reciprocal vectors, times the wavelength; another name of mat"""
    hkl: File | ArrayLike | tuple[ArrayLike, ArrayLike] | None
    """list of h k l F for the whole of P1; or MTZ, CIF, PDB, ...; or an array (n, 4) of h k l F, or a pair (n, 3), (n,)
    """
    hklfile: File | None
    """list of h k l F for the whole of P1; or MTZ, CIF, PDB, ...; another name of hkl"""
    hkl_file: File | None
    """list of h k l F for the whole of P1; or MTZ, CIF, PDB, ...; another name of hkl"""
    default_F: float | None
    """F of every index that is not in the list [electrons]"""
    dump: File | None
    """binary copy of the list; read when there is no -hkl"""
    dumpfile: File | None
    """binary copy of the list; read when there is no -hkl; another name of dump"""
    dump_file: File | None
    """binary copy of the list; read when there is no -hkl; another name of dump"""
    floatfile: File | None
    """image as raw 4-byte floats"""
    floatimage: File | None
    """image as raw 4-byte floats; another name of floatfile"""
    intfile: File | None
    """image as 16-bit SMV"""
    intimage: File | None
    """image as 16-bit SMV; another name of intfile"""
    pgmfile: File | None
    """image as 8-bit PGM"""
    pgmimage: File | None
    """image as 8-bit PGM; another name of pgmfile"""
    noisefile: File | None
    """image with photon noise, 16-bit SMV"""
    noiseimage: File | None
    """image with photon noise, 16-bit SMV; another name of noisefile"""
    scale: float | None
    """factor of the integer image"""
    pgmscale: float | None
    """factor of the PGM"""
    fudge: float | None
    """widens (below 1) or narrows the spots of the last three"""
    seed: int | None
    """seed of the noise"""
    mosaic_seed: int | None
    """seed of the mosaic domains"""
    misset_seed: int | None
    """seed of -misset random"""
    convention: Literal["custom", "adxv", "mosflm", "xds", "dials", "denzo"] | None
    """one of 'custom', 'adxv', 'mosflm', 'xds', 'dials', 'denzo'"""
    shape: Literal["square", "round", "gauss", "tophat"] | None
    """one of 'square', 'round', 'gauss', 'tophat'"""
    curved_detector: bool | None
    """all pixels equally far"""
    point_pixel: bool | None
    """solid angle 1/r² only"""
    interpolate: bool | None
    """tricubic interpolation between reflections (default: of crystals up to two cells wide)"""
    write_pgm: bool | None
    """whether Result.write makes a PGM (default: True)"""
    write_noise: bool | None
    """whether Result.write makes a noise image (default: True)"""
    threads: int | None
    """threads to render with; results do not depend on it"""
    fix: str | Iterable[str] | None
    """known defects of the C program to correct, separated by commas, 'all' or 'none'"""
    column: str | None
    """column of an MTZ or mmCIF file to read amplitudes from"""
    symmetry: str | None
    """space group of a reflection file that states none"""
    mask_keeps: Literal["zero", "nonzero"] | None
    """which pixels a mask keeps: 'zero' or 'nonzero'"""
    sf_resolution_A: float | None
    """finest resolution taken from crystal data [Å]"""
