"""Docstrings are plain text for `help()`; here they become the Markdown of the Python reference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import griffe

# A line that begins with the name of a parameter or an attribute.
ITEM = re.compile(r"^(\**\w+(?:, \**\w+)*): (?=\S)")


class PlainText(griffe.Extension):
    """Loads with mkdocstrings, and changes the text of each docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for everything that is found."""
        if obj.docstring:
            names = [one.name for one in obj.parameters] if isinstance(obj, griffe.Function) else list(obj.members)
            obj.docstring.value = markdown(obj.docstring.value, names)


def markdown(text: str, names: Sequence[str] = ()) -> str:
    """Paragraphs; a list of what begins with a name; examples as code. names: of parameters or attributes."""
    return "\n\n".join(_paragraph(paragraph, names) for paragraph in re.split(r"\n\s*\n", text.strip()))


def _paragraph(text: str, names: Sequence[str]) -> str:
    if text.lstrip().startswith(">>> "):
        return "```pycon\n" + text + "\n```"
    for name in names:
        # Where a sentence has ended the next name may follow in the same line.
        text = re.sub(rf"(?<=[.)]) {re.escape(name)}: ", f"\n{name}: ", text)
    lines = text.split("\n")
    shown = []
    for line in (re.sub(r"[*<]", r"\\\g<0>", line) for line in lines):
        item = ITEM.match(line)
        if item:
            # A list needs an empty line before it.
            shown += [""] if shown and not shown[-1].startswith(("- ", "    ")) else []
            shown.append(f"- `{item[1]}`: {line[item.end() :]}")
        else:
            shown.append("    " + line.lstrip() if shown and shown[-1].startswith(("- ", "    ")) else line)
    return "\n".join(shown)
