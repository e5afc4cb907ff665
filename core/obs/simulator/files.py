"""Raw frames and their truth as files."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.camera.detector import Detector
from obs.errors import PluginError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.instrument.header import TRUTH
from obs.instrument.instrument import Instrument
from obs.repo.fits_catalog import write_catalog
from obs.repo.fits_file import set_cards, write_hdus
from obs.simulator.changes import add_proper_motions
from obs.simulator.config import SimulateConfig
from obs.simulator.exposure import Simulated, simulate_exposure
from obs.simulator.light import true_pointing
from obs.simulator.pointing import covering_circle
from obs.simulator.shots import Shot
from obs.simulator.sky import make_sky, reference_catalog, select_circle

__all__ = [
    "FILE_FORMATS",
    "FileFormat",
    "FileOptions",
    "FileToWrite",
    "RawFrame",
    "begin_file",
    "next_visit",
    "raw_file_name",
    "simulate_file",
    "write_raw",
    "write_reference",
    "write_truth",
]

FileFormat = Literal["fits", "fits.gz", "fits.fz"]
FILE_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)


class RawFrame(NamedTuple):
    """What a raw file holds of a detector: images (uint16, shape ``detector.raw_shape``) by HDU, and cards.

    Parameters
    ----------
    images : dict of int to ndarray of uint16
        HDU to its image, of the shape ``detector.raw_shape``, ADU.
    header : dict of str to object
        Cards.
    detector : Detector
        The detector.
    """

    images: dict[int, NDArray[np.uint16]]
    header: dict[str, Any]
    detector: Detector


@frozen
class FileOptions:
    """What is written of a simulated exposure.

    Parameters
    ----------
    folder : Path
        Folder of the raw files; those with the truth are in ``truth`` below.
    file_format : {"fits", "fits.gz", "fits.fz"}
        Ending of the raw files.
    multi_extension : bool
        One file an exposure, not one a detector.
    truth : bool
        Write catalogs of the true sources.
    truth_images : bool
        Write true images, too.
    """

    folder: Path
    file_format: FileFormat = "fits.fz"
    multi_extension: bool = False
    truth: bool = True
    truth_images: bool = False


def simulate_file(
    instrument: Instrument,
    shot: Shot,
    detectors: Sequence[Detector],
    config: SimulateConfig,
    options: FileOptions,
    *,
    seed: int,
    sources: Catalog | None = None,
) -> Path:
    """Simulate detectors of one exposure into one file.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    shot : Shot
        The exposure.
    detectors : sequence of Detector
        Several only with ``multi_extension``.
    config : SimulateConfig
        Settings.
    options : FileOptions
        Where to and in which format.
    seed : int
        Seed.
    sources : Catalog, optional
        Stars and galaxies; simulated if absent.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If a file cannot be written.
    PluginError
        If the camera cannot be simulated.
    """
    return begin_file(instrument, shot, detectors, config, options, seed=seed, sources=sources).write()


class FileToWrite(NamedTuple):
    """A simulated exposure that is not written yet.

    Parameters
    ----------
    write : callable
        Writes it, and returns the path of the raw file. It may run while the next one is made.
    size : int
        Memory that it takes, bytes.
    """

    write: Callable[[], Path]
    size: int


def begin_file(
    instrument: Instrument,
    shot: Shot,
    detectors: Sequence[Detector],
    config: SimulateConfig,
    options: FileOptions,
    *,
    seed: int,
    sources: Catalog | None = None,
) -> FileToWrite:
    """Do what `simulate_file` does, but leave it to the caller when the file is written.

    Parameters
    ----------
    instrument : Instrument
        As there.
    shot : Shot
        As there.
    detectors : sequence of Detector
        As there.
    config : SimulateConfig
        As there.
    options : FileOptions
        As there.
    seed : int
        As there.
    sources : Catalog, optional
        As there.

    Raises
    ------
    OutputError
        As there; `FileToWrite.write` raises it, too.
    PluginError
        As there.
    """
    frames = []
    for detector in detectors:
        frame = simulate_exposure(instrument, shot, detector, config, seed=seed, sources=sources)
        frames.append(RawFrame(frame.images, frame.header, detector))
        stem = raw_file_name(instrument.name, shot.visit, detector.id, "fits").removesuffix(".fits")
        if options.truth:  # true images are larger than the raw ones, and so are not kept
            write_truth(options.folder / "truth", stem, frame, images=options.truth_images)
    number = None if options.multi_extension else detectors[0].id
    path = options.folder / raw_file_name(instrument.name, shot.visit, number, options.file_format)

    def write() -> Path:
        write_raw(path, frames, multi_extension=options.multi_extension)
        return path

    return FileToWrite(write, sum(image.nbytes for frame in frames for image in frame.images.values()))


def _with_all_colors(images: dict[int, NDArray[np.uint16]], detector: Detector) -> dict[int, NDArray[np.uint16]]:
    """Return the raw images of a detector: of one that is a color of a mosaic, at the resolution of all its colors."""
    plane = detector.color_plane
    return images if plane is None else {hdu: plane.expand(image) for hdu, image in images.items()}


def raw_file_name(camera: str, visit: int, detector_id: int | None, file_format: FileFormat) -> str:
    """Return the name of a raw file; of one with all detectors if ``detector_id`` is None.

    Parameters
    ----------
    camera : str
        Name of the camera.
    visit : int
        Number of the visit, written with 7 digits or more.
    detector_id : int or None
        Number of the detector, written with 3 digits or more.
    file_format : str
        Ending of the name, without the point.
    """
    place = "" if detector_id is None else f"-{detector_id:03d}"
    return f"{camera}-{visit:07d}{place}.{file_format}"


def next_visit(folder: Path, camera: str) -> int:
    """Return the number after that of the last visit in a folder of raw files; 1 if there is none.

    Parameters
    ----------
    folder : Path
        Folder with files named as by `raw_file_name`.
    camera : str
        Name of the camera.
    """
    names = (re.match(rf"{re.escape(camera)}-(\d{{7,}})[-.]", path.name) for path in folder.glob(f"{camera}-*"))
    return 1 + max((int(match[1]) for match in names if match), default=0)


def write_raw(path: Path, frames: Sequence[RawFrame], *, multi_extension: bool = False) -> None:
    """Write raw frames into a file, compressed as its name says: ``.gz`` by gzip, ``.fz`` in Rice's way.

    A single frame of a plain or gzipped file is the primary HDU. Amplifiers with HDUs of their own follow a primary HDU
    with the cards.

    Parameters
    ----------
    path : Path
        The file.
    frames : sequence of RawFrame
        Frames of one exposure.
    multi_extension : bool
        Make each an extension, called by its detector's name.

    Raises
    ------
    OutputError
        If the file cannot be written.
    PluginError
        If frames whose amplifiers have HDUs of their own are to be in one file, and share an HDU.
    """
    frames = [frame._replace(images=_with_all_colors(frame.images, frame.detector)) for frame in frames]
    packed = path.name.endswith(".fz")
    kind = fits.CompImageHDU if packed else fits.ImageHDU
    if any(set(frame.images) != {0} for frame in frames):
        write_hdus(path, _amplifier_hdus(kind, frames))
        return
    if not multi_extension and not packed:
        write_hdus(path, [_image_hdu(fits.PrimaryHDU, frames[0].images[0], frames[0].header)])
        return
    primary = fits.PrimaryHDU()
    hdus: list[Any] = [primary, *(_image_hdu(kind, frame.images[0], frame.header) for frame in frames)]
    if multi_extension:
        set_cards(primary.header, _common(frames))
        for hdu, frame in zip(hdus[1:], frames, strict=True):
            hdu.header["EXTNAME"] = frame.detector.name
    write_hdus(path, hdus)


def write_truth(folder: Path, stem: str, frame: Simulated, *, images: bool = False) -> None:
    """Write what a frame was made from.

    Parameters
    ----------
    folder : Path
        Where to.
    stem : str
        Beginning of the file names.
    frame : Simulated
        The frame.
    images : bool
        Also write the images: light in electrons without noise, charge of cosmic rays, saturated pixels and defects as
        bits 0 and 1 of a mask, response, dark current and bias.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    truth = frame.truth
    if len(truth.catalog):
        write_catalog(truth.catalog, folder / f"{stem}-truth.fits")
    if not images:
        return
    mask = truth.saturated.astype(np.uint8) + np.uint8(2) * truth.pattern.defects.astype(np.uint8)
    maps = {
        "ELECTRONS": truth.electrons,
        "COSMIC_RAYS": truth.cosmic_rays,
        "MASK": mask,
        "RESPONSE": truth.pattern.response,
        "DARK": truth.pattern.dark,
        "BIAS": truth.pattern.bias,
    }
    primary = fits.PrimaryHDU()
    set_cards(primary.header, {TRUTH: True, "ZEROPT": truth.zero_point, "SKY": truth.sky, "SEEING": truth.seeing})
    write_hdus(
        folder / f"{stem}-truth-images.fits.gz",
        [primary, *(fits.ImageHDU(image, name=name) for name, image in maps.items())],
    )


def write_reference(
    instrument: Instrument,
    shots: Sequence[Shot],
    detectors: Sequence[Detector],
    config: SimulateConfig,
    folder: Path,
    *,
    seed: int,
    sources: Catalog | None = None,
) -> Path:
    """Write the stars around exposures as a survey would list them; see `obs.simulator.sky.reference_catalog`.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    shots, detectors : sequence
        The exposures, and which of their detectors.
    config : SimulateConfig
        Settings.
    folder : Path
        Where to.
    seed : int
        Seed.
    sources : Catalog, optional
        Stars and galaxies; simulated if absent.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    pointings = [true_pointing(instrument, shot, config.pointing, seed=seed) for shot in shots]
    circle = covering_circle(pointings, detectors)
    around = {"ra": circle.ra, "dec": circle.dec, "radius": circle.radius + config.reference.margin}
    sky = make_sky(config.sources, seed=seed, **around) if sources is None else select_circle(sources, **around)
    if config.changes.proper_motion:
        sky = add_proper_motions(sky, config.changes, seed=seed)
    path = folder / "reference.fits"
    filters = {shot.physical_filter: instrument.find_filter(shot.physical_filter) for shot in shots}
    write_catalog(reference_catalog(sky, tuple(filters.values()), config.reference, seed=seed), path)
    return path


def _image_hdu(kind: Any, raw: NDArray[np.uint16], cards: dict[str, Any]) -> Any:  # noqa: ANN401 - classes of astropy
    hdu = kind(raw, compression_type="RICE_1") if kind is fits.CompImageHDU else kind(raw)
    set_cards(hdu.header, cards)
    return hdu


def _amplifier_hdus(kind: Any, frames: Sequence[RawFrame]) -> list[Any]:  # noqa: ANN401 - classes of astropy
    """Return the HDUs of detectors whose amplifiers have HDUs of their own; the primary has the common cards."""
    owners = {number: frame for frame in frames for number in frame.images}
    if len(owners) < sum(len(frame.images) for frame in frames):
        raise PluginError(
            f"detector '{frames[0].detector.name}' has {len(frames[0].images)} raw images in HDUs that other detectors "
            "have, too (raw_hdu in amplifiers.csv): leave out --multi-extension"
        )
    first = _image_hdu(fits.PrimaryHDU, frames[0].images[0], {}) if 0 in owners else fits.PrimaryHDU()
    set_cards(first.header, _common(frames))
    hdus = [first]
    for number in range(1, max(owners) + 1):
        if number not in owners:
            hdus.append(fits.ImageHDU())
            continue
        frame = owners[number]
        own = {name: card for name, card in frame.header.items() if first.header.get(name) is None}
        hdus.append(_image_hdu(kind, frame.images[number], own))
    return hdus


def _common(frames: Sequence[RawFrame]) -> dict[str, Any]:
    """Return the cards that all frames share."""
    first, *others = (frame.header for frame in frames)
    return {name: card for name, card in first.items() if all(other.get(name) == card for other in others)}
