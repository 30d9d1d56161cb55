"""nb-batch run, status, merge, check and show: options and help."""

from __future__ import annotations

import re
import sys
from typing import Any

import click

from ..base.errors import InputError, shown

RUN_HELP = """Render a batch: one image for each row of TABLE, with what all of them have in common in a base.

TABLE: CSV, or Parquet with pyarrow installed. A column is a keyword of the Python interface, in its unit:
distance_mm, wavelength_A, fluence, N, Xbeam_mm, ...; misset_x misset_y misset_z or the quaternion qw qx qy qz for the
orientation; cell_a ... cell_gamma; noise_seed. An empty cell leaves the base's value.

The base: options of nanoBragg after --, or --base FILE: a file with one command line, or keywords in TOML or JSON.

Images are counts with photon noise if a row or the base has a seed, otherwise photons. They go into shards of
consecutive rows, DIR/shard_000000000.h5 and so on: NXmx with the rows, orientations and labels; DIR/batch.nxs shows
all as one data set. The same command again makes what is missing, and nothing twice.

\b
Exit status: 0; 1 when rows failed; 9 when it could not be done; 128 + number after a signal.

\b
Examples:
  nb-batch run table.csv --out stills -- -hkl 1a8o.hkl -cell 42 42 89 90 90 90 -N 20 -detpixels 512
  nb-batch run table.csv --out stills --base base.toml --dtype uint16 --code sqrt
  nb-batch run table.csv --out stills --base base.toml --part 3/16
  nb-batch run table.csv --out stills --base base.toml --cluster scheduler.json
"""
STATUS_HELP = """Say how far the batch in DIR is, and which rows failed.

\b
Exit status: 0 when it is complete and no row failed, 1 otherwise; 9 when there is no batch.
"""
MERGE_HELP = """Make anew the file in which all shards of DIR are one data set: batch.nxs."""
CHECK_HELP = """Check the batch in DIR: every image's checksum with its row, and some images by rendering them anew.

\b
Exit status: 0 when all is well; 1 when something is missing, damaged or different; 9 when there is no batch.
"""
SHOW_HELP = """Print the command line that makes the image of row ROW of DIR, counted from 0, bit for bit.

The image goes to rowROW.npy, or to the name after --save.

\b
Example:
  nb-batch show stills 17 --save image.cbf | sh
"""


def _part(context: Any, parameter: Any, value: str | None) -> tuple[int, int]:
    """I/N, from 1 to N."""
    if value is None:
        return (1, 1)
    match = re.fullmatch(r"(\d+)/(\d+)", value)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(f"--part: expected I/N, such as 1/4, got '{shown(value)}'")
    return (int(match[1]), int(match[2]))


def _cluster_options(context: Any, parameter: Any, values: tuple[str, ...]) -> dict[str, str]:
    """KEY=VALUE, each."""
    pairs = [value.partition("=") for value in values]
    for key, equals, value in pairs:
        if not (key and equals):
            raise InputError(f"--cluster-option: expected KEY=VALUE, got '{shown(key + equals + value)}'")
    return {key: value for key, _, value in pairs}


@click.command(help=RUN_HELP)
@click.argument("table")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTIONS]")
@click.option("--out", "folder", required=True, metavar="DIR", help="Folder of the batch; made if it is not there.")
@click.option("--base", "base_file", metavar="FILE", help="The base: a command line, or keywords (.toml, .json).")
@click.option("--noise/--no-noise", default=None, help="Counts with photon noise, or photons. Default: by seeds.")
@click.option("--dtype", type=click.Choice(["float32", "int32", "uint16"]),
              help="Of what is stored. Default: int32 for counts, float32 for photons.")  # fmt: skip
@click.option("--code", metavar="CODE", help="Of uint16: none (cut off at 65535), sqrt, or gain:FACTOR.")
@click.option("--labels/--no-labels", default=True, help="With or without hkl, position and intensity of spots.")
@click.option("--weakest", type=click.FloatRange(0), default=1.0, metavar="PHOTONS",
              help="Label no spots whose brightest pixel has fewer. Default: 1.")  # fmt: skip
@click.option("--shard-rows", type=click.IntRange(1), metavar="K", help="Rows of a shard. Default: 256 MB, or 30 s.")
@click.option("--part", callback=_part, metavar="I/N", help="Make only every N-th shard, from the I-th: for N jobs.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Images at a time. Default: all cores.")
@click.option("--compression", type=click.Choice(["gzip", "bitshuffle"]),
              help="Default: bitshuffle with LZ4 where hdf5plugin is installed.")  # fmt: skip
@click.option("--cluster", metavar="WHERE",
              help="Make shards by Dask's workers: local, local:N (processes here), slurm, tcp://ADDRESS:PORT, or a "
              "scheduler's file.")  # fmt: skip
@click.option("--cluster-option", "cluster_options", multiple=True, callback=_cluster_options, metavar="KEY=VALUE",
              help="Passed to Dask's LocalCluster or SLURMCluster, such as queue=fast, cores=32, jobs=10.")  # fmt: skip
@click.option("--retry-failed", is_flag=True, help="Make the shards anew in which rows failed.")
def run(
    table: str, words: tuple[str, ...], folder: str, base_file: str | None, part: tuple[int, int], threads: int | None,
    retry_failed: bool, cluster: str | None, cluster_options: dict[str, str], **wishes: Any,
) -> int:  # fmt: skip
    """Make a batch; the help is RUN_HELP."""
    _prepare()
    from .base import Base
    from .prepare import Wishes, make_plan
    from .run import run_batch

    if words and base_file is not None:
        raise InputError("--base, and options after --: expected one of them")
    if cluster_options and cluster is None:
        raise InputError("--cluster-option: expected --cluster, too")
    engine = None
    if cluster is not None:
        from .cluster import OnCluster

        engine = OnCluster(cluster, cluster_options)
    base = Base.of_file(base_file) if base_file is not None else Base.of_words(words)
    plan = make_plan(table, folder, base, Wishes(threads=threads, **wishes))
    # Seconds after which a thread hands on the interpreter's lock; with Python's 0.005 cores wait for one another.
    sys.setswitchinterval(0.001)
    return run_batch(plan, part, threads, retry_failed, ["nb-batch", *sys.argv[1:]], engine)


@click.command(help=STATUS_HELP)
@click.argument("folder", metavar="DIR")
def status(folder: str) -> int:
    """Say how far it is; the help is STATUS_HELP."""
    _prepare()
    from .plan import load_plan
    from .status import print_status

    return print_status(load_plan(folder))


@click.command(help=MERGE_HELP)
@click.argument("folder", metavar="DIR")
def merge(folder: str) -> int:
    """Make the master; the help is MERGE_HELP."""
    _prepare()
    from .master import make_masters
    from .plan import load_plan

    for path in make_masters(load_plan(folder)):
        print(path)
    return 0


@click.command(help=CHECK_HELP)
@click.argument("folder", metavar="DIR")
@click.option("--sample", type=click.IntRange(0), default=10, metavar="N", help="Images to render anew. Default: 10.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Which ones. Default: 0.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Shards at a time. Default: all cores.")
def check(folder: str, sample: int, seed: int, threads: int | None) -> int:
    """Check it; the help is CHECK_HELP."""
    _prepare()
    from .check import check_batch
    from .plan import load_plan

    return check_batch(load_plan(folder), sample, seed, threads)


@click.command(help=SHOW_HELP)
@click.argument("folder", metavar="DIR")
@click.argument("row", type=click.IntRange(0))
@click.option("--save", "name", metavar="FILE", help="Where the image goes: .npy, .cbf, .tif, .nxs, ...")
def show(folder: str, row: int, name: str | None) -> int:
    """Print a command line; the help is SHOW_HELP."""
    _prepare()
    from .plan import load_plan
    from .show import command_line

    print(command_line(load_plan(folder), row, name or f"row{row}.npy"))
    return 0


def _prepare() -> None:
    """Before anything is imported that takes time."""
    from ..base.errors import speak_as
    from ..base.process import prepare_process, prepare_streams

    prepare_process()
    prepare_streams()
    speak_as("nb-batch")
