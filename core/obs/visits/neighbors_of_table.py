"""Stars beside the positions of a table, for each filter of the images."""

from collections.abc import Mapping, Sequence
from typing import Any

from obs.errors import DatasetNotFoundError, FileFormatError, MeasurementError
from obs.image.catalog import Catalog
from obs.repo.butler import Butler
from obs.tasks.forced.config import ForcedConfig
from obs.visits.constant_neighbors import Neighbors
from obs.visits.near_images import NearImage, read_near_image
from obs.visits.separated_neighbors import separated_neighbors

__all__ = ["find_neighbors_of_table"]


def find_neighbors_of_table(
    butler: Butler,
    data_ids: Sequence[Mapping[str, Any]],
    targets: Catalog,
    config: ForcedConfig,
    *,
    tract: int | None = None,
) -> dict[str, Neighbors]:
    """Return the stars beside positions, for each filter.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_ids : sequence of mapping
        Images. Those that cannot be read count for nothing here.
    targets : Catalog
        Positions, as `obs.visits.forced.force_image` takes them.
    config : ForcedConfig
        Settings.
    tract : int, optional
        Tract of the common calibration.

    Returns
    -------
    dict of str to Neighbors
        Filters without any have no entry.
    """
    if not (config.subtract_neighbors and config.hold_neighbors and len(targets)):
        return {}
    images: dict[str, list[NearImage]] = {}
    for data_id in data_ids:
        try:
            image = read_near_image(butler, dict(data_id), targets, tract)
        except (DatasetNotFoundError, FileFormatError, MeasurementError):
            continue  # the reason is told where the image is measured
        if image is not None:
            images.setdefault(image.physical_filter, []).append(image)
    found = {name: separated_neighbors(some, config) for name, some in images.items()}
    return {name: neighbors for name, neighbors in found.items() if len(neighbors)}
