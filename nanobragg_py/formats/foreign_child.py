"""The process that reads images with fabio and HDF5; see foreign_process.py.

It reads one line of JSON, and maybe a file's bytes, from standard input, and writes one line of JSON, and maybe
pixels, to standard output. A request has "format": a class of fabio, or "hdf5" with "path", "dataset", "frame" and
"as_mask"; "pixels": whether they are wanted; "memory" (bytes) and "seconds": what it may take.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO

import numpy as np

from ..base.errors import InputError

# Text of a header that may tell of the geometry.
_TEXTS = ("imageDescription", "info")
_LONGEST_TEXT = 1 << 16


def main() -> None:
    """Answer one request."""
    out = os.fdopen(os.dup(1), "wb")
    # Whatever libraries print goes nowhere.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    source = sys.stdin.buffer
    request = json.loads(source.readline())
    _limit(request["memory"], request["seconds"])
    pixels: np.ndarray | None = None
    try:
        reply, pixels = _answer(request, source)
    except InputError as error:
        reply = {"error": str(error)}
    except MemoryError:
        reply = {"memory": True}
    except Exception:  # other people's readers raise whatever a damaged file leads them to
        reply = {"error": "it cannot be read: it is damaged, or of a kind that is not known here"}
    if pixels is not None:
        pixels = np.ascontiguousarray(pixels)
        reply |= {"shape": pixels.shape, "dtype": pixels.dtype.str}
    out.write(json.dumps(reply).encode() + b"\n")
    if pixels is not None:
        out.write(pixels.data.cast("B"))
    out.close()
    # Whatever libraries would do at their end is not waited for.
    os._exit(0)


def _limit(memory: int, seconds: float) -> None:
    """Limit memory and time of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, max(int(seconds), 1)),
        (resource.RLIMIT_CORE, 0),
    ):
        limits = resource.getrlimit(kind)
        if all(limit == resource.RLIM_INFINITY or most < limit for limit in limits):
            resource.setrlimit(kind, (most, limits[1]))


def _answer(request: dict[str, Any], source: BinaryIO) -> tuple[dict[str, Any], np.ndarray | None]:
    if request["format"] == "hdf5":
        return _from_hdf5(request)
    return _from_fabio(request["format"], source.read(), request["pixels"])


def _from_hdf5(request: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray | None]:
    from .nexus_reader import read_hdf5

    found = read_hdf5(
        request["path"], request["dataset"], request["frame"], request["as_mask"], request["pixels"]
    )  # fmt: skip
    return {"header": found.header, "form": found.form, "is_pixel_mask": found.is_pixel_mask}, found.pixels


def _from_fabio(name: str, content: bytes, want_pixels: bool) -> tuple[dict[str, Any], np.ndarray | None]:
    from fabio import fabioformats
    from fabio.fabioutils import BytesIO

    image = fabioformats.factory(f"{name}image").read(BytesIO(content))
    if image.nframes > 1:
        raise InputError(f"{image.nframes} images in one file; expected one")
    pixels = image.data
    if pixels is None:
        raise ValueError("nothing was read")
    if pixels.ndim != 2 or not pixels.size or pixels.dtype.kind not in "biuf":
        raise InputError("expected a two-dimensional image of real numbers")
    texts = [str(image.header.get(key, ""))[:_LONGEST_TEXT] for key in _TEXTS]
    size = {"fpixels": pixels.shape[1], "spixels": pixels.shape[0]}
    return {"header": size, "text": "\n".join(texts)}, pixels if want_pixels else None


if __name__ == "__main__":
    main()
