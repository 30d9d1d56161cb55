"""HDF5 objects by their path, step by step, so that no link leads to a file that was not named.

Only what lies in the file itself is opened, and data files beside it, as the masters of Eiger detectors have them: a
bare file name in the same folder, which no symbolic link leads out of. External links to any other place and
external raw storage are refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import h5py

from ..base.errors import InputError, shown

# Links one after the other, and links and files in all.
_MOST_IN_A_ROW = 32
_MOST_LINKS = 10_000
_MOST_FILES = 1000


class LinkedFiles:
    """A file and those beside it that its links name, all open for reading until closed."""

    def __init__(self, path: str) -> None:
        self._folder = os.path.dirname(os.path.abspath(path))
        self._open: dict[str, h5py.File] = {}
        self._links = 0
        self.main = h5py.File(path, "r")

    def close(self) -> None:
        """Close all of them."""
        for file in (*self._open.values(), self.main):
            file.close()

    def find(self, path: str, start: Any = None, in_a_row: int = 0) -> Any:
        """The group or dataset at a path, from `start` or the file's root; None if there is none.

        Raises InputError for a link that must not be followed.
        """
        here = self.main if start is None or path.startswith("/") else start
        if start is not None and path.startswith("/"):
            here = start.file
        for name in [word for word in path.split("/") if word not in ("", ".")]:
            if not isinstance(here, h5py.Group):
                return None
            here = self._step(here, name, in_a_row)
            if here is None:
                return None
        return here

    def _step(self, group: Any, name: str, in_a_row: int) -> Any:
        """The member of a group, through its link."""
        link = group.get(name, getlink=True)
        if link is None:
            return None
        if isinstance(link, h5py.HardLink):
            return group.get(name)
        self._links += 1
        if in_a_row >= _MOST_IN_A_ROW or self._links > _MOST_LINKS:
            raise InputError(f"'{shown(name)}': too many links")
        if isinstance(link, h5py.SoftLink):
            return self.find(link.path, group, in_a_row + 1)
        if isinstance(link, h5py.ExternalLink):
            file = self.beside(link.filename, f"'{shown(group.name)}/{shown(name)}'")
            return self.find("/" + link.path.lstrip("/"), file, in_a_row + 1)
        raise InputError(f"'{shown(name)}' is a link of an unknown kind; it is not followed")

    def beside(self, name: str, what: str) -> Any:
        """The file of that name beside the main one, opened. Raises InputError for any other place."""
        if name not in self._open:
            path = os.path.join(self._folder, name)
            real = os.path.realpath(path)
            inside = os.path.dirname(real) == os.path.realpath(self._folder)
            if os.path.basename(name) != name or not inside:
                raise InputError(
                    f"{what} leads to '{shown(name)}'; only files in the same folder, named without one, are followed"
                )
            if not os.path.isfile(path):
                raise InputError(f"{what} leads to '{shown(name)}', which is not in the same folder")
            if len(self._open) >= _MOST_FILES:
                raise InputError(f"{what}: more than {_MOST_FILES} files beside this one")
            self._open[name] = h5py.File(path, "r")
        return self._open[name]

    def check_storage(self, dataset: Any, in_a_row: int = 0) -> None:
        """Raise InputError for data that are stored in other files than those that may be read."""
        what = f"'{shown(dataset.name)}'"
        if dataset.external:
            raise InputError(f"{what} keeps its data in another file, which is not read")
        if not dataset.is_virtual:
            return
        if in_a_row >= 4:
            raise InputError(f"{what}: too many virtual data sets one after the other")
        for found in self._parts(dataset):
            self.check_storage(found, in_a_row + 1)

    def sources(self, dataset: Any) -> Iterator[Any]:
        """Data sets that hold what can be read from a data set that check_storage has passed: itself, or its parts."""
        if not dataset.is_virtual:
            yield dataset
            return
        for part in self._parts(dataset):
            yield from self.sources(part)

    def _parts(self, dataset: Any) -> Iterator[Any]:
        """What a virtual data set is put together from. Raises InputError for what is missing, or must not be read."""
        what = f"'{shown(dataset.name)}'"
        for source in dataset.virtual_sources():
            file = dataset.file if source.file_name == "." else self.beside(source.file_name, what)
            found = self.find("/" + source.dset_name.lstrip("/"), file)
            if not isinstance(found, h5py.Dataset):
                raise InputError(f"{what} is put together from '{shown(source.dset_name)}', which is missing")
            yield found
