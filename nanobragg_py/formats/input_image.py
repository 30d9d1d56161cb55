"""Images that are read: told by their first bytes, opened once, for their header, their pixels, or as a mask."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import InputError
from ..base.memory import size_text
from ..base.optional import require
from ..base.records import record
from . import smv
from .edf import read_edf
from .fit2d_mask import START as FIT2D_MASK_START
from .fit2d_mask import read_fit2d_mask
from .image_header import ImageHeader
from .input_file import InputFile
from .mask_values import COUNTS, NOT_ZERO_IS_GOOD, ZERO_IS_GOOD
from .mini_cbf import START as CBF_START
from .mini_cbf import read_cbf
from .npy import START as NPY_START
from .npy import read_npy
from .pgm_reader import is_pgm, read_pgm
from .tiff_header import tiff_header

_FIRST_BYTES = 512
# Bytes of a file that fabio gets at most, and of one that is decompressed for it.
_MOST_FOREIGN = 2**30
_MOST_FOREIGN_UNPACKED = 2**28
HDF5_START = b"\x89HDF\r\n\x1a\n"
# What files start with that fabio reads, and the name of its reader.
_FABIO = (
    (b"II*\0", "tif", "TIFF"),
    (b"MM\0*", "tif", "TIFF"),
    (b"II+\0", "tif", "TIFF"),
    (b"MM\0+", "tif", "TIFF"),
    (b"FORMAT :100", "bruker100", "Bruker"),
    (b"FORMAT :        86", "bruker", "Bruker"),
    (b"ADEPT", "GE", "GE"),
    (b"OD", "OXD", "Oxford Diffraction"),
    (b"IM", "HiPiC", "HiPiC"),
    (b"\x2d\x04", "mar345", "mar345"),
    (b"\xd2\x04", "mar345", "mar345"),
    (b"\x04\x2d", "mar345", "mar345"),
    (b"\x04\xd2", "mar345", "mar345"),
    (b"\0\0\0\x03", "dm3", "DM3"),
    (b"No", "kcd", "KappaCCD"),
    (b"\n\xb8\x03\0", "pixi", "PIXI"),
    (b"R-AXIS", "raxis", "R-AXIS"),
    (b"\\$FFF_START", "fit2d", "Fit2D"),
    (b"ESPERANTO FORMAT", "esperanto", "Esperanto"),
)
_EDF = re.compile(rb"[\r\n]{0,4}\{\s{0,8}[A-Za-z]")
KNOWN = "SMV, CBF, EDF, TIFF, NPY, PGM, HDF5 (NXmx, Eiger), Fit2D mask, or another format that fabio reads"


@record
class InputImage:
    """One image: its file, the option that named it, the format's name, what its header says, and its pixels.

    pixels: (slow, fast), None where they were not asked for. meaning: what they mean in a mask, see mask_values.
    narrow_marks: whether 8-bit pixels, too, have marks of a detector. is_smv: read in the C program's way.
    frame: which of many it is, in words.
    """

    path: str
    option: str
    form: str
    header: ImageHeader
    pixels: np.ndarray | None = None
    meaning: str = COUNTS
    narrow_marks: bool = False
    frame: str = ""

    @property
    def is_smv(self) -> bool:
        """Whether its beam centre is said in the way of the run's convention."""
        return self.form == "SMV"


class _Source(NamedTuple):
    """A file, and which image in it is asked for. path: the name that was given."""

    path: str
    file: InputFile
    dataset: str | None
    frame: int | None
    as_mask: bool
    want_pixels: bool


def open_image(path: str, option: str, want_pixels: bool, as_mask: bool = False) -> InputImage:
    """Read an image, or only its header.

    path: a file; of HDF5 also FILE::DATASET, FILE::NUMBER (from 1), or both. option: what names it, '' for a tool.
    Raises InputError for what is no image, is damaged, or does not fit into memory.
    """
    name, dataset, frame = _split(path, option)
    with InputFile(name, option) as file:
        start = file.head(_FIRST_BYTES)
        reader = next((read for is_one, read in _READERS if is_one(start)), None)
        if reader is None:
            raise InputError(_unknown(name, option))
        if (dataset is not None or frame is not None) and reader is not _hdf5:
            raise InputError(f"{file.where}: only HDF5 files have images after '::'")
        return reader(_Source(path, file, dataset, frame, as_mask, want_pixels))


def is_image(start: bytes) -> bool:
    """Whether a file that begins like this, once it is decompressed, is an image in a format that is known here."""
    return any(is_one(start) for is_one, _ in _READERS)


def _split(path: str, option: str) -> tuple[str, str | None, int | None]:
    """File, data set and frame of a name with '::'; a file that is called so goes first."""
    if "::" not in path or os.path.exists(path):
        return path, None, None
    name, *words = path.split("::")
    frames = [word for word in words if word.isdecimal()]
    datasets = [word for word in words if not word.isdecimal()]
    if len(frames) > 1 or len(datasets) > 1 or not name or "" in datasets:
        raise InputError(f"{path}: {option} expects FILE, FILE::DATASET, FILE::NUMBER or FILE::DATASET::NUMBER")
    return name, datasets[0] if datasets else None, int(frames[0][:18]) if frames else None


def _unknown(path: str, option: str) -> str:
    if not option:
        return f"{path}: cannot be read as an image: expected {KNOWN}"
    return (
        f"{path}: {option} expects an SMV (ADSC) image, which starts with '{{' and HEADER_BYTES, or another format "
        f"that is known here: {KNOWN.removeprefix('SMV, ')}"
    )


def _image(source: _Source, form: str, header: ImageHeader, pixels: np.ndarray | None, **more: Any) -> InputImage:
    option = source.file.option
    return InputImage(source.path, option, form, header, pixels if source.want_pixels else None, **more)


def _smv(source: _Source) -> InputImage:
    layout, content = smv.read_smv(source.file)
    # Pixels of two bytes are read as the C program reads them.
    meaning = NOT_ZERO_IS_GOOD if layout.dtype.itemsize == 2 else COUNTS
    header = smv.smv_header_of(layout, layout.remarks if source.as_mask else ())
    return _image(source, "SMV", header, smv.smv_pixels(layout, content), meaning=meaning)


def _cbf(source: _Source) -> InputImage:
    return _image(source, "CBF", *read_cbf(source.file, source.want_pixels))


def _edf(source: _Source) -> InputImage:
    return _image(source, "EDF", *read_edf(source.file, source.want_pixels))


def _npy(source: _Source) -> InputImage:
    return _image(source, "NPY", *read_npy(source.file))


def _pgm(source: _Source) -> InputImage:
    header, pixels = read_pgm(source.file)
    return _image(source, "PGM", header, pixels, meaning=NOT_ZERO_IS_GOOD)


def _fit2d_mask(source: _Source) -> InputImage:
    return _image(source, "Fit2D mask", *read_fit2d_mask(source.file), meaning=ZERO_IS_GOOD)


def _hdf5(source: _Source) -> InputImage:
    from .foreign_process import ask  # what it imports, most images do not need

    file = source.file
    require("h5py", f"{file.where}: HDF5")
    if not file.on_disk:
        raise InputError(f"{file.where}: HDF5 is read from an uncompressed file only")
    request = {
        "format": "hdf5",
        "path": os.path.abspath(file.path),
        "dataset": source.dataset,
        "frame": source.frame,
        "as_mask": source.as_mask,
        "pixels": source.want_pixels,
    }
    reply, pixels = ask(request, b"", file.where)
    fields = reply["header"]
    frame = fields.pop("frame", "")
    for name in ("beam_px", "near_px", "remarks"):
        if fields.get(name) is not None:
            fields[name] = tuple(fields[name])
    form = f"{reply['form']} pixel_mask" if reply["is_pixel_mask"] else reply["form"]
    meaning = ZERO_IS_GOOD if reply["is_pixel_mask"] else COUNTS
    return _image(source, form, ImageHeader(**fields), pixels, meaning=meaning, narrow_marks=True, frame=frame)


def _fabio(source: _Source) -> InputImage:
    from .foreign_process import ask  # what it imports, most images do not need

    start = source.file.head(_FIRST_BYTES)
    reader, form = next((reader, form) for magic, reader, form in _FABIO if start.startswith(magic))
    require("fabio", f"{source.file.where}: {form}")
    most = _MOST_FOREIGN if source.file.on_disk else _MOST_FOREIGN_UNPACKED
    content = source.file.content(most + 1)
    if len(content) > most:
        raise InputError(f"{source.file.where}: a {form} of more than {size_text(most)} is not read")
    reply, pixels = ask({"format": reader, "pixels": source.want_pixels}, content, source.file.where)
    size = reply["header"]
    return _image(source, form, tiff_header(reply["text"], size["fpixels"], size["spixels"]), pixels)


def _starts(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(magic)


# The first that takes a file's first bytes for its own reads it.
_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[_Source], InputImage]], ...] = (
    (smv.is_smv, _smv),
    (_starts(CBF_START), _cbf),
    (_starts(HDF5_START), _hdf5),
    (_starts(NPY_START), _npy),
    (is_pgm, _pgm),
    (_starts(FIT2D_MASK_START), _fit2d_mask),
    (_starts(*(magic for magic, _, _ in _FABIO)), _fabio),
    (lambda start: _EDF.match(start) is not None, _edf),
)
