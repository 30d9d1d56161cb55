"""-img and -mask from HDF5: Eiger masters and NXmx, one frame of many, units, and links to other files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from forked import run_forked

from nanobragg_py import InputError, simulate
from nanobragg_py.formats import foreign_process
from nanobragg_py.formats.input_image import InputImage, open_image

LINE = "-cell 40 50 60 -default_F 100 -N 5 -oversample 1 -seed 1 -nonoise -nopgm -noprogress".split()
CRYSTAL = dict(cell=(40, 50, 60), default_F=100, N=5, oversample=1)
OMEGA = [10.0, 10.5, 11.0, 11.5, 12.0, 12.5]


def frames(first: int, count: int) -> np.ndarray:
    """Frames of 20 x 16 pixels, each full of its own number."""
    return np.ones((count, 16, 20), np.uint16) * np.arange(first, first + count, dtype=np.uint16)[:, None, None]


def master(path: Path, **other: Any) -> Path:
    """A master of an Eiger detector with two data files of three frames beside it; other data sets replace its own."""
    with h5py.File(path.parent / "x_data_000001.h5", "w") as file:
        file["entry/data/data"] = frames(1, 3)
    with h5py.File(path.parent / "x_data_000002.h5", "w") as file:
        file["entry/data/data"] = frames(4, 3)
    detector = "entry/instrument/detector"
    said = {
        f"{detector}/beam_center_x": 8.5,
        f"{detector}/beam_center_y": 6.25,
        f"{detector}/x_pixel_size": 75e-6,
        f"{detector}/y_pixel_size": 75e-6,
        f"{detector}/detector_distance": 0.15,
        "entry/instrument/beam/incident_wavelength": 0.9795,
        "entry/sample/goniometer/chi": [0.0] * 6,
        "entry/sample/goniometer/omega": OMEGA,
        "entry/sample/goniometer/omega_range_average": 0.5,
    } | other
    with h5py.File(path, "w") as file:
        for name, value in said.items():
            if value is not None:
                file[name] = value
        for number in (1, 2):
            name = f"entry/data/data_00000{number}"
            if name not in said:
                file[name] = h5py.ExternalLink(f"x_data_00000{number}.h5", "entry/data/data")
    return path


def opened(path: object, pixels: bool = True, as_mask: bool = False) -> InputImage:
    return open_image(str(path), "-mask" if as_mask else "-img", want_pixels=pixels, as_mask=as_mask)


# --- geometry ----


@pytest.mark.parametrize("convention", ["mosflm", "xds"])
def test_an_eiger_master_gives_the_geometry(
    convention: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = simulate(img=master(tmp_path / "x_master.h5"), convention=convention, **CRYSTAL).experiment
    detector, spindle = found.detector, found.spindle
    assert (detector.fpixels, detector.spixels, detector.pixel_size_m) == (20, 16, 75e-6)
    assert (detector.Fbeam_m, detector.Sbeam_m) == pytest.approx((8.5 * 75e-6, 6.25 * 75e-6))
    assert detector.distance_m == 0.15 and found.beam.wavelength_m == pytest.approx(0.9795e-10)
    assert (spindle.start_rad, spindle.range_rad) == pytest.approx(np.radians((10.0, 0.5)))
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "HDF5, 20 x 16 pixels, frame 1 of 6, pixel 0.075 mm" in err


@pytest.mark.parametrize(
    ("name", "value", "unit", "field", "expected"),
    [
        ("instrument/beam/incident_wavelength", 0.09795, "nm", "wavelength_m", 0.9795e-10),
        ("instrument/detector/detector_distance", 150.0, "mm", "distance_m", 0.15),
        ("instrument/detector/x_pixel_size", 75.0, "um", "pixel_size_m", 75e-6),
        ("instrument/detector/x_pixel_size", 75.0, b"\xc2\xb5m", "pixel_size_m", 75e-6),
        ("instrument/detector/beam_center_x", 0.6375, "mm", "beam_px", (8.5, 6.25)),
        ("sample/goniometer/omega", np.radians(OMEGA), "rad", "phi", np.radians(10)),
    ],
)
def test_units(name: str, value: Any, unit: Any, field: str, expected: Any, tmp_path: Path) -> None:
    path = master(tmp_path / "x_master.h5")
    with h5py.File(path, "r+") as file:
        del file["entry/" + name]
        file["entry/" + name] = value
        file["entry/" + name].attrs["units"] = unit
    assert getattr(opened(path, pixels=False).header, field) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("instrument/detector/detectorSpecific/photon_energy", 12658.0, "eV"),
        ("instrument/beam/incident_energy", 12.658, "keV"),
        ("instrument/monochromator/energy", [12658.0], ""),
    ],
)
def test_energy_in_place_of_the_wavelength(name: str, value: Any, unit: str, tmp_path: Path) -> None:
    path = master(
        tmp_path / "x_master.h5", **{"entry/instrument/beam/incident_wavelength": None, "entry/" + name: value}
    )
    with h5py.File(path, "r+") as file:
        file["entry/" + name].attrs["units"] = unit
    assert opened(path, pixels=False).header.wavelength_m == pytest.approx(12398.42 / 12658.0 * 1e-10)


def test_what_a_master_does_not_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not-a-number and zeros are no values; the defaults are named."""
    wavelength, distance = "entry/instrument/beam/incident_wavelength", "entry/instrument/detector/detector_distance"
    path = master(tmp_path / "x_master.h5", **{wavelength: np.nan, distance: 0.0})
    simulate(img=path, **CRYSTAL)
    err = capsys.readouterr().err
    assert "no distance (100 mm), no wavelength (1 Å): the defaults" in err and "= 0' is no value" in err
    path = master(tmp_path / "x_master.h5", **{distance: np.inf})
    with pytest.raises(InputError, match=r"x_master\.h5: '.*detector_distance = inf': expected a finite number; -dist"):
        simulate(img=path, **CRYSTAL)


def test_rectangular_pixels(tmp_path: Path) -> None:
    path = master(tmp_path / "x_master.h5", **{"entry/instrument/detector/y_pixel_size": 150e-6})
    with pytest.raises(InputError, match=r"pixels of 0\.075 x 0\.15 mm; expected square ones"):
        simulate(img=path, **CRYSTAL)


# --- which image ----


def test_one_frame_of_many(tmp_path: Path) -> None:
    """Counted from 1 over all data files, with the angle of that frame; or a data set by its name."""
    path = master(tmp_path / "x_master.h5")
    for number in (1, 3, 4, 6):
        image = opened(f"{path}::{number}")
        assert (image.pixels == number).all() and image.frame == f"frame {number} of 6"
        assert image.header.phi == pytest.approx(np.radians(OMEGA[number - 1]))
    assert (opened(f"{path}::/entry/data/data_000002::2").pixels == 5).all()
    assert (opened(f"{path}::entry/data::4").pixels == 4).all()
    for name, says in {
        "::7": "frame 7: expected 1 to 6",
        "::0": "frame 0: expected 1 to 6",
        "::/entry/none": "there is no '/entry/none' in it",
        "::/entry/sample/goniometer/omega": "expected images of real numbers",
        "::a::b": "expects FILE, FILE::DATASET, FILE::NUMBER or FILE::DATASET::NUMBER",
    }.items():
        with pytest.raises(InputError, match=says):
            opened(f"{path}{name}")
    with pytest.raises(InputError, match="6 images in one file; expected one: FILE::NUMBER"):
        opened(path)
    np.save(tmp_path / "a.npy", np.ones((3, 3)))
    with pytest.raises(InputError, match=r"a\.npy: -img: only HDF5 files have images after '::'"):
        opened(f"{tmp_path}/a.npy::1")


def test_a_file_called_like_a_choice(tmp_path: Path) -> None:
    """The name of a file that is there is that file."""
    np.save(tmp_path / "a::1.npy", np.ones((3, 4)))
    assert opened(tmp_path / "a::1.npy").pixels.shape == (3, 4)


def test_the_only_image_wherever_it_is(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["some/where"] = np.ones((16, 20), np.uint8)
    assert opened(tmp_path / "m.h5").pixels.shape == (16, 20)
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file["else/where"] = np.ones((16, 20), np.uint8)
    with pytest.raises(InputError, match=r"several images in one file: FILE::NAME chooses one, such as /"):
        opened(tmp_path / "m.h5")


def test_virtual_data_sets_of_files_beside(tmp_path: Path) -> None:
    path = master(tmp_path / "x_master.h5", **{"entry/data/data_000001": None, "entry/data/data_000002": None})
    layout = h5py.VirtualLayout((6, 16, 20), np.uint16)
    for number in (1, 2):
        source = h5py.VirtualSource(f"x_data_00000{number}.h5", "entry/data/data", shape=(3, 16, 20))
        layout[3 * number - 3 : 3 * number] = source
    with h5py.File(path, "r+") as file:
        file.create_virtual_dataset("entry/data/data", layout)
    assert (opened(f"{path}::5").pixels == 5).all()
    (tmp_path / "x_data_000002.h5").unlink()
    with pytest.raises(InputError, match=r"leads to 'x_data_000002\.h5', which is not in the same folder"):
        opened(f"{path}::1")


# --- where links may lead ----


def secret(folder: Path) -> Path:
    """An image that no file names."""
    folder.mkdir()
    with h5py.File(folder / "secret.h5", "w") as file:
        file["entry/data/data"] = frames(7, 1)
    (folder / "secret.raw").write_bytes(bytes(2 * 16 * 20))
    return folder / "secret.h5"


def external(target: Path) -> Callable[[h5py.File, Path], None]:
    def put(file: h5py.File, folder: Path) -> None:
        file["entry/data/data"] = h5py.ExternalLink(str(target), "entry/data/data")

    return put


def link_up(file: h5py.File, folder: Path) -> None:
    file["entry/data/data"] = h5py.ExternalLink("../other/secret.h5", "entry/data/data")


def link_by_symbolic_link(file: h5py.File, folder: Path) -> None:
    (folder / "inside.h5").symlink_to(folder.parent / "other" / "secret.h5")
    file["entry/data/data"] = h5py.ExternalLink("inside.h5", "entry/data/data")


def raw_storage(file: h5py.File, folder: Path) -> None:
    place = [(str(folder.parent / "other" / "secret.raw"), 0, 640)]
    file.create_dataset("entry/data/data", (16, 20), np.uint16, external=place)


def raw_storage_beside(file: h5py.File, folder: Path) -> None:
    (folder / "beside.raw").write_bytes(bytes(640))
    file.create_dataset("entry/data/data", (16, 20), np.uint16, external=[("beside.raw", 0, 640)])


def virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((1, 16, 20), np.uint16)
    layout[:] = h5py.VirtualSource(str(folder.parent / "other" / "secret.h5"), "entry/data/data", shape=(1, 16, 20))
    file.create_virtual_dataset("entry/data/data", layout)


def virtual_of_a_link(file: h5py.File, folder: Path) -> None:
    file["hidden"] = h5py.ExternalLink("../other/secret.h5", "entry/data/data")
    layout = h5py.VirtualLayout((1, 16, 20), np.uint16)
    layout[:] = h5py.VirtualSource(".", "hidden", shape=(1, 16, 20))
    file.create_virtual_dataset("entry/data/data", layout)


def link_of_a_neighbour(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "beside.h5", "w") as beside:
        beside["data"] = h5py.ExternalLink("../other/secret.h5", "entry/data/data")
    file["entry/data/data"] = h5py.ExternalLink("beside.h5", "data")


def geometry(file: h5py.File, folder: Path) -> None:
    file["entry/data/data"] = frames(1, 1)
    file["entry/instrument"] = h5py.ExternalLink("../other/secret.h5", "entry")


def circle(file: h5py.File, folder: Path) -> None:
    file["entry/data/data"] = h5py.SoftLink("/entry/data/next")
    file["entry/data/next"] = h5py.SoftLink("/entry/data/data")


def many(file: h5py.File, folder: Path) -> None:
    """Paths of links of paths of links: 10 to the power of 30 steps."""
    for level in range(30):
        file[f"l{level}"] = h5py.SoftLink("/" + "/".join([f"l{level + 1}"] * 10))
    file["l30"] = h5py.SoftLink("/")
    file["entry"] = h5py.SoftLink("/l0")


@pytest.mark.parametrize(
    "put",
    [
        link_up, link_by_symbolic_link, raw_storage, raw_storage_beside, virtual, virtual_of_a_link,
        link_of_a_neighbour, geometry, circle, many,
    ],
)  # fmt: skip
def test_links_out_of_the_folder_are_refused(put: Callable[[h5py.File, Path], None], tmp_path: Path) -> None:
    """By name, by symbolic link, by storage, and from a file that may be read to one that may not."""
    secret(tmp_path / "other")
    folder = tmp_path / "here"
    folder.mkdir()
    with h5py.File(folder / "m.h5", "w") as file:
        put(file, folder)
    with pytest.raises(InputError, match=r"m\.h5: -mask: .*(leads to|in another file|links)"):
        opened(folder / "m.h5", as_mask=True)


def test_an_absolute_link_is_refused(tmp_path: Path) -> None:
    target = secret(tmp_path / "other")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        external(target)(file, tmp_path)
    with pytest.raises(InputError, match=r"leads to '/.*'; only files in the same folder"):
        opened(tmp_path / "m.h5")


# --- the process that reads ----


def test_nothing_is_loaded_and_nothing_is_said_by_others(tmp_path: Path) -> None:
    """Neither library comes into the run; standard error has our lines only."""
    from fabio.tifimage import TifImage

    master(tmp_path / "x_master.h5")
    TifImage(data=np.ones((16, 20), np.int32)).write(str(tmp_path / "m.tif"))
    (tmp_path / "bad.tif").write_bytes((tmp_path / "m.tif").read_bytes()[:300])

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("fabio", "h5py")]:
            del sys.modules[name]
        sys.addaudithook(lambda event, arguments: event == "import" and _refuse(arguments[0]))

    for words in ("-mask x_master.h5::2", "-mask m.tif", "-mask bad.tif"):
        run = run_forked([*words.split(), *LINE], tmp_path, forget)
        assert run.status == (9 if "bad" in words else 0)
        assert all(line.startswith("nanoBragg: ") for line in run.err.splitlines()), run.err


def _refuse(name: str) -> None:
    assert name.partition(".")[0] not in ("fabio", "h5py", "PIL"), name


@pytest.mark.parametrize(("name", "library"), [("x_master.h5::1", "h5py"), ("m.tif", "fabio")])
def test_a_missing_library_is_named(name: str, library: str, tmp_path: Path) -> None:
    master(tmp_path / "x_master.h5")
    (tmp_path / "m.tif").write_bytes(b"II*\0" + bytes(99))

    def forget() -> None:
        sys.modules[library] = None  # type: ignore[assignment]

    run = run_forked(["-mask", name, *LINE], tmp_path, forget)
    assert run.status == 9 and f"needs {library}, which is not installed: " in run.complaint
    assert run.complaint.endswith(f" -m pip install {library}")


def test_a_reader_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that it may take; here a reader that waits for ever."""
    monkeypatch.setattr(foreign_process, "LONGEST_s", 0.01)
    with pytest.raises(InputError, match=r"x_master\.h5: -img: reading it takes more than 0\.01 s"):
        opened(master(tmp_path / "x_master.h5"), pixels=False)


def test_a_reader_that_takes_memory_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image of 8 GB in a file of some kilobytes."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_dataset("data", (40_000, 50_000), np.uint32, chunks=(1000, 1000), compression="gzip")
    monkeypatch.setattr(foreign_process, "MOST_BYTES", 2**30)
    with pytest.raises(InputError, match=r"m\.h5: -img: "):
        opened(tmp_path / "m.h5")


def test_sizes_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_dataset("data", (2**20, 2**20), np.float64, chunks=(1000, 1000))
    with pytest.raises(InputError, match=r"m\.h5: -img: '/data': it says 1048576 x 1048576 pixels; expected fewer"):
        opened(tmp_path / "m.h5", pixels=False)


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    master(tmp_path / "x_master.h5")
    import gzip

    (tmp_path / "m.h5.gz").write_bytes(gzip.compress((tmp_path / "x_master.h5").read_bytes()))
    with pytest.raises(InputError, match="HDF5 is read from an uncompressed file only"):
        opened(tmp_path / "m.h5.gz")


@pytest.mark.parametrize("name", ["Bitshuffle", "LZ4", "Blosc"])
def test_compressions_of_detectors(name: str, tmp_path: Path) -> None:
    """What Eiger detectors write is decompressed where hdf5plugin is installed."""
    hdf5plugin = pytest.importorskip("hdf5plugin")
    pixels = np.arange(320, dtype=np.uint32).reshape(1, 16, 20)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_dataset("entry/data/data", data=pixels, chunks=(1, 16, 20), **getattr(hdf5plugin, name)())
    assert np.array_equal(opened(tmp_path / "m.h5").pixels, pixels[0])
