"""A night with every tenth file poisoned in another way: the others are processed, each of these is named."""

import contextlib
import gc
import gzip
import os
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from toy_camera import write_raw

from obs.ingest.raws import IngestOptions, ingest_raws
from obs.repo.butler import Butler
from obs.runs.process import process, process_data_ids
from obs.tasks.process_settings import process_settings

ISR_ONLY = {
    "do_characterize": False,
    **{f"isr.do_{step}": False for step in ("bias", "dark", "flat", "fringe", "defect")},
}


def observe(folder, number):
    """Write the frame of a sky of some brightness."""
    path = write_raw(folder / f"f{number:03d}.fits", RUN=number // 2, DETECTOR=number % 2)
    pixels = np.random.default_rng(number).normal(1500.0, 20.0, (40, 56))
    pixels[:, 24:32] = np.random.default_rng(number).normal(1000.0, 3.0, (40, 8))
    data = path.read_bytes()
    path.write_bytes(data[:2880] + pixels.astype(">i2").tobytes().ljust(5760, b"\0"))
    return path


def with_card(path, keyword, text):
    """Replace the value of a card by any text."""
    data = path.read_bytes()
    at = next(at for at in range(0, 2880, 80) if data[at : at + 8].decode().strip() == keyword)
    path.write_bytes(data[:at] + f"{keyword:8}= {text:>20}".ljust(80).encode() + data[at + 80 :])


def flip(path):
    """Write a file with its DATASUM, and flip a bit of its pixels."""
    with fits.open(path) as hdus:
        hdus.writeto(path, overwrite=True, checksum=True)
    data = bytearray(path.read_bytes())
    data[2900] ^= 1
    path.write_bytes(data)


def unpack_to_zeros(path):
    """Put a gzip file in its place that unpacks to 40 MB of zeros."""
    path.write_bytes(gzip.compress(path.read_bytes()[:2880] + bytes(40_000_000), 1))


def lead_nowhere(path):
    path.unlink()
    path.symlink_to("nowhere.fits")


def lead_to_itself(path):
    path.unlink()
    path.symlink_to(path.name)


def become_a_folder(path):
    path.unlink()
    path.mkdir()


def invert_bytes(path):
    data = path.read_bytes()
    path.write_bytes(data[:2880] + np.frombuffer(data[2880:], ">i2").astype("<i2").tobytes())


#: What is done to a file, and what is said of it, by obs ingest or by obs process.
POISONS = [
    (lambda path: path.write_bytes(path.read_bytes()[:4000]), "is cut short: it has 4000 bytes"),
    (lambda path: path.write_bytes(b""), "is empty"),
    (lambda path: path.write_bytes(b"a letter to the night assistant\n" * 200), "does not begin with SIMPLE"),
    (partial(with_card, keyword="NAXIS1", text="1E400"), "NAXIS1 = inf is not an integer"),
    (partial(with_card, keyword="NAXIS2", text="99999999999"), "promises an image of 5599999999944 pixels"),
    (partial(with_card, keyword="RUN", text=str(2**63)), r"visit must be below 10\^18"),
    (partial(with_card, keyword="RUN", text="1E30"), r"visit must be below 10\^18"),
    (partial(with_card, keyword="RUN", text="NaN"), "the header does not give visit"),
    (partial(with_card, keyword="DETECTOR", text="99"), "camera 'toy' has no detector 99; it has 2 detectors"),
    (partial(with_card, keyword="DETECTOR", text="-1"), "camera 'toy' has no detector '-1'"),
    (partial(with_card, keyword="DATE-OBS", text="'2024-13-45'"), "dateObs: '2024-13-45' is not a date"),
    (partial(with_card, keyword="FILTER", text="'../../etc'"), "would leave the repository"),
    (lead_nowhere, "does not exist"),
    (lead_to_itself, "Too many levels of symbolic links"),
    (become_a_folder, "is a folder without FITS files; name the files"),
    (unpack_to_zeros, "no pixel of detector 'one' can be used"),
    (flip, "its data do not agree with DATASUM"),
    (lambda path: path.write_bytes(b"\x80\x04cos\nsystem\n" + bytes(3000)), "does not begin with SIMPLE"),
    (
        lambda path: path.write_bytes(path.read_bytes() + b"XTENSION= 'IMAGE   '"),
        "is not a FITS file: BITPIX is missing",
    ),
    (partial(with_card, keyword="BITPIX", text="17"), "BITPIX = 17"),
    (invert_bytes, "the bytes of its pixels are in inverted order: neighbors differ by"),
]


@pytest.fixture
def night(tmp_path):
    """Two hundred files, of which every tenth is poisoned; the places of these, each with what is to be said."""
    folder = tmp_path / "night"
    poisoned = {}
    for number in range(10 * len(POISONS)):
        path = observe(folder, number)
        if number % 10 == 7:
            poison, reason = POISONS[number // 10]
            poison(path)
            poisoned[path] = reason
    return folder, poisoned


def test_nine_tenths_are_processed_and_each_other_file_is_named(repository, night, obs):
    folder, poisoned = night
    status, out, err = obs("ingest", repository, *sorted(folder.iterdir()))
    assert status == 1
    assert "Traceback" not in err
    said = dict(re.findall(r"FAILED (\S+): (.*)", err))
    outcomes = process(repository, rerun="p", config=ISR_ONLY)
    butler = Butler(repository)
    for outcome in outcomes:
        if not outcome.ok:
            said[str(Path(os.readlink(butler.path("raw", outcome.data_id))))] = outcome.error
    assert set(said) == {str(path) for path in poisoned}
    for path, reason in poisoned.items():
        assert re.search(reason, said[str(path)]), f"{path.name}: {said[str(path)]}"
        assert "Error" not in said[str(path)], said[str(path)]
    assert sum(outcome.ok for outcome in outcomes) == 9 * len(POISONS)
    assert f"{10 * len(POISONS)} files: " in out


def open_files():
    """What the descriptors of this process lead to."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return sorted(found)


def test_memory_and_descriptors_stay_the_same(repository, tmp_path, caplog):
    """Of forty detectors, through one process, after ten that fill caches."""
    files = [observe(tmp_path / "in", number) for number in range(50)]
    assert ingest_raws(Butler(repository), files, IngestOptions()).ok
    butler = Butler(repository, rerun="m")
    settings = process_settings(butler.instrument)
    for name, value in ISR_ONLY.items():
        settings.set(f"{name}={value}")
    config = settings.build()
    data_ids = [{"visit": n // 2, "ccd": n % 2} for n in range(50)]

    def measure(some):
        outcomes = process_data_ids(butler, config, some)
        assert {outcome.error for outcome in outcomes} == {""}
        assert "metrics are not kept" not in caplog.text
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, open_files()

    memory, descriptors = measure(data_ids[:10])
    assert np.isfinite(memory)
    after, descriptors_after = measure(data_ids[10:])
    assert descriptors_after == descriptors
    assert after - memory < 10.0
