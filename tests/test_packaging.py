"""What is installed is what was said: files in the distributions, dependencies, versions, programs."""

from __future__ import annotations

import ast
import configparser
import importlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import nanobragg_py
from nanobragg_py import programs

ROOT = Path(__file__).resolve().parents[1]
# Distributions whose modules are called otherwise.
DISTRIBUTIONS = {"PIL": "pillow"}
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, f'build_{sys.argv[1]}')(sys.argv[2])"


def setup() -> configparser.ConfigParser:
    """setup.cfg."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def requirements(extra: str | None = None) -> dict[str, str]:
    """Names and bounds of what is installed with the package, or with an extra."""
    listed = setup()["options"]["install_requires"] if extra is None else setup()["options.extras_require"][extra]
    return {
        match[1].lower(): match[2]
        for line in listed.split("\n")
        if (match := re.fullmatch(r"([A-Za-z0-9_-]+)(?:\[\w+\])?(.*)", line.strip()))
    }


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    """Every file of the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("only a git checkout knows which files belong to it")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def built(tracked: set[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution of a copy of this checkout, and the wheel made from it."""
    folder = tmp_path_factory.mktemp("built")
    for name in tracked:
        (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "checkout" / name)
    build(folder / "checkout", "sdist", folder)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    build(unpacked, "wheel", folder)
    (wheel,) = folder.glob("*.whl")
    return source, wheel


def build(source: Path, kind: str, target: Path) -> None:
    """Build a distribution as pip does, with the setuptools that is here."""
    command = [sys.executable, "-c", BUILD, kind, str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_source_distribution_is_the_whole_repository(built: tuple[Path, Path], tracked: set[str]) -> None:
    """Tests, golden data and documentation are in it, and its programs can be run."""
    with tarfile.open(built[0]) as archive:
        members = {member.name.partition("/")[2]: member for member in archive if member.isfile()}
    made = {name for name in members if name.startswith("nanobragg_py.egg-info/")} | {"PKG-INFO"}
    assert set(members) - made == tracked
    assert members["bin/nanoBragg"].mode & 0o111


def test_wheel(built: tuple[Path, Path], tracked: set[str]) -> None:
    """The package with its data, the licence and the programs, and nothing else."""
    with zipfile.ZipFile(built[1]) as archive:
        names = set(archive.namelist())
        (folder,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
        metadata = Parser().parsestr(archive.read(f"{folder}/METADATA").decode())
        programs = configparser.ConfigParser()
        programs.read_string(archive.read(f"{folder}/entry_points.txt").decode())
    package = {name for name in names if name.startswith("nanobragg_py/")}
    assert package == {name for name in tracked if name.startswith("nanobragg_py/")}
    assert any(re.fullmatch(rf"{re.escape(folder)}/(licenses/)?LICENSE", name) for name in names)
    elsewhere = {name for name in names - package if not name.startswith(f"{folder}/")}
    assert elsewhere == {f"{folder.removesuffix('.dist-info')}.data/data/share/man/man1/nanoBragg.1"}
    assert metadata["Version"] == nanobragg_py.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(programs["console_scripts"]) == {path.name.lower() for path in (ROOT / "bin").glob("n*")}


def test_programs_are_the_same_in_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script of bin/ starts the module that the installed program starts."""
    listed = setup()["options.entry_points"]["console_scripts"].strip().split("\n")
    targets = dict(line.split(" = ") for line in listed)
    assert set(targets) == {path.name for path in (ROOT / "bin").glob("n*")}
    for name, target in targets.items():
        module, _, function = target.partition(":")
        assert module == "nanobragg_py.programs" and function == name.lower().replace("-", "_")
        started: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(programs, "_start", started.append)
            getattr(programs, function)()
        assert callable(importlib.import_module(f"nanobragg_py.{started[0]}").main)
        assert f'start("nanobragg_py.{started[0]}")' in (ROOT / "bin" / name).read_text()


def imports(path: Path) -> set[str]:
    """Distributions that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module)
    modules = {name.partition(".")[0] for name in found} - sys.stdlib_module_names
    return {DISTRIBUTIONS.get(name, name).lower() for name in modules}


def test_dependencies_are_declared() -> None:
    """Whatever the package imports is installed with it, or with an extra: [mtz], [parquet], [cluster], or [docs].

    pandas is for those who ask for its DataFrame, and have it.
    """
    needed = set().union(*(imports(path) for path in (ROOT / "nanobragg_py").rglob("*.py")))
    extras = {name.replace("-", "_") for extra in ("mtz", "parquet", "cluster") for name in requirements(extra)}
    assert needed - set(requirements()) == extras | {"matplotlib", "pandas"}
    assert "matplotlib" in requirements("docs")
    assert set(requirements()) <= needed


def test_oldest_versions_are_those_of_the_bounds() -> None:
    """`make test-oldest` installs what setup.cfg says is enough."""
    lines = (ROOT / "tests" / "oldest.txt").read_text().split("\n")
    oldest = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    bounds = {name: bound.removeprefix(">=") for name, bound in {**requirements(), **requirements("test")}.items()}
    assert {name for name, bound in bounds.items() if bound} == set(oldest)
    for name, bound in bounds.items():
        assert not bound or re.fullmatch(rf"{re.escape(bound)}(\.0)*", oldest[name]), name
