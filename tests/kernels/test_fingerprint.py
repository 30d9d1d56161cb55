"""The fingerprint of compiled kernels changes with each thing that their code depends on, and with nothing else."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import llvmlite
import llvmlite.binding as llvm
import numpy as np
import pytest

from nanobragg_py.kernels import layout
from nanobragg_py.kernels.library import cache, fingerprint, target


@pytest.fixture(autouse=True)
def computed_anew() -> Iterator[Callable[[], None]]:
    """Forget what has been computed; done before and after each test, and when called."""

    def forget() -> None:
        for function in (fingerprint.fingerprint, fingerprint.numba_mark, target.this_processor):
            function.cache_clear()

    forget()
    yield forget
    forget()


class Features(dict):
    """A processor's features."""

    def flatten(self) -> str:
        """As LLVM takes them."""
        return "+no-such-feature"


CHANGES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "sources": lambda patch: patch.setattr(fingerprint, "sources", lambda: b"other"),
    "parameters": lambda patch: patch.setattr(layout, "PARAMETERS", np.dtype([("pixel_size_m", "f8")])),
    "walk": lambda patch: patch.setattr(layout, "WALK", np.dtype([("interpolating", "i8")])),
    "processor": lambda patch: patch.setattr(llvm, "get_host_cpu_name", lambda: "no-such-processor"),
    "features": lambda patch: patch.setattr(llvm, "get_host_cpu_features", lambda: Features()),
    "machine": lambda patch: patch.setattr(platform, "machine", lambda: "vax"),
    "llvmlite": lambda patch: patch.setattr(llvmlite, "__version__", "0.0.1"),
    "llvm": lambda patch: patch.setattr(llvm, "llvm_version_info", (1, 2, 3)),
    "numpy": lambda patch: patch.setattr(np, "__version__", "0.0.1"),
    "python": lambda patch: patch.setattr(
        fingerprint, "sys", SimpleNamespace(implementation=SimpleNamespace(cache_tag="other"))
    ),
}


def test_every_ingredient_is_tested() -> None:
    assert set(CHANGES) == set(fingerprint.ingredients())


@pytest.mark.parametrize("ingredient", CHANGES)
def test_each_ingredient_counts(
    ingredient: str, monkeypatch: pytest.MonkeyPatch, computed_anew: Callable[[], None]
) -> None:
    parts, before, name = fingerprint.ingredients(), fingerprint.fingerprint(), cache.file_name("add_up")
    computed_anew()
    assert fingerprint.fingerprint() == before
    CHANGES[ingredient](monkeypatch)
    computed_anew()
    now = fingerprint.ingredients()
    assert [key for key in parts if parts[key] != now[key]] == [ingredient]
    assert fingerprint.fingerprint() != before
    assert cache.file_name("add_up") != name


def test_processor_that_the_user_names(monkeypatch: pytest.MonkeyPatch, computed_anew: Callable[[], None]) -> None:
    before = fingerprint.fingerprint()
    monkeypatch.setenv("NANOBRAGG_PROCESSOR", "x86-64")
    computed_anew()
    assert fingerprint.fingerprint() != before
    assert (fingerprint.ingredients()["processor"], fingerprint.ingredients()["features"]) == (b"x86-64", b"")


def test_parts_do_not_run_into_each_other() -> None:
    digests = {
        fingerprint.digest_of(parts)
        for parts in ({"a": b"xy"}, {"a": b"x", "b": b"y"}, {"a": b"", "b": b"xy"}, {"ab": b"xy"}, {"a": b"xyb 0\n"})
    }
    assert len(digests) == 5


# --- sources ---

FILES = [Path(path).relative_to(fingerprint.PACKAGE).as_posix() for path in fingerprint.source_files()]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the sources."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fingerprint.PACKAGE / name, tmp_path / name)
    return tmp_path


def test_every_source_file_counts(package: Path) -> None:
    """Wherever it is below kernels/; where the package is installed does not."""
    digests = {fingerprint.sources()}
    assert fingerprint.sources(package) in digests
    for name in FILES:
        content = (package / name).read_bytes()
        (package / name).write_bytes(content + b"\n")
        digests.add(fingerprint.sources(package))
        (package / name).write_bytes(content)
    assert len(digests) == 1 + len(FILES)
    (package / "kernels" / "simd" / "trig.py").rename(package / "kernels" / "simd" / "sines.py")
    digests.add(fingerprint.sources(package))
    (package / "kernels" / "new").mkdir()
    (package / "kernels" / "new" / "formula.py").write_text("")
    digests.add(fingerprint.sources(package))
    assert len(digests) == 3 + len(FILES)


def test_all_modules_that_make_kernels_are_sources() -> None:
    """Asked of an interpreter that imports what the compiler imports."""
    program = "import json, sys, nanobragg_py.kernels.entry, nanobragg_py.kernels.library.compile\n"
    program += "print(json.dumps([m.__file__ for n, m in sys.modules.items() if n.startswith('nanobragg_py.')]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {Path(path).relative_to(fingerprint.PACKAGE).as_posix() for path in json.loads(done.stdout)}
    # What the cache and the compiler's processes need to speak to the user, and to be forked.
    about_the_run = {"base/__init__.py", "base/errors.py", "base/interruption.py", "base/locks.py"}
    assert imported - set(FILES) <= about_the_run
    assert "kernels/entry.py" in imported


# --- Numba ---


def numba_at(folder: Path | None) -> Callable[[str], importlib.machinery.ModuleSpec | None]:
    """What finds modules, with Numba in another place, or in none."""
    if folder is None:
        return lambda name: None
    spec = importlib.machinery.ModuleSpec("numba", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return lambda name: spec


def test_numbas_version_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computed_anew: Callable[[], None]
) -> None:
    marks, names = {fingerprint.numba_mark()}, {cache.file_name("add_up")}
    for version in ("0.59.0", "0.59.1"):
        (tmp_path / "_version.py").write_text(f'version = "{version}"\n')
        monkeypatch.setattr(importlib.util, "find_spec", numba_at(tmp_path))
        computed_anew()
        marks.add(fingerprint.numba_mark())
        names.add(cache.file_name("add_up"))
    assert len(marks) == len(names) == 3


def test_no_numba(monkeypatch: pytest.MonkeyPatch, computed_anew: Callable[[], None]) -> None:
    before = fingerprint.fingerprint()
    monkeypatch.setattr(importlib.util, "find_spec", numba_at(None))
    computed_anew()
    assert (fingerprint.numba_mark(), fingerprint.fingerprint()) == (None, before)


def test_numba_is_not_imported() -> None:
    """That would take longer than a small image."""
    program = "import sys; from nanobragg_py.kernels.library import cache; cache.file_name('add_up')\n"
    program += "print([name for name in ('numba', 'subprocess', 'tempfile') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "numba" not in done.stdout
