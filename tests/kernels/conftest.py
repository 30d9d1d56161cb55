"""Runs with a cache of compiled kernels of their own."""

from __future__ import annotations

import decimal
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import LIST, Result, load_kernels, run_forked
from kernels_in_use import LINE, SMALL
from running_error import DIGITS

from nanobragg_py.kernels.library import cache as kept
from nanobragg_py.kernels.library import load, processes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a reflection list."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "P1.hkl").write_text(LIST)
    return tmp_path / "run"


@pytest.fixture(scope="session")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What LINE writes when nothing is wrong."""
    folder = tmp_path_factory.mktemp("right")
    (folder / "P1.hkl").write_text(LIST)
    result = run_forked(LINE, folder)
    assert (result.status, result.err) == (0, "")
    return result.files


@pytest.fixture(scope="session")
def all_code() -> dict[str, bytes]:
    """Right object code of all kernels that LINE may need."""
    load_kernels()
    code = {name: kept.read(name) for name in load.COMMON | {"render_square": ""}}
    if None in code.values():
        code |= processes.object_codes([[name for name, found in code.items() if found is None]])[0]
    return {name: found for name, found in code.items() if found is not None}


@pytest.fixture
def cache(tmp_path: Path, all_code: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder, filled, and named by NANOBRAGG_CACHE."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NANOBRAGG_CACHE", str(folder))
    for name, code in all_code.items():
        kept.write(name, code)
    return folder


@pytest.fixture
def small_file(cache: Path) -> Path:
    """The file of the small kernel in the cache."""
    return cache / kept.file_name(SMALL)


@pytest.fixture
def run(folder: Path, all_code: dict[str, bytes], tmp_path: Path) -> Callable[..., Result]:
    """Run LINE with no kernel loaded, and a compiler that answers at once and notes in `compiled` what was asked."""

    def compiler(groups: list[list[str]]) -> tuple[dict[str, bytes], bool]:
        names = [name for group in groups for name in group]
        with open(tmp_path / "compiled", "a") as file:
            file.writelines(f"{name}\n" for name in names)
        return {name: all_code[name] for name in names}, True

    def run_line(before: Callable[[], object] = lambda: None) -> Result:
        def in_child() -> None:
            os.umask(0o022)
            for remembered in (load._functions, load._codes, kept._said, kept._trusted):
                remembered.clear()
            load._announced = False
            processes.object_codes = compiler
            before()

        (tmp_path / "compiled").write_text("")
        return run_forked(LINE, folder, in_child)

    return run_line


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[], list[str]]:
    """Names of the kernels that the last run had compiled."""
    return lambda: (tmp_path / "compiled").read_text().split()


@pytest.fixture
def fifty_digits() -> Iterator[None]:
    """What the derivations of error bounds count in."""
    with decimal.localcontext(prec=DIGITS):
        yield
