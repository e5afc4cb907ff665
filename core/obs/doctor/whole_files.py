"""The files of an examination, as the camera describes them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from obs.ingest.joined_files import joined
from obs.instrument.instrument import Instrument
from obs.instrument.translator import Translator

__all__ = ["whole_files"]


@contextmanager
def whole_files(
    instrument: Instrument | None, paths: Sequence[Path]
) -> Iterator[tuple[list[Path], Mapping[Path, tuple[Path, ...]]]]:
    """Put files of single amplifiers together, for as long as the block lasts.

    Parameters
    ----------
    instrument : Instrument or None
        The camera; None for a package that is broken.
    paths : sequence of Path
        Raw files.

    Yields
    ------
    files : list of Path
        Files of whole detectors, and those that nothing could be put to.
    parts : mapping of Path to tuple of Path
        The parts of those that were put together.
    """
    translator = _translator(instrument)
    if translator is None:
        yield list(paths), {}
        return
    with joined(paths, translator) as whole:
        yield [*whole.alone, *whole.parts, *whole.faults], whole.parts


def _translator(instrument: Instrument | None) -> Translator | None:
    try:
        return None if instrument is None else instrument.make_translator()
    except Exception:  # noqa: BLE001 - a plugin can fail in any way; reported by the check of the package
        return None
