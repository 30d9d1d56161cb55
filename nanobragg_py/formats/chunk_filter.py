"""An HDF5 filter called by itself, so that chunks are compressed by any thread and not under HDF5's one lock.

Filters are shared libraries with a public interface: H5PLget_plugin_info() (H5PLextern.h) gives the class of a filter,
and in it the function that HDF5 would call (H5Zpublic.h).
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

_FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_uint, ctypes.c_size_t, ctypes.POINTER(ctypes.c_uint), ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_void_p),
)  # fmt: skip


class _FilterClass(ctypes.Structure):
    """H5Z_class2_t."""

    _fields_ = (
        ("version", ctypes.c_int), ("id", ctypes.c_int), ("encoder", ctypes.c_uint), ("decoder", ctypes.c_uint),
        ("name", ctypes.c_char_p), ("can_apply", ctypes.c_void_p), ("set_local", ctypes.c_void_p),
        ("filter", ctypes.c_void_p),
    )  # fmt: skip


class ChunkFilter:
    """The only filter of a data set, for whole chunks."""

    def __init__(self, function: Any, values: Sequence[int]) -> None:
        self._function = function
        self._values = (ctypes.c_uint * len(values))(*values)
        self._c = ctypes.CDLL(None)
        self._c.malloc.restype, self._c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        self._c.free.restype, self._c.free.argtypes = None, [ctypes.c_void_p]

    def __call__(self, chunk: np.ndarray) -> bytes | None:
        """What HDF5 would store of a contiguous chunk; None if the filter fails, as it may."""
        size = ctypes.c_size_t(chunk.nbytes)
        # The filter frees what it is given, and gives back memory of its own.
        buffer = ctypes.c_void_p(self._c.malloc(chunk.nbytes))
        if not buffer.value:
            raise MemoryError
        ctypes.memmove(buffer, chunk.ctypes.data, chunk.nbytes)
        try:
            used = self._function(
                0, len(self._values), self._values, chunk.nbytes, ctypes.byref(size), ctypes.byref(buffer)
            )
            return ctypes.string_at(buffer, used) if used else None
        finally:
            self._c.free(buffer)


def filter_of(dataset: Any) -> ChunkFilter | None:
    """The filter of a data set that has one, of hdf5plugin; None for all others."""
    properties = dataset.id.get_create_plist()
    if properties.get_nfilters() != 1:
        return None
    code, _, values, _ = properties.get_filter(0)
    function = _function(code)
    return None if function is None else ChunkFilter(function, values)


def chunk_by_hdf5(image: np.ndarray, options: Mapping[str, Any]) -> bytes:
    """What HDF5 stores of an image, a chunk by itself, compressed as options to h5py say: the slow way, in memory.

    Raises OSError if the filter fails.
    """
    import h5py

    with h5py.File("chunk", "w", driver="core", backing_store=False) as file:
        made = file.create_dataset("chunk", (1, *image.shape), image.dtype, chunks=(1, *image.shape), **options)
        made[0] = image
        file.flush()
        left_out, content = made.id.read_direct_chunk((0, 0, 0))
    if left_out:
        raise OSError("an image could not be compressed")
    return bytes(content)


@cache
def _function(code: int) -> Any:
    """The function of one of hdf5plugin's filters; None if it is not found."""
    try:
        import hdf5plugin

        for path in hdf5plugin.get_config().registered_filters.values():
            library = ctypes.CDLL(path)
            library.H5PLget_plugin_info.restype = ctypes.POINTER(_FilterClass)
            found = library.H5PLget_plugin_info().contents
            if found.id == code and found.version == 1 and found.encoder:
                return _FUNCTION(found.filter)
    except (ImportError, OSError, AttributeError, ValueError):
        pass
    return None
