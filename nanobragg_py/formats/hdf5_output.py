"""A file that HDF5 writes to, and never hears from that the disk is full.

HDF5 keeps a file open that it could not write, complains about it as long as the process lives, and may crash at its
end. So what cannot be written is left out here, and the error kept for whoever asks.
"""

from __future__ import annotations

import os
from typing import Any

from ..base.locks import lock_held_over_forks

# To be held by whoever calls HDF5 where another thread may write to an Hdf5Output. HDF5 is for one thread at a time.
# h5py's own lock sees to that, but does not suffice here: in the midst of HDF5's work these files let go of Python's
# lock, which other files never do. With h5py 3.10 and 3.16 shards were refused, or could not be read, where threads
# changed often and cyclic garbage had files of its own to close.
one_at_a_time = lock_held_over_forks()


class Hdf5Output:
    """A new file, for h5py.File(output, "w"); raise_error() raises the OSError of the first failure."""

    def __init__(self, path: str) -> None:
        """Raises OSError if the file cannot be made."""
        self.path = path
        self._file = open(path, "w+b", buffering=0)  # noqa: SIM115 -- closed by finish() or close()
        self._error: OSError | None = None
        self._at = 0

    def raise_error(self) -> None:
        """Raise what went wrong, if something did."""
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror, self.path)

    def finish(self) -> None:
        """Bring the file to the disk, and close it. Raises OSError, also for what went wrong before."""
        try:
            self.raise_error()
            os.fsync(self._file.fileno())
        finally:
            self.close()

    def close(self) -> None:
        """Close it as it is."""
        self._file.close()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._at = self._file.seek(offset, whence)
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read as much as there is room for; what is missing is 0."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view):
            count = os.preadv(self._file.fileno(), [view[done:]], self._at + done)
            if count == 0:
                view[done:] = bytes(len(view) - done)
                break
            done += count
        self._at += len(view)
        return len(view)

    def read(self, size: int) -> bytes:
        """Read so many bytes; h5py knows a file by having this."""
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def write(self, buffer: Any) -> int:
        """Write all of it, unless that failed before."""
        view = memoryview(buffer).cast("B")
        size = len(view)
        try:
            while self._error is None and len(view):
                count = os.pwrite(self._file.fileno(), view, self._at + size - len(view))
                view = view[count:]
        except OSError as error:
            self._error = error
        self._at += size
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the file's size."""
        size = self._at if size is None else size
        try:
            if self._error is None:
                os.ftruncate(self._file.fileno(), size)
        except OSError as error:
            self._error = error
        return size

    def flush(self) -> None:
        """Nothing is held back."""
