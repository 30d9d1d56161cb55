"""The base of a batch: what all its images have in common, as a command line or as keywords."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..base.errors import InputError, shown, warn
from ..base.files import file_is_there, read_bytes
from ..base.records import with_values
from ..formats.crystal_files import COORDINATES, recognise
from ..options.config import Config, scan
from ..options.keywords import keywords, settings
from ..options.table import OPTIONS
from .columns import NOT_OF_A_ROW
from .lines import command_lines

OPTION = "--base"
BACKGROUND = "--background"
# Fields of Config that name an input file.
INPUT_FIELDS = ("hkl_file", "mat_file", "mask_file", "image_file", "source_file", "dump_file")
# Fields that say which files a run writes, or how it is shown; a batch has its own.
SERIES_FIELDS = {"frames": "--frames", "orientations_file": "--orientations"}
UNHEEDED_FIELDS = {
    "preview": "--preview", "save": "--save", "save_noise": "--save-noise", "save_orientation": "--save-orientation",
    "ground_truth": "--ground-truth", "inputs_folder": "--write-inputs", "trace_pixels": "-trace_pixel",
    "trace_only": "--trace-only", "printout": "-printout", "printout_pixel": "-printout_pixel",
}  # fmt: skip
# Fields on which no pixel depends.
NOT_OF_THE_IMAGE = frozenset(UNHEEDED_FIELDS) | {
    "float_file", "int_file", "pgm_file", "noise_file", "write_pgm", "write_noise", "scale", "pgm_scale", "adc_offset",
    "progress", "threads", "show_rings", "frame_width_deg", "resume", "compression", "trace_prefix", "quiet", "verbose",
    "defects_accepted", "stolout_file", "stol_file", "density_g_per_m3", "molecular_weight", "coherent", "dump_file",
    "misset_seed",
}  # fmt: skip


class Base(NamedTuple):
    """Words of a command line (without the program's name), or keywords; names of files are absolute."""

    words: tuple[str, ...] | None
    keywords: dict[str, Any]

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Base:
        """A command line's. Raises InputError for what cannot be in a batch; warns of what has no effect there."""
        config, warnings = scan(words)
        for message in warnings:
            warn(message)
        _check(config)
        return cls(tuple(_absolute_words(words)), {})

    @classmethod
    def of_keywords(cls, said: Mapping[str, Any], where: str) -> Base:
        """Those of a keywords file. Raises InputError."""
        unheeded = [name for name in said if name in NOT_OF_A_ROW]
        if unheeded:
            raise InputError(f"{where}: {', '.join(unheeded)}: a batch has its own files and threads")
        try:
            settings(said)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        return cls(None, {name: _absolute_value(name, value) for name, value in said.items()})

    @classmethod
    def of_file(cls, path: str) -> Base:
        """TOML or JSON with keywords, or any other file with one command line. Raises InputError."""
        content = read_bytes(path, OPTION)
        if path.endswith((".toml", ".json")):
            return cls.of_keywords(_keywords_in(content, path), path)
        lines = list(command_lines(content))
        if len(lines) != 1:
            raise InputError(f"{path}: {OPTION}: expected one command line, found {len(lines)}")
        try:
            return cls.of_words(lines[0].words())
        except InputError as error:
            raise InputError(f"{path}: line {lines[0].number}: {error}") from error

    def config(self) -> Config:
        """The configuration; defects of the C program are told of once, for all images, and not by each."""
        if self.words is not None:
            config, _ = scan(self.words)
            used = config.hkl_file is None and file_is_there(config.dump_file)
            dump = os.path.abspath(config.dump_file) if used else ""
            return with_values(config, dump_file=dump, defects_accepted=True)
        return with_values(Config.from_keywords(**self.keywords), defects_accepted=True)

    @property
    def says_noise(self) -> bool:
        """Whether it asks for noise: a seed, a noise image by name, or a detector, and not -nonoise."""
        config = self.config()
        named = config.noise_file != Config().noise_file or bool(config.save_noise)
        return config.write_noise and (config.seed is not None or named or config.has_detector)


def _check(config: Config) -> None:
    for field, option in SERIES_FIELDS.items():
        if getattr(config, field) is not None:
            raise InputError(f"{option}: a series within a batch; expected rows of the table in its place")
    nothing = Config()
    unheeded = [name for field, name in UNHEEDED_FIELDS.items() if getattr(config, field) != getattr(nothing, field)]
    unheeded = [name for name in unheeded if name != "--save-noise"]
    if unheeded:
        warn(f"{', '.join(unheeded)}: no effect in a batch")


def _keywords_in(content: bytes, path: str) -> dict[str, Any]:
    try:
        if path.endswith(".json"):
            said = json.loads(content)
        else:
            import tomllib  # only where it is needed: start-up

            said = tomllib.loads(content.decode())
    except ValueError as error:
        raise InputError(f"{path}: {OPTION}: {shown(str(error), 200)}") from error
    if not isinstance(said, dict):
        raise InputError(f"{path}: {OPTION}: expected keywords and their values")
    return said


def _absolute_words(words: Sequence[str]) -> Iterator[str]:
    """The words with absolute names of input files."""
    inputs = [row for row in OPTIONS if row.kind == "text" and set(row.sets) & set(INPUT_FIELDS)]
    after = ""
    for word in words:
        is_input = after.startswith("-") and any(row.matches(after) for row in inputs)
        is_input = is_input or (after == BACKGROUND and os.path.isfile(word))
        yield absolute(word) if is_input else word
        after = word


def _absolute_value(name: str, value: Any) -> Any:
    if name == "background":
        return _absolute_materials(value)
    return absolute(value) if is_input_name(name) and isinstance(value, str) else value


def _absolute_materials(value: Any) -> Any:
    """One material or several, as TOML and JSON have them, with absolute names of their files."""
    if isinstance(value, list):
        return [_absolute_materials(one) for one in value]
    if isinstance(value, dict):
        return value | {"material": _absolute_materials(value["material"])}
    return absolute(value) if isinstance(value, str) and os.path.isfile(value) else value


def is_input_name(name: str) -> bool:
    """Whether a keyword names an input file."""
    row = keywords()[name].row
    return row is not None and row.kind == "text" and bool(set(row.sets) & set(INPUT_FIELDS))


def absolute(name: str, folder: str | None = None) -> str:
    """A file's name from the root, with what follows it in FILE::FRAME."""
    path, mark, rest = name.partition("::")
    return os.path.normpath(os.path.join(folder or os.getcwd(), path)) + mark + rest


def input_files(config: Config) -> list[str]:
    """The files that a configuration's images depend on."""
    names = (getattr(config, field) for field in INPUT_FIELDS)
    tables = (layer.material for layer in config.background)
    found = [name.partition("::")[0] for name in names if name]
    return found + [name for name in tables if isinstance(name, str) and os.path.isabs(name)]


def digest_of_file(path: str) -> str:
    """SHA-256 of an input. Raises InputError, also for a pipe: a batch reads its inputs more than once."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise InputError(f"{path}: expected a regular file: a batch reads its inputs more than once")
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def has_coordinates(config: Config) -> bool:
    """Whether structure factors are computed from atoms, to a resolution that depends on the instrument."""
    path = config.hkl_file
    return path is not None and config.sf_resolution_A is None and recognise(path) in COORDINATES
