"""nb-batch: the command and its subcommands."""

from __future__ import annotations

import os
import sys

import click

from ..base.errors import EXIT_STATUS, InputError
from ..tools.command import ToolCommand
from .draw_command import draw
from .run_command import check, merge, run, show, status

HELP = """Many images: a batch of them from a table of parameters, or command lines one after the other.

\b
Examples:
  nb-batch draw --rows 1000 --seed 1 --vary orientation=uniform --vary noise_seed=random > table.csv
  nb-batch run table.csv --out stills -- -hkl 1a8o.hkl -cell 42 42 89 90 90 90 -N 20 -distance 160 -detpixels 512
  nb-batch status stills
  nb-batch commands list.txt > all.log
"""
COMMANDS_HELP = """Run the command lines of FILE (- : standard input), one after the other, in one process.

Each line holds options of nanoBragg, quoted as for a shell; its standard output and its files are those of
`nanoBragg` with these options. Names are relative to the current folder. Empty lines and what follows a # are
left out, a backslash at the end joins a line with the next. Variables, wildcards and redirections are not for
here: a line with one fails. A line that fails is told of on standard error, with its number, and the next one
is run.

\b
Exit status: 0; 1 when a line failed; 9 when nothing could be run; 128 + number after a signal.

\b
Examples:
  nb-batch commands list.txt > all.log
  nb-batch commands list.txt --log-dir logs --threads 4
  nb-batch commands list.txt --dry-run
"""


class _Group(ToolCommand, click.Group):
    """Subcommands under the manners of all tools."""


@click.group(name="nb-batch", cls=_Group, failure_status=EXIT_STATUS, help=HELP, no_args_is_help=False)
def main() -> None:
    """The program; its help is HELP."""


@main.command(help=COMMANDS_HELP)
@click.argument("file")
@click.option("--log-dir", "log_folder", metavar="DIR",
              help="Standard output of line N into DIR/N.log. Default: to standard output, in order.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1), metavar="N",
              help="Threads of a line that does not say; small images have one. Default: all cores.")  # fmt: skip
@click.option("--from", "first", type=click.IntRange(1), default=1, metavar="N", help="Begin with line N of FILE.")
@click.option("--stop", is_flag=True, help="Stop at the first line that fails.")
@click.option("--dry-run", is_flag=True, help="Render nothing: say which files each line would write.")
def commands(
    file: str, log_folder: str | None, threads: int | None, first: int, stop: bool, dry_run: bool
) -> int:  # fmt: skip
    """Run command lines; the help is COMMANDS_HELP."""
    # Loads NumPy soon, for which --help does not wait.
    from ..base.files import read_bytes
    from ..base.process import prepare_process, prepare_streams
    from .lines import command_lines
    from .loop import Batch, Settings

    prepare_process()
    prepare_streams()
    content = sys.stdin.buffer.read() if file == "-" else read_bytes(file, "FILE", may_be_empty=True)
    everything = list(command_lines(content))
    lines = [line for line in everything if line.number >= first]
    if everything and not lines:
        raise InputError(f"{file}: --from {first}: the last command line is line {everything[-1].number}")
    if not everything:
        print(f"nb-batch: warning: {file}: has no command lines", file=sys.stderr)
    if log_folder is not None and not dry_run:
        os.makedirs(log_folder, exist_ok=True)
    return Batch(lines, Settings(log_folder, threads, stop, dry_run)).run()


for command in (run, draw, status, merge, check, show):
    main.add_command(command)
