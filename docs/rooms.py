"""The list of rooms in docs/architecture.md, from docstrings: `python docs/rooms.py` writes it anew."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
START, END = "<!-- rooms: made by docs/rooms.py -->\n", "<!-- end of rooms -->\n"
# From the top of the house to the ground; what is not named here comes at the end.
ORDER = (
    "", "commandline", "tools", "tools/compare", "tools/trace_diff", "tools/bench", "noisify", "nonbragg", "batch",
    "resolve", "rendering", "measurement", "formats", "model", "options", "kernels", "kernels/simd", "kernels/passes",
    "kernels/library", "base",
)  # fmt: skip


def first_line(path: Path) -> str:
    """First line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def rooms() -> str:
    """A table for each folder of the package."""
    package = ROOT / "nanobragg_py"
    folders: dict[str, list[Path]] = {}
    for path in sorted(package.rglob("*.py")):
        name = path.parent.relative_to(package).as_posix()
        folders.setdefault("" if name == "." else name, []).append(path)
    known = [name for name in ORDER if name in folders]
    parts = []
    for name in [*known, *sorted(set(folders) - set(known))]:
        title = f"`{name}/`" if name else "The Python face"
        about = f"{first_line(package / name / '__init__.py')}\n\n" if name else ""
        lines = [
            f"| `{path.relative_to(package).as_posix()}` | {first_line(path)} |\n"
            for path in folders[name]
            if path.name != "__init__.py"
        ]
        table = "| file | purpose |\n|---|---|\n" + "".join(lines) if lines else ""
        parts.append(f"### {title}\n\n{about}{table}\n")
    return "".join(parts)


def page() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    return before + START + "\n" + rooms() + END + rest.partition(END)[2]


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        raise SystemExit(page() != PAGE.read_text(encoding="utf-8") and "run: python docs/rooms.py")
    PAGE.write_text(page(), encoding="utf-8")
