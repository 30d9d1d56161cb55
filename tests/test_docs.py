"""The documentation: every command in it runs, every link leads somewhere, generated pages are up to date.

Blocks of ```sh are run with sh, stopping at the first command that fails, in a folder of their own for each page and
in the page's order; variables live on from block to block. A comment that readers do not see may stand before a block:
<!-- not run: why --> or <!-- exit status N -->. Blocks with make or nb-bench are not run: they set up an environment,
or measure for minutes. Of README.md, indented blocks of our commands are run too. A block of ```text that follows is
what the commands print: each of its lines, but for line breaks and what … stands for. The blocks of ```python in
docs/python.md are run by test_api.py.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import nanobragg_py
from nanobragg_py.options.reference import option_reference

ROOT = Path(__file__).resolve().parents[1]
SITE_PAGES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "golden" / "README.md", *SITE_PAGES]
PROGRAMS = tuple(path.name for path in sorted((ROOT / "bin").glob("n*")))
FENCED = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?^```sh\n(?P<text>.*?)^```$(?:\n+^```text\n(?P<said>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
INDENTED = re.compile(r"(?:^ {4}.*\n|^\n(?= {4}))+", re.MULTILINE)
TAKES_MINUTES = re.compile(r"^(make|nb-bench)\b", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


class Block(NamedTuple):
    """Commands of a page; why they are not run, or what their exit status shall be; what the page says they print."""

    page: Path
    line: int
    text: str
    not_run: str = ""
    status: int = 0
    said: str = ""


def blocks(page: Path) -> list[Block]:
    """All commands of a page, in order."""
    text = page.read_text()
    found = [fenced(page, text, match) for match in FENCED.finditer(text)]
    if page.name == "README.md":
        for match in INDENTED.finditer(text):
            commands = re.sub("^ {4}", "", match[0], flags=re.MULTILINE)
            if re.search(rf"^({'|'.join(PROGRAMS)}) ", commands, re.MULTILINE):
                found.append(Block(page, line_of(text, match.start()), commands))
    return sorted(found, key=lambda block: block.line)


def fenced(page: Path, text: str, match: re.Match) -> Block:
    """A block of ```sh, with what the comment before it says."""
    line = line_of(text, match.start("text"))
    note = match["note"] or ""
    kind, _, value = note.partition(": ")
    if kind == "not run":
        return Block(page, line, match["text"], not_run=value or "not said")
    if TAKES_MINUTES.search(match["text"]):
        return Block(page, line, match["text"], not_run="takes minutes")
    expected = re.fullmatch(r"exit status (\d+)", note)
    return Block(page, line, match["text"], status=int(expected[1]) if expected else 0, said=match["said"] or "")


def pieces(said: str) -> list[str]:
    """What must be in the output: the lines of a text, those indented belonging to the one before, between its …."""
    lines = re.split(r"…|\n(?! )", said)
    return [" ".join(line.split()) for line in lines if line.strip()]


def line_of(text: str, at: int) -> int:
    """Line number, from 1."""
    return text.count("\n", 0, at) + 1


def prepare(folder: Path, page: Path) -> None:
    """What a page takes for granted: the inputs of the repository; the file that its reader has downloaded."""
    text = page.read_text()
    if "golden/" in text:
        shutil.copytree(ROOT / "golden" / "inputs", folder / "golden" / "inputs")
        shutil.copy(ROOT / "golden" / "1a8o.hkl", folder / "golden")
    if "1A8O.pdb" in text:
        (folder / "1A8O.pdb").write_bytes(gzip.decompress((ROOT / "tests" / "data" / "1a8o.pdb.gz").read_bytes()))


def run(block: Block, folder: Path, state: Path) -> subprocess.CompletedProcess:
    """Run a block with the variables of those before it."""
    path = os.pathsep.join([str(ROOT / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = f'. "{state}"\n' if state.exists() else ""
    script = f"set -ea\n{kept}trap 'export -p > \"{state}\"' EXIT\n{block.text}"
    return subprocess.run(
        ["sh", "-c", script], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_run(page: Path, tmp_path: Path) -> None:
    """Every command of a page, one after the other, as a reader would try them."""
    folder = tmp_path / "folder"
    folder.mkdir()
    prepare(folder, page)
    for block in blocks(page):
        if block.not_run:
            continue
        done = run(block, folder, tmp_path / "state")
        where = f"{page.relative_to(ROOT)}, line {block.line}"
        assert done.returncode == block.status, f"{where}:\n{block.text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        printed = " ".join((done.stdout + done.stderr).split())
        for piece in pieces(block.said):
            assert piece in printed, f"{where}: not printed: {piece}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_commands_not_run_exist() -> None:
    """Options of our programs in blocks that cannot be run here are options that they have."""
    helps: dict[str, str] = {}
    for page in PAGES:
        for block in blocks(page):
            for command in re.split(r"\n|[;&|]+ ", block.text.replace("\\\n", " ") if block.not_run else ""):
                # What follows a lone -- is for other programs.
                words = command.partition(" -- ")[0].partition(" #")[0].split()
                if not words or words[0] not in PROGRAMS:
                    continue
                # nb-batch has commands of its own, and a help for each.
                name = " ".join(words[:2]) if words[:1] == ["nb-batch"] and words[1:2] else words[0]
                helps[name] = helps.get(name) or help_of(name)
                for word in words[1:]:
                    assert not word.startswith("--") or re.search(rf"{word}\b", helps[name]), f"{page.name}: {command}"


def help_of(program: str) -> str:
    """What a program says about itself."""
    name, *command_of_it = program.split()
    command = [sys.executable, str(ROOT / "bin" / name), *command_of_it, "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    """Links and pictures within the repository are there."""
    text = re.sub("<!--.*?-->", "", page.read_text(), flags=re.DOTALL)
    missing = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    assert not missing


def test_recipes() -> None:
    """Files that CONTRIBUTING.md sends the reader to are there; paths within the package are written without it."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = [word for word in re.findall(r"`([\w./-]+)`", text) if "/" in word and not word.startswith("bin/")]
    missing = [path for path in paths if not any((root / path).exists() for root in (ROOT, ROOT / "nanobragg_py"))]
    assert set(missing) == {"formats/NAME.py"} and len(paths) > 20
    names = set(re.findall(r"`([A-Z_]{4,}|\w+_\w+\(\)|resolve_\w+)`", text)) - {"CASES"}
    sources = "".join(path.read_text() for path in (ROOT / "nanobragg_py").rglob("*.py"))
    sources += "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert not [name for name in names if not re.search(rf"^(def )?{name.removesuffix('()')}\b", sources, re.MULTILINE)]


def test_navigation() -> None:
    """Every page is in the site's navigation, once, and every entry is a page."""
    entries = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(entries) == [page.name for page in SITE_PAGES]


def test_option_reference() -> None:
    """docs/options.md is what the flag table gives."""
    remedy = "run: python -m nanobragg_py.options.reference > docs/options.md"
    assert (ROOT / "docs" / "options.md").read_text() == option_reference(), remedy


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning. `make test` installs what it needs, and CI must not go without."""
    if not os.environ.get("CI"):
        pytest.importorskip("mkdocs", reason="make docs installs it")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_formulas(site: Path) -> None:
    """Formulas are MathML, and the page's main one is large."""
    formulas = (ROOT / "docs" / "physics.md").read_text().count("```math")
    page = (site / "physics.html").read_text()
    assert page.count("</math>") == formulas > 10
    assert page.count('<math class="main"') == 1


def test_reference(site: Path) -> None:
    """Every public name is in the Python reference, with its docstring."""
    page = (site / "api.html").read_text()
    for name in set(nanobragg_py.__all__) - {"__version__"}:
        heading = re.search(rf'<h2 id="nanobragg_py\.(?:[\w.]+\.)?{name}"', page)
        assert heading, name
        docstring = getattr(nanobragg_py, name).__doc__.strip().partition(" ")[0]
        assert docstring in page[heading.end() :], name
    assert "&gt;&gt;&gt;" in page and "<blockquote>" not in page, "examples are code"


def test_code(site: Path) -> None:
    """An option's name is in one piece, and a number in a command has one colour."""
    assert '<code><span class="option">-img</span></code>' in (site / "options.html").read_text()
    tutorial = (site / "tutorial.html").read_text()
    assert "41.98" in tutorial and not re.search(r"<span style=[^>]*>\d", tutorial)
    assert re.search(r"color: #666\w*\">[0-9]+</span>", (site / "python.html").read_text()), "Python's have theirs"


def test_wide_tables(site: Path) -> None:
    """Cells of a wide table know their column, for narrow screens."""
    page = (site / "options.html").read_text()
    assert page.count('data-label="option"') == page.count('data-label="what it does"') > 80
