"""Which reference catalog a frame gets: the one that the settings name, or the only one there is."""

from collections.abc import Sequence
from pathlib import Path

from obs.errors import DatasetNotFoundError
from obs.image.catalog import Catalog
from obs.repo.reference_catalog import REFERENCE_FOLDER, find_reference_catalog, load_reference_catalog

__all__ = ["find_reference", "reference_names"]


def reference_names(roots: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of the reference catalogs below some roots, sorted."""
    entries = (entry for root in roots for entry in (root / REFERENCE_FOLDER).glob("*"))
    return tuple(sorted({entry.name for entry in entries if entry.is_dir()}))


def find_reference(
    roots: list[Path], name: str | None, ra: float, dec: float, radius: float, warnings: list[str]
) -> Catalog | None:
    """Load reference sources from the catalog that the settings name, or from the only one there is.

    Parameters
    ----------
    roots : list of Path
        Folders whose ``ref_cats`` are looked at.
    name : str or None
        Name of the catalog.
    ra, dec, radius : float
        Circle on the sky, degrees.
    warnings : list of str
        Gains a line where no catalog is found.

    Returns
    -------
    Catalog or None
        None if there is no reference catalog at all.

    Raises
    ------
    DatasetNotFoundError
        If a catalog is named that does not exist, or several exist and none is named.
    """
    if name is None:
        found = reference_names(roots)
        if not found:
            warnings.append(f"no reference catalog: no folder {REFERENCE_FOLDER} in {', '.join(map(str, roots))}")
            return None
        if len(found) > 1:
            raise DatasetNotFoundError(
                f"several reference catalogs: {', '.join(found)}; name one with -c calibrate.reference.name=NAME",
                dataset_type="ref_cat",
            )
        name = found[0]
    reference = load_reference_catalog(find_reference_catalog(roots, name), ra=ra, dec=dec, radius=radius)
    if not len(reference):
        warnings.append(
            f"the reference catalog {name} does not cover the frame at ra={ra:.4f} dec={dec:.4f} deg; add its shards "
            "there, or name another with -c calibrate.reference.name=NAME"
        )
    return reference
