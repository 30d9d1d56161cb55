"""What simulate() returns: noise, files, pictures, labels, and what it says of itself."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest

from nanobragg_py import Config, InputError, Result, Simulator, simulate
from nanobragg_py.commandline.cli import run

CELL = dict(cell=(40, 50, 60), default_F=10)
SMALL = dict(detpixels=48, pixel_mm=1, oversample=1, N=5)
WORDS = "-cell 40 50 60 -default_F 10 -detpixels 48 -pixel 1 -oversample 1 -N 5 -seed 1 -noprogress"


@pytest.fixture
def result() -> Result:
    """A small image."""
    return simulate(seed=1, fluence=1e28, **CELL, **SMALL)


def test_noise_is_the_noise_image(tmp_path) -> None:
    """noise() twice gives the same numbers, those of the noise file; another seed gives others."""
    result = simulate(seed=7, fluence=1e30, roi=(3, 40, 2, 30), **CELL, **SMALL)
    noise = result.noise()
    assert noise.image.dtype == np.uint16 and noise.image.shape == result.image.shape
    result.write(noise_file=tmp_path / "n.img")
    assert (tmp_path / "n.img").read_bytes()[512:] == noise.image.tobytes()
    again, other = result.noise(7), result.noise(8)
    assert np.array_equal(noise.image, again.image) and noise.photons == again.photons > 0
    assert not np.array_equal(noise.image, other.image)


def test_write_names_what_it_wrote(tmp_path) -> None:
    """A folder gets all images but those that are switched off; named files are the only ones."""
    result = simulate(write_pgm=False, **CELL, **SMALL)
    written = result.write(tmp_path)
    assert sorted(written) == ["float_file", "int_file", "noise_file"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["floatimage.bin", "intimage.img", "noiseimage.img"]
    (tmp_path / "more").mkdir()
    result.write(pgm_file=tmp_path / "more" / "a.pgm")
    assert [path.name for path in (tmp_path / "more").iterdir()] == ["a.pgm"]
    assert result.statistics.largest == result.image.max() and "48 x 48" in repr(result)


def test_write_refuses(result, tmp_path) -> None:
    """Files that there are not, no file at all, a folder that is missing."""
    with pytest.raises(InputError, match="write: no file 'png_file'; expected float_file"):
        result.write(png_file="a")
    with pytest.raises(InputError, match="write: expected a folder, or names of files: float_file"):
        result.write()
    with pytest.raises(InputError, match="cannot be written"):
        result.write(tmp_path / "nowhere")


def test_written_with_what_was_asked_for(tmp_path, monkeypatch, capsys) -> None:
    """Scales, offset, region and names are the configuration's, as on the command line."""
    monkeypatch.chdir(tmp_path)
    options = (
        "-scale 3 -pgmscale 2 -adc 7 -roi 5 40 6 39 -intfile i.img -pgmfile p.pgm -noisefile n.img -floatfile f.bin"
    )
    assert run([*WORDS.split(), *options.split()]) == 0
    capsys.readouterr()
    (tmp_path / "python").mkdir()
    written = simulate(Config.from_argv(f"{WORDS} {options}")).write("python")
    assert written == {
        name: f"python/{file}"
        for name, file in dict(float_file="f.bin", int_file="i.img", pgm_file="p.pgm", noise_file="n.img").items()
    }
    for name in written.values():
        assert (tmp_path / name).read_bytes() == (tmp_path / Path(name).name).read_bytes()


@pytest.mark.parametrize("ending", [".cbf", ".edf", ".tif", ".npy", ".nxs", ".h5"])
def test_saved_as_the_command_line_saves(ending, tmp_path, monkeypatch, capsys) -> None:
    """Every format of --save, by the name's ending; a Path will do."""
    monkeypatch.chdir(tmp_path)
    assert run([*WORDS.split(), "-fluence", "1e28", "--save", f"program{ending}"]) == 0
    capsys.readouterr()
    simulate(seed=1, fluence=1e28, **CELL, **SMALL).save(tmp_path / f"python{ending}")
    program, python = (tmp_path / f"{name}{ending}" for name in ("program", "python"))
    if ending in (".nxs", ".h5"):
        import h5py

        with h5py.File(program) as one, h5py.File(python) as two:
            names: list[str] = []
            one.visit(names.append)
            two.visit(names.remove)
            assert not names and np.array_equal(one["entry/data/data"], two["entry/data/data"])
    else:
        without_time = [re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+", b"", path.read_bytes()) for path in (python, program)]
        assert without_time[0] == without_time[1]
    assert "nanobragg_py" not in capsys.readouterr().out


def test_save_and_preview_refuse(result, tmp_path) -> None:
    """What is said names the method and not the command line's option; nothing is written."""
    with pytest.raises(InputError, match=r"^save .*x\.foo: expected a name that ends in \.cbf"):
        result.save(tmp_path / "x.foo")
    with pytest.raises(InputError, match="nowhere") as caught:
        result.save(tmp_path / "nowhere" / "x.npy")
    assert "--" not in str(caught.value)
    with pytest.raises(InputError, match="nowhere") as caught:
        result.preview(tmp_path / "nowhere" / "x.png")
    assert "--" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_preview_is_the_command_lines(tmp_path, monkeypatch, capsys) -> None:
    """The same picture, with rings of choice or without; and what a notebook shows."""
    Image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    result = simulate(seed=1, **CELL, **SMALL)
    for rings, words in (((), []), ((3.0, 5.0), ["--show-rings", "3,5"])):
        assert run([*WORDS.split(), "--preview", "program.png", *words]) == 0
        result.preview("python.png", rings_A=rings)
        assert Path("program.png").read_bytes() == Path("python.png").read_bytes()
    capsys.readouterr()
    picture = Image.open(io.BytesIO(result._repr_png_()))
    assert picture.format == "PNG" and picture.width > 400
    result.preview("python.png")
    assert result._repr_png_() == Path("python.png").read_bytes()


def test_no_picture_without_pillow(result, monkeypatch) -> None:
    """A notebook then shows the text; preview() says what is missing."""
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert result._repr_png_() is None
    with pytest.raises(InputError, match="preview needs pillow"):
        result.preview("a.png")


def test_spots_are_a_stills() -> None:
    """Of a single image the labels that a simulator gives."""
    options = dict(cell=(40, 50, 60), default_F=10, detpixels=96, pixel_mm=1, oversample=1, N=15, fluence=1e28)
    with Simulator(**options) as simulator:
        for still in simulator.stills(2, seed=1):
            alone = simulate(matrix=still.matrix, **{**options, "cell": None}).spots()
            assert len(alone.hkl) > 10 and all(map(np.array_equal, alone, still.spots))
            some = still.result.spots(weakest=50, reach=0.5)
            assert 0 < len(some.hkl) < len(alone.hkl)


def test_region_and_statistics(result) -> None:
    """What was rendered, and the numbers of the log."""
    assert result.region == (0, 47, 0, 47)
    part = simulate(roi=(3, 40, 2, 30), **CELL, **SMALL)
    assert part.region == (3, 40, 2, 30)
    slow, fast = np.unravel_index(result.image.argmax(), result.image.shape)
    found = result.statistics
    assert found.largest == result.image.max() and found.mean == pytest.approx(result.image.mean(), rel=1e-5)
    place = ((fast + 0.5) * 1e-3, (slow + 0.5) * 1e-3)
    assert (found.largest_fast_m, found.largest_slow_m) == pytest.approx(place, abs=1e-3)


def test_what_it_says_of_itself(result) -> None:
    """Size, and how bright; no arrays."""
    assert repr(result) == f"<Result: 48 x 48 pixels, brightest {result.image.max():g} photons>"
    noise = result.noise()
    assert repr(noise) == f"<Noise: 48 x 48 pixels, {noise.photons:g} photons, {noise.overloads} overloads>"
    text = repr(result.experiment)
    assert len(text) < 10_000 and "domains=<float64 (1, 9)>" in text
