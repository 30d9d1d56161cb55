"""nb-batch draw: options and help."""

from __future__ import annotations

import sys

import click

from ..base.errors import InputError, shown

HELP = """Draw a table for nb-batch run from distributions, and print it as CSV.

\b
--vary NAME=DISTRIBUTION, once for each:
  orientation=uniform          uniform over all rotations: columns qw qx qy qz
  noise_seed=random            a seed; also of mosaic_seed, misset_seed
  cell=normal:A,B,C,ALPHA,BETA,GAMMA:SIGMAS   six spreads
  cell=scaled:A,B,C,ALPHA,BETA,GAMMA:SPREAD   edges, all by the same factor, about 1
  NAME=normal:MEAN:SIGMA[:LOW:HIGH]           drawn again outside LOW..HIGH
  NAME=uniform:LOW:HIGH        of whole numbers both ends included
  NAME=lognormal:MEDIAN:SIGMA  SIGMA of the natural logarithm
  NAME=loguniform:LOW:HIGH
  NAME=gamma:MEAN:MODES        pulses of a free-electron laser: variance MEAN²/MODES
  NAME=exponential:MEAN
  NAME=choice:X,Y,Z            NAME=fixed:X
NAME is a column of nb-batch run: wavelength_A, fluence, Xbeam_mm, distance_mm, N, ... Whole numbers (N) are rounded,
and at least 1.

SPEC: a TOML file with lines NAME = "DISTRIBUTION" under [vary], before those of --vary.

Row i is drawn from NumPy's SeedSequence(SEED, spawn_key=(i,)), in the order of the variables: it stays the same when
rows or variables are added at the end.

\b
Example:
  nb-batch draw --rows 1000 --seed 1 --vary orientation=uniform --vary noise_seed=random \\
    --vary wavelength_A=normal:1.0:0.001 --vary fluence=gamma:1e25:4 > table.csv
"""


@click.command(help=HELP)
@click.argument("spec", required=False)
@click.option("--rows", type=click.IntRange(1), required=True, metavar="N", help="How many.")
@click.option("--seed", type=click.IntRange(0), required=True, metavar="S", help="The same gives the same table.")
@click.option("--first", type=click.IntRange(0), default=0, metavar="I", help="Begin with row I. Default: 0.")
@click.option("--vary", multiple=True, metavar="NAME=DISTRIBUTION", help="A variable; may be repeated.")
def draw(spec: str | None, rows: int, seed: int, first: int, vary: tuple[str, ...]) -> int:
    """Draw a table; the help is HELP."""
    # Loads NumPy soon, for which --help does not wait.
    from ..base.process import prepare_process, prepare_streams
    from .draw import variables, write_csv

    prepare_process()
    prepare_streams()
    found = variables(_in_file(spec), spec) if spec is not None else []
    said = []
    for word in vary:
        name, equals, distribution = word.partition("=")
        if not equals:
            raise InputError(f"--vary: expected NAME=DISTRIBUTION, got '{shown(word)}'")
        said.append((name.strip(), distribution))
    found += variables(said)
    if not found:
        raise InputError("nothing to draw: expected --vary NAME=DISTRIBUTION, or a file with [vary]")
    write_csv(sys.stdout, found, rows, seed, first)
    return 0


def _in_file(path: str) -> list[tuple[str, str]]:
    """Variables of a TOML file. Raises InputError."""
    import tomllib

    from ..base.files import read_bytes

    try:
        said = tomllib.loads(read_bytes(path, "SPEC").decode())
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: {shown(str(error), 200)}") from error
    vary = said.get("vary")
    if not isinstance(vary, dict) or not all(isinstance(text, str) for text in vary.values()):
        raise InputError(f'{path}: expected lines NAME = "DISTRIBUTION" under [vary]')
    return list(vary.items())
