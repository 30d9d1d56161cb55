"""MkDocs hooks: formulas without scripts, option names in one piece, tables that fit a telephone, shell without colour.

Blocks of ```math become MathML, which browsers show without scripts or a network.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pygments.styles.default import DefaultStyle
from pygments.token import Number

BLOCK = re.compile(r"^```math\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
# Stands for a formula while Markdown is converted.
TOKEN = "FORMULA-{}-OF-THIS-PAGE"
# Words of commands, not those in blocks of commands.
CODE = re.compile(r"(?<!<span></span>)<code>([^<]*)</code>")
OPTION = re.compile(r"(?<![\w.-])(--?\w[\w-]*)")
TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
HEADING = re.compile(r"<th[^>]*>(.*?)</th>", re.DOTALL)
ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)
CELL = re.compile(r"<td(?=[ >])")
# From this number of columns on a table is set row below row on a narrow screen.
MANY_COLUMNS = 3


class OneColourForNumbersInShell(DefaultStyle):
    """Pygments' default style. Its lexer for shell takes the 41 of 41.98 for a number, and not the .98."""

    styles: ClassVar = {**DefaultStyle.styles, Number: "noinherit", **{kind: "#666666" for kind in Number.subtypes}}


def on_config(config: Any) -> Any:
    """Colour code with the style above."""
    config["mdx_configs"]["codehilite"]["pygments_style"] = OneColourForNumbersInShell
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Take the formulas out; they are kept with the page."""
    page.formulas = BLOCK.findall(markdown)
    tokens = iter(TOKEN.format(number) for number in range(len(page.formulas)))
    return BLOCK.sub(lambda _: next(tokens), markdown)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Put the formulas back, and mend what Markdown has made."""
    html = CODE.sub(lambda code: f"<code>{unbroken_options(code[1])}</code>", html)
    html = TABLE.sub(lambda table: with_labels(table[0]), html)
    for number, formula in enumerate(page.formulas):
        html = html.replace(TOKEN.format(number), mathml(formula, main=number == 0))
    return html


def mathml(formula: str, main: bool) -> str:
    """A formula as MathML; a page's first one is its main one, and set large."""
    from latex2mathml.converter import convert

    # In a line of its own a sum has its limits below and above.
    text: str = convert(
        formula.replace(r"\sum_", r"\sum\limits_").replace(r"\prod_", r"\prod\limits_"), display="block"
    )
    return text.replace("<math ", '<math class="main" ', 1) if main else text


def unbroken_options(code: str) -> str:
    """Browsers may break a line after the hyphen of an option; not in such a piece."""
    return OPTION.sub(r'<span class="option">\1</span>', code)


def with_labels(table: str) -> str:
    """A wide table whose cells know their column's heading, for screens where they stand below each other."""
    headings = [re.sub("<[^>]*>", "", heading).strip() for heading in HEADING.findall(table)]
    if len(headings) < MANY_COLUMNS or not any(headings):
        return table

    def labelled(row: re.Match[str]) -> str:
        labels = iter(headings)
        return CELL.sub(lambda _: f'<td data-label="{next(labels)}"', row[0])

    return ROW.sub(labelled, table).replace("<table>", '<table class="many-columns">', 1)
