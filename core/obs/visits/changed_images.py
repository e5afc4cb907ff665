"""Images that were processed again after `obs calibrate-visits`, whose calibration is that of what they were."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from obs.errors import FileFormatError, ObsError
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.input_files import InputFile
from obs.repo.made_with import find_input, find_record
from obs.shell_command import shell_command
from obs.visits.calibration import CALIBRATION_SOURCES, calibrated_tracts

__all__ = ["warn_of_changed_images"]

logger = logging.getLogger(__name__)

_CATALOG = "src"
#: So many images are named.
_MOST_NAMED = 3


def warn_of_changed_images(
    butler: Butler, data_ids: Sequence[Mapping[str, Any]], *, tract: int | None = None, use_common: bool = True
) -> None:
    """Warn of images whose catalog is another one than `obs calibrate-visits` has read.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_ids : sequence of mapping
        Images that are about to be used.
    tract : int, optional
        Tract of the common calibration; by default the lowest that has one for an image.
    use_common : bool, optional
        If False, no common calibration is used, and nothing is said.
    """
    read: dict[int, dict[str, InputFile]] = {}
    changed = []
    for data_id in data_ids if use_common else ():
        known = {key: value for key, value in data_id.items() if key != "tract"}
        numbers = [tract] if tract is not None else calibrated_tracts(butler, CALIBRATION_SOURCES[0][0], known)[:1]
        for number in numbers:
            if number not in read:
                read[number] = _catalogs_read(butler, number)
            try:
                path = butler.path(_CATALOG, known)
            except ObsError:
                continue  # whoever needs the catalog says so
            item = read[number].get(str(path.absolute()))
            if item is not None and not item.has_content_of(path):
                changed.append(format_data_id(known))
    if changed:
        logger.warning(
            "%d of %d images were processed again after obs calibrate-visits, whose WCS and zero points are those of "
            "before (%s%s); run it again: %s",
            len(changed),
            len(data_ids),
            "; ".join(changed[:_MOST_NAMED]),
            "; ..." if len(changed) > _MOST_NAMED else "",
            shell_command("obs", "calibrate-visits", butler.output or butler.root),
        )


def _catalogs_read(butler: Butler, tract: int) -> dict[str, InputFile]:
    """Return the catalogs that the common calibration of a tract was made from, by where they are now."""
    try:
        found = find_record(butler, CALIBRATION_SOURCES[0][0], {"tract": tract})
    except FileFormatError:
        return {}  # obs verify names it
    items = [] if found is None else [item for item in found[0].inputs if item.dataset_type == _CATALOG]
    return {str(find_input(butler, item).absolute()): item for item in items}
