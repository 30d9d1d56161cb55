"""Words of a command line that are no option: an error where one of ours was meant, else a warning."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nanobragg_py.base.errors import InputError
from nanobragg_py.options.config import Config, scan
from nanobragg_py.options.table import EXITS, OPTIONS, OWN_OPTIONS

OWN = {own.name for own in OWN_OPTIONS}


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("--preveiw", "no option --preveiw; did you mean --preview?"),
        ("--preveiw=a.png", "no option --preveiw; did you mean --preview?"),
        ("--thread", "no option --thread; did you mean --threads?"),
        ("--quite", "no option --quite; did you mean --quiet?"),
        ("--interp", "no option --interp; did you mean -interpolate?"),
        ("--zzzzzz", "no option --zzzzzz; nanoBragg --help lists all"),
        ("--\x1b[2J", r"no option --\x1b[2J; nanoBragg --help lists all"),
    ],
)
def test_two_hyphens_and_no_option(word: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        scan(["-cell", "50", word, "4"])
    assert str(refused.value) == says


@given(st.one_of(st.text(max_size=10).map("--".__add__), st.sampled_from(sorted(OWN)).map(lambda name: name + "s")))
@example("--")
@example("--=")
@example("--fluence")
@example("---")
def test_two_hyphens_are_never_just_ignored(word: str) -> None:
    """A word that begins with two hyphens is an option of ours, or the C program's, or stops the run."""
    name = word.partition("=")[0]
    words = [word, "1", "1", "1", "1"]
    try:
        _, warnings = scan(words)
    except InputError:
        return
    theirs = [row for row in OPTIONS if row.matches(word)]
    assert name in OWN or theirs or word == "--"
    assert word == "--" or not any(warning.startswith("unknown option") for warning in warnings)
    if theirs and word not in {name for row in OPTIONS for name in row.names}:
        assert any(warning.startswith(f"{word} is read as -") for warning in warnings)


@pytest.mark.parametrize("row", OPTIONS, ids=lambda row: row.names[0])
def test_options_of_the_c_program_with_a_hyphen_too_many(row) -> None:
    """Those that it finds inside words work as before; those that must be the whole word are no option of anybody's."""
    word = "-" + row.names[0]
    words = [word, *"1 1 1 1".split()]
    if any(other.matches(word) for other in OPTIONS):
        _, warnings = scan(words)
        assert any(warning.startswith(f"{word} is read as -") for warning in warnings)
    else:
        with pytest.raises(InputError, match=rf"no option {word}; did you mean .*{row.names[0]}\b"):
            scan(words)


def test_a_value_may_begin_with_two_hyphens() -> None:
    """As in the C program, what follows an option is its value."""
    config, warnings = scan(["-floatfile", "--odd.bin", "-hkl", "--list"])
    assert (config.float_file, config.hkl_file, warnings) == ("--odd.bin", "--list", [])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--save --threads 2", r"option --save needs a value \(FILE\), got the option --threads"),
        ("--preview --fix=cell", r"option --preview needs a value \(FILE.png\), got the option --fix=cell"),
        ("--trace-only=yes", "option --trace-only takes no value, got 'yes'"),
        ("--quiet=", "option --quiet takes no value, got ''"),
        ("--fix cells", "--fix: no correction 'cells'; expected all, none, list, or any of upstream, cell"),
    ],
)
def test_values_of_our_own_options(line: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        scan(line.split())


@pytest.mark.parametrize("dash", ["\N{EN DASH}", "\N{MINUS SIGN}", "\N{NON-BREAKING HYPHEN}"])
def test_dashes_of_word_processors(dash: str) -> None:
    _, warnings = scan([f"{dash}distance", "100"])
    assert warnings[0] == f"stray word '{dash}distance' is ignored; did you mean -distance, with a hyphen?"


def test_ways_out_are_nothing_to_the_c_program() -> None:
    """-help, -version and so on are not found inside any of its options' words."""
    for way in EXITS:
        assert not [name for name in way.names for row in OPTIONS if row.matches(name)]


PIECES = (
    "+ - 0 1 9 . e E p 0x 0X inf INFINITY nan NaN ( ) (0x1) (a_b) _ f , 1e 999 p99999 99999999999999999999 i".split()
)
NUMERIC = [row for row in OPTIONS if row.kind not in ("text", "flag", "follower", "pivot")]


@given(
    st.sampled_from(NUMERIC),
    st.lists(st.sampled_from([*PIECES, " ", "\t", "\N{ARABIC-INDIC DIGIT THREE}"]), max_size=6),
)
@example(next(row for row in OPTIONS if "-lambda" in row.names), ["nan", "(0x1)"])
@example(next(row for row in OPTIONS if "-distance" in row.names), ["-", "nan", "(0x1)"])
@example(next(row for row in OPTIONS if "-cell" in row.names), ["0x", "p99999"])
@example(next(row for row in OPTIONS if "-energy" in row.names), ["1e", "999"])
def test_any_spelling_of_a_number(row, pieces: list[str]) -> None:
    """It is a finite number, or an error that names the option and the spelling."""
    text = "".join(pieces)
    word = next(name for name in row.names if row.matches(name))
    try:
        config, _ = scan([word, *[text] * max(row.values, 1)])
    except InputError as error:
        assert word in str(error)
        return
    assert isinstance(config, Config)
    for name, value in vars(config).items():
        numbers = value if isinstance(value, tuple) else (value,)
        if name != "wavelength_m":  # an energy of 0 is a wavelength without end, and refused as such
            assert all(math.isfinite(number) for number in numbers if isinstance(number, float))


def test_what_is_accepted() -> None:
    assert scan(["--fix", "none"])[0].defects_accepted
    config, _ = scan(["--fix", "cell,none"])
    assert config.defects_accepted and config.fixes.names == ("cell",)
    assert not scan(["--fix", "cell"])[0].defects_accepted
    assert Config.from_keywords(fix="none").defects_accepted
