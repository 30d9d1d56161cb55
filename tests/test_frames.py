"""Series of frames: each is the image of a single run; files appear whole; an interrupted series is gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fabio
import h5py
import numpy as np
import pytest

from nanobragg_py import Config, InputError, simulate
from nanobragg_py.frame_files import UNFINISHED, FrameOutputs, SeriesFiles, frame_name
from nanobragg_py.frames import Rotation, Stills, frame_angle_deg, frame_seed
from nanobragg_py.measurement.counts import poisson_counts
from nanobragg_py.model.counts import LARGEST_COUNT
from nanobragg_py.resolve.arrays import Arrays
from nanobragg_py.resolve.stages import resolve

CRYSTAL = (
    "-default_F 60 -cell 30 40 50 -misset 10 20 30 -N 5 -distance 60 -lambda 1 -detpixels 40 -pixel 1.5 -oversample 1 "
    "-seed 5 -fluence 1e25 -mosaic 0.5 -mosaic_domains 3 -water 3 -roi 2 37 0 35"
)
SWEEP = "-phi 0 -osc 0.3 -phisteps 3"


def rotation(
    words: str = f"{CRYSTAL} {SWEEP}", frames: int = 5, width_deg: float | None = None, threads: int = 2
) -> Rotation:
    config = Config.from_argv(words.split())
    return Rotation(resolve(config), config, frames, width_deg, threads)


def test_a_frame_is_the_image_of_a_single_run() -> None:
    """Angle and seed of a frame, said to a single run, give its photons, its noise and its counts."""
    series = rotation()
    for number, frame in enumerate(series):
        angle = frame_angle_deg(0.0, 0.3, number)
        alone = simulate(Config.from_argv(f"{CRYSTAL} {SWEEP} -phi {angle!r} -seed {frame_seed(5, number)}".split()))
        assert np.array_equal(alone.image, frame.image)
        noisy = alone.noise().image
        assert np.array_equal(frame.noise().image, noisy)
        counts = poisson_counts(frame.image, frame.experiment, frame.experiment.noise_seed)
        rendered = counts.rendered
        assert np.array_equal(np.minimum(counts.pixels + 40, 65535)[rendered], noisy[rendered])
        assert not counts.pixels[~rendered].any() and set(counts.marked(-1)[~rendered]) == {-1}


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_and_order_do_not_matter(threads: int) -> None:
    series = rotation(threads=threads)
    together = [frame.image for frame in series]
    for number in (3, 0, 4):
        assert np.array_equal(series.render(number).image, together[number])


def test_width_between_frames() -> None:
    """Frames may be further apart than they are wide; without -osc they need a width."""
    series = rotation(width_deg=0.5)
    starts = [series.frame(number)[0].spindle.start_rad for number in range(5)]
    assert np.degrees(starts) == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])
    with pytest.raises(InputError, match="frame-width"):
        rotation(CRYSTAL)


def test_seeds_are_of_their_own() -> None:
    seeds = {frame_seed(seed, number) for seed in range(50) for number in range(100)}
    assert len(seeds) == 5000 and min(seeds) >= 1 and max(seeds) < 2**31


def test_stills_are_single_runs_with_a_matrix() -> None:
    rng = np.random.default_rng(1)
    matrices = []
    for _ in range(3):
        q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        q *= np.sign(np.linalg.det(q))
        matrices.append(tuple(tuple(column) for column in (q @ np.diag([1 / 30, 1 / 40, 1 / 50])).T.tolist()))
    config = replace(Config.from_argv(CRYSTAL.split()), cell=None, misset=None)
    stills = Stills(resolve(config, Arrays(matrix=matrices[0])), config, matrices, threads=2)
    for matrix, frame in zip(matrices, stills, strict=True):
        alone = simulate(replace(config, seed=frame.config.seed), matrix=np.array(matrix).T)
        assert np.array_equal(alone.image, frame.image)


def test_names() -> None:
    assert frame_name("a#/n_###.cbf", 0) == "a#/n_001.cbf"
    assert frame_name("n_##.cbf", 1234) == "n_1235.cbf"


def written(
    folder: Path, series: Rotation, resume: bool = False, stop_after: int | None = None, **names: object
) -> list[int]:
    done = []
    for number in SeriesFiles(series, FrameOutputs(compression="gzip", **names), resume).write():
        done.append(number)
        if stop_after is not None and len(done) == stop_after:
            raise KeyboardInterrupt
    return done


def test_files_hold_the_frames(tmp_path: Path) -> None:
    """NXmx with all frames, numbered CBF, SMV and floats: each frame's own pixels and angles."""
    series = rotation()
    nxs, floats = str(tmp_path / "n.nxs"), str(tmp_path / "photons.nxs")
    names = dict(
        counts=(nxs, str(tmp_path / "n_##.cbf")), photons=(floats,),
        noise=str(tmp_path / "n_##.img"), floats=str(tmp_path / "f_##.bin"),
    )  # fmt: skip
    assert written(tmp_path, series, **names) == list(range(5))
    assert not list(tmp_path.glob(f"*{UNFINISHED}"))
    with h5py.File(nxs) as file, h5py.File(floats) as photons:
        assert file["entry/data/data"].dtype == np.int32 and file["entry/data/data"].shape == (5, 40, 40)
        phi = file["entry/sample/transformations/phi"][()]
        np.testing.assert_allclose(phi, 0.3 * np.arange(5), atol=1e-9)
        np.testing.assert_allclose(file["entry/sample/transformations/phi_end"][()], phi + 0.3, atol=1e-9)
        assert file["entry/instrument/detector/saturation_value"][()] == LARGEST_COUNT
        mask = file["entry/instrument/detector/pixel_mask"][()]
        for number, frame in enumerate(series):
            counts = poisson_counts(frame.image, frame.experiment, frame.experiment.noise_seed)
            assert np.array_equal(file["entry/data/data"][number], counts.pixels)
            assert np.array_equal(photons["entry/data/data"][number], frame.image)
            assert np.array_equal(mask == 0, counts.rendered)
            cbf = fabio.open(str(tmp_path / f"n_{number + 1:02}.cbf"))
            assert np.array_equal(cbf.data, counts.marked(-1))
            assert f"Start_angle {0.3 * number:.12g} deg." in cbf.header["_array_data.header_contents"]
            smv = (tmp_path / f"n_{number + 1:02}.img").read_bytes()
            assert smv[512:] == frame.noise().image.tobytes()
            assert (tmp_path / f"f_{number + 1:02}.bin").read_bytes() == frame.image.tobytes()


def test_an_interrupted_series_is_gone_on_with(tmp_path: Path) -> None:
    """Whole frames only are left; going on renders what is missing, and the files are those of one run."""
    nxs = str(tmp_path / "n.nxs")
    names = dict(counts=(nxs, str(tmp_path / "n_##.cbf")))
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, rotation(threads=1), stop_after=2, **names)
    assert not Path(nxs).exists() and Path(nxs + UNFINISHED).exists()
    with h5py.File(nxs + UNFINISHED) as file:
        assert file["entry/frames_written"][()].tolist() == [1, 1, 0, 0, 0]
    (tmp_path / "n_01.cbf").unlink()
    assert written(tmp_path, rotation(threads=1), resume=True, **names) == [0, 2, 3, 4]
    once = tmp_path / "once"
    once.mkdir()
    written(once, rotation(), counts=(str(once / "n.nxs"),))
    with h5py.File(nxs) as file, h5py.File(once / "n.nxs") as other:
        assert np.array_equal(file["entry/data/data"][()], other["entry/data/data"][()])
    assert written(tmp_path, rotation(threads=1), resume=True, **names) == []


def test_a_part_of_another_series_is_not_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nxs = tmp_path / "n.nxs"
    Path(str(nxs) + UNFINISHED).write_bytes(b"no HDF5")
    assert written(tmp_path, rotation(frames=2), resume=True, counts=(str(nxs),)) == [0, 1]
    assert "rendered anew" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ({"photons": ("a.cbf",)}, "#### in the name"),
        ({"counts": ("a.xyz",)}, "expected a name that ends in"),
        ({}, "a series without files"),
        ({"counts": ("nowhere/a.nxs",)}, "does not exist"),
    ],
)
def test_names_that_cannot_be(names: dict[str, tuple[str, ...]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        SeriesFiles(rotation(frames=2), FrameOutputs(**names))
