"""One image file or pipe: opened once, read from its start as far as is asked for, decompressed on the way."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

from ..base.errors import InputError
from ..base.memory import require_memory
from ..base.opening import CannotOpen, Opened, open_input

CHUNK = 1 << 20


class InputFile:
    """A file that is being read. As a context manager it closes itself.

    path: its name. option: what names it. where: what messages begin with. on_disk: whether it is a regular file that
    is not compressed. Every method raises InputError for what cannot be read, and for what would not fit into memory,
    before it is read.
    """

    def __init__(self, path: str, option: str) -> None:
        """Open it. option: the one that names it, for messages; '' for a tool that has images as arguments."""
        self.path = path
        self.option = option
        self.where = f"{path}: {option}" if option else f"{path}: cannot be read as an image"
        self._buffer = bytearray()
        self._ended = False
        try:
            self._file: Opened = open_input(path, option)
        except CannotOpen as error:
            raise InputError(str(error).replace(":  ", ": ")) from error
        self.on_disk = self._file.on_disk
        self._size = os.fstat(self._file.file.fileno()).st_size if self.on_disk else None
        if not self.head(1):
            self.close()
            raise InputError(f"{path}: {option} names an empty file" if option else f"{path}: an empty file")

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
        while len(self._buffer) < size and not self._ended:
            piece = self._file.read(min(size - len(self._buffer), CHUNK))
            self._buffer += piece
            self._ended = not piece

    def close(self) -> None:
        """Let go of the file."""
        self._ended = True
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
