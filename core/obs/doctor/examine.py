"""Walk raw files through a camera's package: headers, geometry, overscan, signature, noise, sky."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from obs.camera.detector import Detector
from obs.checks.open_package import OpenPackage
from obs.checks.package import check_package
from obs.doctor.check import Check
from obs.doctor.exposure import RawExposure, RawFrame, without_pixels
from obs.doctor.geometry import check_geometry
from obs.doctor.header import check_header
from obs.doctor.noise import check_noise, check_pairs
from obs.doctor.overscan import check_overscan
from obs.doctor.places import amplifier_place, shown, translator_place
from obs.doctor.signature import check_signature
from obs.doctor.sky import check_sky
from obs.errors import FileFormatError, ObsError
from obs.ingest.image_headers import first_image
from obs.ingest.text_headers import is_text_header
from obs.ingest.translation import Frame, read_frames
from obs.inspection.layout import find_detector
from obs.inspection.overscan_hdus import join_overscan
from obs.inspection.raw_file import RawFile, read_raw_file
from obs.instrument.explain import explain
from obs.instrument.instrument import Instrument
from obs.instrument.translator import Translator
from obs.repo.fits_raw import extract_color, read_raw

__all__ = ["Examination", "Examined", "examine"]

#: Exposures of one type, filter and detector whose pixels stay in memory, for comparisons, pictures and the trial.
_KEPT = 3


@dataclass
class Examined:
    """What came of one exposure, or of a file that has none.

    Parameters
    ----------
    name : str
        File and HDU.
    checks : list of Check
        In the order of the steps.
    frame : RawFrame or None
        The exposure, if it can be drawn.
    detector : str
        Name of its detector; empty if that is not known.
    """

    name: str
    checks: list[Check]
    frame: RawFrame | None = field(default=None, repr=False)
    detector: str = ""


@dataclass
class Examination:
    """All that was looked at.

    Parameters
    ----------
    package : list of Check
        Of the package itself.
    exposures : list of Examined
        Of each exposure in the files, in their order.
    """

    package: list[Check]
    exposures: list[Examined] = field(default_factory=list)

    @property
    def checks(self) -> list[Check]:
        """All checks of this file, in order."""
        return [*self.package, *(check for examined in self.exposures for check in examined.checks)]


def examine(
    package: OpenPackage, what: str, files: Sequence[Path], *, on_file: Callable[[Path], None] | None = None
) -> Examination:
    """Look at a package, and at raw files with it.

    Parameters
    ----------
    package : OpenPackage
        The package, which may be broken.
    what : str
        Its name or folder.
    files : sequence of Path
        Raw files; faults of these are reported, not raised.
    on_file : callable, optional
        Called with each file when it has been read.
    """
    examination = Examination(_check_package(package, what))
    translator = _translator(package.instrument)
    if package.instrument is None or translator is None:
        examination.exposures = [_describe(path) for path in files]
        return examination
    exposures: list[RawExposure] = []
    kept: Counter[tuple[str, str, str]] = Counter()
    for path in files:
        if on_file is not None:
            on_file(path)
        try:
            found = list(_read(path, package.instrument, translator))
        except ObsError as error:
            examination.exposures.append(_bad_file(path, error))
            continue
        for exposure, checks in found:
            examined = _examine(exposure, checks)
            if isinstance(exposure, RawFrame):
                kind = (exposure.image_type, exposure.filter_name, exposure.detector.name)
                kept[kind] += 1
                if kept[kind] > _KEPT:
                    exposure = without_pixels(exposure)
                    examined.frame = None
            exposures.append(exposure)
            examination.exposures.append(examined)
    _compare(exposures, examination)
    return examination


def _check_package(package: OpenPackage, what: str) -> list[Check]:
    problems = check_package(what)
    if not problems:
        return [Check("package", "obs check", "sound", what)]
    # Where the tables can be read, the pixels tell better what is wrong with them.
    readable = _has_camera(package.instrument)
    return [
        Check(
            "tables" if readable and problem.part in ("camera", "geometry") else "package",
            problem.part,
            verdict="wrong",
            note=problem.message,
            remedy=problem.message,
        )
        for problem in problems
    ]


def _has_camera(instrument: Instrument | None) -> bool:
    try:
        return instrument is not None and len(instrument.load_camera()) > 0
    except ObsError:
        return False


def _translator(instrument: Instrument | None) -> Translator | None:
    try:
        if instrument is None:
            return None
        translator = instrument.make_translator()
        translator.guarded = False  # what cannot be is to be seen
        return translator
    except Exception:  # noqa: BLE001 - a plugin can fail in any way; reported by the check of the package
        return None


def _describe(path: Path) -> Examined:
    """Return what a file is, where there is no translator to read it with."""
    try:
        raw_file = read_raw_file(path)
    except FileFormatError as error:
        return _bad_file(path, error)
    shapes = [
        Check("file", f"HDU {image.hdu}", " x ".join(map(str, reversed(image.shape))) + " pixels", "NAXIS1 NAXIS2")
        for image in raw_file.images
    ]
    return Examined(str(path), [*shapes, *_complaints(raw_file)])


def _complaints(raw_file: RawFile) -> list[Check]:
    return [Check("file", "header", "", "", "doubtful", problem) for problem in raw_file.problems]


def _bad_file(path: Path, error: Exception) -> Examined:
    message = str(error).removeprefix(f"{path}: ")
    remedy = f"{path}: {message}; leave the file out, or get it again"
    return Examined(str(path), [Check("file", "file", "", "", "wrong", message, remedy)])


def _read(path: Path, instrument: Instrument, translator: Translator) -> Iterator[tuple[RawExposure, list[Check]]]:
    """Yield the exposures in a file, with what is to be said of the file itself.

    Raises
    ------
    ObsError
        If the file cannot be read.
    """
    raw_file = join_overscan(read_raw_file(path))
    is_text = is_text_header(path)
    try:
        frames = list(read_frames(path, translator, text=True))
    except FileFormatError:
        if not is_text:
            first_image(path)  # raises what is wrong with the file itself
        # The header is at fault, or how it is read: that is reported value by value.
        cards = raw_file.cards
        header = {keyword: cards.get(keyword) for keyword in cards if cards.get(keyword) is not None}
        columns = {item.name: item.value for item in explain(translator, header) if item.is_column}
        row = {name: value for name, value in columns.items() if value is not None}
        frames = [Frame(raw_file.images[0].hdu, header, row)]
    checks = _complaints(raw_file)
    for frame in frames:
        exposure = _exposure(path, frame, raw_file, instrument, translator)
        if is_text:
            checks = [*checks, Check("file", "pixels", "none", "", "not known", "the text of a header has no pixels")]
            yield exposure, checks
            continue
        with_pixels, fault = _with_pixels(exposure)
        yield with_pixels, checks + ([] if fault is None else [fault])


def _exposure(
    path: Path, frame: Frame, raw_file: RawFile, instrument: Instrument, translator: Translator
) -> RawExposure:
    image = next((image for image in raw_file.images if image.hdu == frame.hdu), raw_file.images[0])
    detector = _find_detector(instrument, frame)
    own_hdus = detector is not None and any(amp.raw_hdu for amp in detector.amplifiers)
    in_colors = detector is not None and detector.color_plane is not None
    try:
        number: int | None = instrument.exposure_number(frame.row)
    except Exception:  # noqa: BLE001 - a plugin's function can fail in any way; reported by the check of the header
        number = None
    return RawExposure(
        path=path,
        hdu=frame.hdu,
        instrument=instrument,
        translator=translator,
        header=frame.header,
        cards=image.cards,
        values=tuple(explain(translator, frame.header, number)),
        row=frame.row,
        detector=detector,
        facts=(
            find_detector(raw_file.images if own_hdus else [image], in_colors=in_colors) if image.has_pixels else None
        ),
    )


def _find_detector(instrument: Instrument, frame: Frame) -> Detector | None:
    try:
        return instrument.find_detector(frame.row)
    except ObsError:
        pass
    try:
        detectors = instrument.load_camera().detectors
    except ObsError:
        return None  # reported by the check of the package
    return detectors[0] if len(detectors) == 1 else None


def _with_pixels(exposure: RawExposure) -> tuple[RawExposure, Check | None]:
    """Return an exposure with its pixels, or why they cannot be had."""
    detector, instrument = exposure.detector, exposure.instrument
    if detector is None:
        return exposure, Check("geometry", "pixels", verdict="not known", note="the detector is not known")
    if instrument.isr is not None or instrument.raw_dataset_type != "raw":
        note = "the camera's frames are put together by a function of its own"
        return exposure, Check("geometry", "pixels", verdict="not known", note=note)
    own_hdus = sorted({amp.raw_hdu for amp in detector.amplifiers})
    try:
        raw = read_raw(
            exposure.path,
            hdu=None if any(own_hdus) else exposure.hdu,
            amplifier_hdus=own_hdus,
            overscan_hdus=detector.overscan_hdus,
            shape=detector.raw_shape,
        )
        if detector.color_plane is not None:
            raw = extract_color(raw, detector.color_plane, detector.saturation)
    except ObsError as error:
        message = str(error).removeprefix(f"{exposure.path}: ")
        if not any(own_hdus):
            return exposure, Check("file", "pixels", "", "", "wrong", message, f"{exposure.path}: {message}")
        amp = next((amp for amp in detector.amplifiers if f" {amp.raw_hdu}" in message), detector.amplifiers[0])
        note = f"{exposure.path.name} {message}, where the camera has amplifier '{amp.name}'"
        place = amplifier_place(instrument, detector, amp, "raw_hdu")
        return exposure, Check(
            "geometry", f"HDU of {amp.name}", "", "", "wrong", note, f"{place}: the number of its HDU"
        )
    known = {part.name: getattr(exposure, part.name) for part in fields(exposure)}
    return RawFrame(**(known | {"detector": detector}), raw=raw), None


def _examine(exposure: RawExposure, checks: list[Check]) -> Examined:
    found = [*checks, *check_header(exposure)]
    if not isinstance(exposure, RawFrame):
        return Examined(exposure.name, [*found, *check_sky(exposure)])
    geometry = list(check_geometry(exposure))
    found += geometry
    drawn = None
    if not any(check.verdict == "wrong" for check in geometry if check.name.startswith(("HDU", "raw_"))):
        drawn = exposure
        found += check_overscan(exposure)
        found += check_signature(exposure)[1]
        found += check_noise(exposure)
    return Examined(exposure.name, [*found, *check_sky(exposure)], drawn, exposure.detector.name)


def _compare(exposures: Sequence[RawExposure], examination: Examination) -> None:
    """Add what only several exposures tell: whether they can be told apart, and the noise of pairs."""
    by_name = {examined.name: examined for examined in examination.exposures}
    unique = exposures[0].translator.unique if exposures else ()
    seen: dict[tuple[object, ...], RawExposure] = {}
    for exposure in exposures:
        key = tuple(exposure.row.get(name) for name in unique)
        if None in key:
            continue
        first = seen.setdefault(key, exposure)
        if first is not exposure and first.header != exposure.header:
            by_name[exposure.name].checks.append(_same_key(first, exposure, key))
    drawn = {examined.name for examined in examination.exposures if examined.frame is not None}
    frames = [exposure for exposure in exposures if isinstance(exposure, RawFrame) and exposure.name in drawn]
    for frame, check in check_pairs(frames):
        _prefer_pair(frame, check, [by_name[exposure.name] for exposure in exposures], by_name[frame.name])


def _prefer_pair(frame: RawFrame, check: Check, exposures: Sequence[Examined], first: Examined) -> None:
    """Put what two frames tell in place of what one of them does, and of cards with the same value in other files."""
    single = [other for other in first.checks if (other.step, other.name) == (check.step, check.name)]
    first.checks[:] = [other for other in first.checks if other not in single]
    if check.verdict != "not known":
        cards = [other for other in single if other.verdict in ("wrong", "doubtful") and other.source in frame.header]
        refuted = {(other.name, other.source, other.note) for other in cards}
        for examined in exposures:
            if examined.detector == frame.detector.name:
                examined.checks[:] = [c for c in examined.checks if (c.name, c.source, c.note) not in refuted]
        if cards and check.verdict == "ok":
            check = replace(check, note=f"{cards[0].note}, which the noise of {check.source} refutes")
    first.checks.append(check)


def _same_key(first: RawExposure, second: RawExposure, key: tuple[object, ...]) -> Check:
    unique = second.translator.unique
    name = " ".join(f"{column}={value}" for column, value in zip(unique, key, strict=True))
    note = f"{first.name} has the same {name}, so that they cannot be distinguished"
    remedy = f"{translator_place(second.translator, unique[0])}: read what numbers exposures, not only nights or files"
    return Check("header", " ".join(unique), name, shown(second.path), "wrong", note, remedy)
