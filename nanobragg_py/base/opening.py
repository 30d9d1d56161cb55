"""Opening an input once: a regular file, a pipe or a device, plain or compressed with gzip, bzip2, xz or zstd.

Of zstd Python can do that from 3.14 on. Whatever reads it gets a file that can be read from its start again. What is
decompressed is never held as a whole and never grows beyond a limit, so that a small file that unpacks to a huge one is
refused before it takes memory.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import stat
from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO, cast

from .errors import InputError
from .files import ENDLESS
from .memory import most_bytes, require_memory, size_text

# What a compressed file may unpack to, as long as a pipe may be (bytes).
MOST_UNPACKED = ENDLESS
# Beyond so many bytes, data that unpack to so many times their size are made to do harm: text packs by 3 to 30.
HARMLESS, MOST_RATIO = 2**27, 200
# What decompressing xz may take beside (bytes); xz -9 needs 65 MiB.
XZ_MEMORY = 2**28
PIECE = 2**20
# How often what is read as a whole must fit into memory.
SPARE = 4
GZIP, BZIP2, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
# First bytes of compressed files that are not read, and what made them.
NOT_READ = {
    ZSTD: "zstd",
    b"PK\x03\x04": "zip",
    b"\x1f\x9d": "compress",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
}


class CannotOpen(InputError):
    """An input that is not there, or may not be read."""


class Opened:
    """An input that is open: bytes that can be read more than once.

    path: its name, as the user gave it. option: which option named it. file: a seekable file of the decompressed
    bytes, at its start. on_disk: whether path has the same bytes, and can be opened again by another library.
    """

    def __init__(self, path: str, option: str, file: BinaryIO, on_disk: bool):
        self.path = path
        self.option = option
        self.file = file
        self.on_disk = on_disk

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close it; done at the latest when nothing refers to it."""
        self.file.close()

    def head(self, size: int) -> bytes:
        """The first `size` bytes, or all there are; the file is at its start afterwards. Raises InputError."""
        self.file.seek(0)
        try:
            return self.read(size)
        finally:
            self.file.seek(0)

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end. Raises InputError, naming the option."""
        try:
            return self.file.read(size)
        except OSError as error:
            raise InputError(f"{self.path}: {self.option} cannot be read: {_reason(error)}") from error

    def content(self) -> bytes:
        """All bytes, if they, and what is made of them, fit into memory. Raises InputError."""
        self.file.seek(0)
        if self.on_disk:
            require_memory(SPARE * os.fstat(self.file.fileno()).st_size, f"{self.path}: {self.option}")
        most = most_bytes() // SPARE
        pieces, size = [], 0
        while piece := self.read(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                require_memory(SPARE * size, f"{self.path}: {self.option}")
        self.file.seek(0)
        return b"".join(pieces)

    @contextlib.contextmanager
    def named(self) -> Iterator[str]:
        """A path with the bytes, for libraries that open files themselves; a temporary one unless on_disk."""
        if self.on_disk:
            yield self.path
            return
        import tempfile  # only where it is needed: start-up

        with tempfile.TemporaryDirectory(prefix="nanobragg_py-") as folder:
            inside = os.path.join(folder, "inside")
            self.file.seek(0)
            with open(inside, "wb") as copy:
                copy.writelines(iter(lambda: self.read(PIECE), b""))
            self.file.seek(0)
            yield inside


class _Unpacked(io.RawIOBase):
    """Bytes of a decompressor, up to a limit; its errors name the file."""

    def __init__(self, path: str, inner: BinaryIO, packed: BinaryIO):
        self._path = path
        self._inner = inner
        self._packed = packed

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._packed.close()
        super().close()

    def tell(self) -> int:
        return self._inner.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with self._explained():
            return self._inner.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        with self._explained():
            piece = self._inner.read(len(view))
            size = self._inner.tell()
            if size > HARMLESS and size > MOST_RATIO * self._packed.tell():
                raise InputError(f"{self._path}: unpacks to more than {MOST_RATIO} times its size, which is not read")
            if size > MOST_UNPACKED:
                raise InputError(f"{self._path}: unpacks to more than {size_text(MOST_UNPACKED)}, which is not read")
        view[: len(piece)] = piece
        return len(piece)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # each library has errors of its own
            raise _damaged(self._path, error) from error


def open_input(path: str | os.PathLike[str], option: str) -> Opened:
    """Open an input for reading. Raises InputError, naming the option; CannotOpen when it is missing or unreadable.

    A pipe is read to its end here, since it cannot be read again: at most ENDLESS bytes.
    """
    path = os.fspath(path)
    try:
        file: BinaryIO = open(path, "rb")  # noqa: SIM115 (stays open for whoever reads it)
    except (OSError, ValueError) as error:
        raise CannotOpen(f"{path}: {option} cannot be read: {_reason(error)}") from error
    try:
        on_disk = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        if not on_disk:
            content = file.read(ENDLESS)
            file.close()
            if len(content) == ENDLESS:
                raise InputError(f"{path}: {option} cannot be read: it does not end within {size_text(ENDLESS)}")
            file = io.BytesIO(content)
        return _unpacked(path, option, file, on_disk)
    except BaseException as error:
        file.close()
        if isinstance(error, OSError):
            raise InputError(f"{path}: {option} cannot be read: {_reason(error)}") from error
        raise


def _unpacked(path: str, option: str, file: BinaryIO, on_disk: bool) -> Opened:
    """A file, or what is inside it if it is compressed."""
    start = file.read(PIECE)
    file.seek(0)
    if start.startswith(ZSTD):
        with contextlib.suppress(ImportError):  # a part of Python from 3.14 on
            raw = _Unpacked(path, importlib.import_module("compression.zstd").ZstdFile(file), file)
            return Opened(path, option, cast(BinaryIO, io.BufferedReader(raw, PIECE)), on_disk=False)
    for magic, maker in NOT_READ.items():
        if start.startswith(magic):
            raise InputError(f"{path}: {option} is compressed with {maker}, which is not read: decompress it first")
    inner: io.BufferedIOBase
    if start.startswith(GZIP):
        import gzip  # only where it is needed: start-up

        inner = gzip.GzipFile(fileobj=file, mode="rb")
    elif start.startswith(BZIP2) and start[3:4].isdigit():
        import bz2

        inner = bz2.BZ2File(file)
    elif start.startswith(XZ):
        import lzma

        try:
            # A first look finds out whether it asks for more memory than any ordinary file.
            lzma.LZMADecompressor(memlimit=XZ_MEMORY).decompress(start, max_length=1)
        except lzma.LZMAError as error:
            raise _damaged(path, error) from error
        inner = lzma.LZMAFile(file)  # noqa: SIM115
    else:
        return Opened(path, option, file, on_disk)
    raw = _Unpacked(path, cast(BinaryIO, inner), file)
    return Opened(path, option, cast(BinaryIO, io.BufferedReader(raw, PIECE)), on_disk=False)


def _damaged(path: str, error: Exception) -> InputError:
    return InputError(f"{path}: cannot be decompressed ({str(error).rstrip('.').lower() or type(error).__name__})")


def _reason(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
