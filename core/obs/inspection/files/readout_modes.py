"""Files of one camera that were read out in several ways: binned, or a window of the detector."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from obs.errors import FileFormatError
from obs.inspection.header.binning import find_binning
from obs.inspection.header.exposure_time import find_exposure_time
from obs.inspection.header.image_types import find_image_type
from obs.inspection.raw_file import RawFile, RawImage
from obs.instrument.readout_cards import Window, read_window
from obs.shell_command import shell_command

__all__ = ["BINNING", "files_of_one_mode", "find_other_settings", "find_shape_mismatches"]

BINNING = re.compile(r"\d{1,2} x \d{1,2}")
"""How ``--only`` names a binning."""
_SETTINGS = ("GAIN", "ISOSPEED", "OFFSET", "READOUTM", "READMODE")
"""Cards of settings with which the gain or the level of the bias changes."""
_MOST_SETTINGS = 4
"""Values up to which a card is a setting; what is measured anew for each frame has more."""


def files_of_one_mode(files: Sequence[RawFile], warnings: list[str], only: str = "") -> tuple[RawFile, ...]:
    """Return the files of one binning, those of the whole detector first.

    Files of several binnings are those of the binning with most science exposures, and then with most files.

    Parameters
    ----------
    files : sequence of RawFile
        Files of one camera.
    warnings : list of str
        Takes which files are left out, and what makes a package for them.
    only : str, optional
        The binning that is wanted, such as ``2 x 2``.

    Raises
    ------
    FileFormatError
        If no file has that binning.
    """
    groups: dict[str, list[RawFile]] = {}
    for file in files:
        x, y = find_binning(file.cards).value
        groups.setdefault(f"{x} x {y}", []).append(file)
    if only and only not in groups:
        raise FileFormatError(f"no file has the binning {only}; there is {' and '.join(sorted(groups))}")
    if len({group[0].shapes for group in groups.values()}) < len(groups):  # cards that bin nothing
        return tuple(files)
    wanted = only or max(sorted(groups), key=lambda binning: (_n_science(groups[binning]), len(groups[binning])))
    for binning, group in groups.items():
        if binning != wanted:
            command = shell_command("obs", "new", "NAME", "--from", "FILES", "--only", binning)
            warnings.append(
                f"{len(group)} of {len(files)} files have a binning of {binning} and are left out: "
                f"{_listed(group)}; {command} makes a package for them"
            )
    warnings += _lacking(groups, wanted)
    chosen = groups[wanted]
    sizes = {file.shapes: sum(shape[-1] * shape[-2] for shape in file.shapes) for file in chosen}
    largest = max(sizes, key=sizes.__getitem__)
    if sum(_is_window(file, largest) for file in chosen):
        chosen = sorted(chosen, key=lambda file: _is_window(file, largest))
    return tuple(chosen)


def _lacking(groups: Mapping[str, Sequence[RawFile]], wanted: str) -> Iterator[str]:
    """Yield the calibration frames that there are in another binning only than that of the science exposures."""
    kinds = {binning: [(_kind(file), file) for file in group] for binning, group in groups.items()}
    own = {kind for kind, _ in kinds.pop(wanted)}
    for name in ("bias", "dark", "flat") if "science" in own and kinds else ():
        others = [file for group in kinds.values() for kind, file in group if kind == name]
        if others and name not in own:
            yield (
                f"no {name} has the binning {wanted} of the science exposures ({_listed(others)}: another one): they "
                f"need a {name} with that binning; without one, process them with -c isr.do_{name}=false"
            )


def find_shape_mismatches(files: Sequence[RawFile]) -> list[str]:
    """Return what to tell of files whose images differ in number or size from those of the first.

    Parameters
    ----------
    files : sequence of RawFile
        Raw files, of which the first one decides the usual shapes.
    """
    usual = files[0].shapes
    groups: dict[tuple[bool, tuple[tuple[int, ...], ...]], list[RawFile]] = {}
    for file in files:
        if file.shapes != usual:
            groups.setdefault((_is_window(file, usual), file.shapes), []).append(file)
    found = []
    for (is_window, shapes), group in groups.items():
        size = f"{shapes[0][-1]} x {shapes[0][-2]} pixels"
        if is_window:
            window = _window(group[0].images[0])
            names = "" if window is None else window.keywords
            found.append(f"{_listed(group)}: a window of {size}, placed on the detector by {names}")
            continue
        how = f"of {size}" if len(shapes) == 1 else "of another number or size"
        found.append(
            f"{_listed(group)}: its images are {how}, unlike those of {files[0].path.name}: read out or binned in "
            "another way, or of another camera"
        )
    return found


def find_other_settings(files: Sequence[RawFile]) -> Iterator[str]:
    """Yield what to tell of files of one detector that were read out with another gain or offset than most."""
    for name in _SETTINGS:
        values = {file.path: str(file.cards.get(name)) for file in files if file.cards.find(name) is not None}
        counts = Counter(values.values())
        if not 1 < len(counts) <= _MOST_SETTINGS:
            continue
        (usual, number), *others = counts.most_common()
        for value, _ in others:
            group = [file for file in files if values.get(file.path) == value]
            yield (
                f"{_listed(group)}: {name} = {value}, that of {number} others {usual}: gain and bias may be others "
                "there, and biases, darks and flats do not fit unless they have the same"
            )


def _is_window(file: RawFile, whole: tuple[tuple[int, ...], ...]) -> bool:
    """Whether a file is of a part of the detector, or of each of them, that its cards place."""
    if len(file.shapes) != len(whole) or file.shapes == whole:
        return False
    for image, (*_, rows, columns) in zip(file.images, whole, strict=True):
        window = _window(image)
        if image.shape[-2:] != (rows, columns) and (
            window is None or window.place.x_max > columns or window.place.y_max > rows
        ):
            return False
    return True


def _window(image: RawImage) -> Window | None:
    height, width = image.shape[-2:]
    return read_window(image.cards, (height, width))


def _n_science(group: Sequence[RawFile]) -> int:
    return sum(_kind(file) == "science" for file in group)


def _kind(file: RawFile) -> object:
    return find_image_type(file.cards, find_exposure_time(file.cards)[0]).value


def _listed(group: Sequence[RawFile]) -> str:
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return f"{group[0].path.name}{more}"
