"""One input file or pipe: opened once, read from its start as far as is asked for, decompressed on the way."""

from __future__ import annotations

import io
import os
import stat
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import BinaryIO, Self

from ..base.errors import InputError
from ..base.memory import require_memory

CHUNK = 1 << 20
# What compressed files start with.
COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"\x1f\x9d": "compress",
}
_LONGEST_MAGIC = 8


class InputFile:
    """A file that is being read. As a context manager it closes itself.

    path: its name. option: what names it. where: what messages begin with. compression: how it is packed, '' if not.
    Every method raises InputError for what cannot be read, and for what would not fit into memory, before it is read.
    """

    def __init__(self, path: str, option: str) -> None:
        """Open it. option: the one that names it, for messages; '' for a tool that has images as arguments."""
        self.path = path
        self.option = option
        self.where = f"{path}: {option}" if option else f"{path}: cannot be read as an image"
        self._prefix = f"{path}: {option}".rstrip()
        self._buffer = bytearray()
        self._ended = False
        self._size: int | None = None
        try:
            self._raw: BinaryIO = open(path, "rb")  # noqa: SIM115 -- closed by close()
            status = os.fstat(self._raw.fileno())
            start = self._raw.read(_LONGEST_MAGIC)
        except (OSError, ValueError) as error:
            raise InputError(f"{self._prefix} cannot be read: {_reason(error)}") from error
        self.is_regular = stat.S_ISREG(status.st_mode)
        self.compression = next((name for magic, name in COMPRESSIONS.items() if start.startswith(magic)), "")
        if not start:
            self.close()
            raise InputError(f"{self._prefix} names an empty file" if option else f"{path}: an empty file")
        if self.compression:
            self._file = self._decompressed(start)
        else:
            self._file = self._raw
            self._buffer += start
            self._size = status.st_size if self.is_regular else None

    def _decompressed(self, start: bytes) -> BinaryIO:
        packed = io.BufferedReader(_Rejoined(start, self._raw), CHUNK)
        if self.compression == "gzip":
            import gzip

            return gzip.GzipFile(fileobj=packed)  # type: ignore[return-value]
        if self.compression == "bzip2":
            import bz2

            return bz2.BZ2File(packed)  # type: ignore[return-value]
        if self.compression == "xz":
            import lzma

            return lzma.LZMAFile(packed)  # type: ignore[return-value]
        if self.compression == "zstandard":
            with suppress(ImportError):  # part of Python since 3.14
                return import_module("compression.zstd").ZstdFile(packed)  # type: ignore[no-any-return]
        self.close()
        raise InputError(f"{self.where}: {self.compression} is not decompressed here; unpack the file first")

    def head(self, size: int) -> bytes:
        """The first bytes, or fewer where the file ends before."""
        self._fill(size)
        return bytes(self._buffer[:size])

    def content(self, size: int) -> bytearray:
        """The first bytes, or fewer where the file ends before; nothing can be read any more."""
        self._fill(size)
        self.close()
        content, self._buffer = self._buffer, bytearray()
        del content[size:]
        return content

    def _fill(self, size: int) -> None:
        """Read until so many bytes are there, or the end."""
        if self._size is not None:
            size = min(size, self._size)
        require_memory(size, self.where)
        try:
            while len(self._buffer) < size and not self._ended:
                piece = self._file.read(min(size - len(self._buffer), CHUNK))
                self._buffer += piece
                self._ended = not piece
        except Exception as error:  # each decompressor raises its own
            if self.compression:
                raise InputError(f"{self.where}: its {self.compression} data are damaged or cut short") from error
            if isinstance(error, OSError):
                raise InputError(f"{self._prefix} cannot be read: {_reason(error)}") from error
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._ended = True
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Rejoined(io.RawIOBase):
    """A file from its start, of which some bytes were read already."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._start[: len(buffer)] or self._rest.read(len(buffer))
        self._start = self._start[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _reason(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
