"""MkDocs hook: blocks of ```math become MathML, which browsers show without scripts or a network."""

from __future__ import annotations

import re
from typing import Any

BLOCK = re.compile(r"^```math\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
# Stands for a formula while Markdown is converted.
TOKEN = "FORMULA-{}-OF-THIS-PAGE"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Take the formulas out; they are kept with the page."""
    page.formulas = BLOCK.findall(markdown)
    tokens = iter(TOKEN.format(number) for number in range(len(page.formulas)))
    return BLOCK.sub(lambda _: next(tokens), markdown)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Put them back as MathML."""
    from latex2mathml.converter import convert

    for number, formula in enumerate(page.formulas):
        html = html.replace(TOKEN.format(number), convert(formula, display="block"))
    return html
