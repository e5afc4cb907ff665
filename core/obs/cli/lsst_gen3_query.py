"""Read queries of the third generation of the LSST stack as data IDs."""

import re
from collections.abc import Sequence
from pathlib import Path

import click

from obs.cli.lsst_gen3_patches import name_patches
from obs.cli.lsst_gen3_ranges import take_ranges
from obs.errors import ObsError
from obs.repo.butler import Butler

__all__ = ["query_ids"]

#: Keys of queries: those of data IDs here, "" for what a repository of one camera does not need.
_KEYS = {
    "instrument": "", "skymap": "", "visit_system": "", "exposure": "visit", "exposure.id": "visit", "visit": "visit",
    "visit.id": "visit", "detector": "detector", "detector.id": "detector", "physical_filter": "filter",
    "band": "filter", "exposure.observation_type": "dataType", "exposure.day_obs": "dateObs", "day_obs": "dateObs",
    "exposure.target_name": "field", "visit.target_name": "field", "tract": "tract", "patch": "patch",
}  # fmt: skip
_TERM = re.compile(r"([\w.]+)\s*(?:==?\s*('[^']*'|\"[^\"]*\"|[^\s()]+)|\bin\s*\(([^()]*)\))", re.IGNORECASE)
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|[^,\s]+")
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)")


def query_ids(query: str, root: str, command: Sequence[str], notes: list[str], reruns: Sequence[str] = ()) -> list[str]:
    """Return a query as data IDs.

    Parameters
    ----------
    query : str
        Text behind ``-d`` or ``--where``.
    root : str
        The repository, whose camera and sky map name keys and patches.
    command : sequence of str
        The command of obs that the data IDs are for.
    notes : list of str
        What is left out is added.
    reruns : sequence of str, optional
        Outputs that may have the sky map.

    Returns
    -------
    list of str
        ``--id`` and ``--selectId`` with their words.

    Raises
    ------
    click.UsageError
        If it is more than keys with values, joined by AND.
    """
    query, ranges = take_ranges(query, _KEYS, lambda name: _key(name, root), root)
    # a pair such as 3,1 is one value
    terms = [
        (match[1].lower(), [match[2]] if match[2] else _VALUE.findall(match[3])) for match in _TERM.finditer(query)
    ]
    terms += [(key, [text]) for key, text in ranges.items()]
    left = re.sub(r"[()]|\band\b", " ", _TERM.sub(" ", query), flags=re.IGNORECASE).strip()
    if left:
        raise click.UsageError(
            f"-d: '{left}' cannot be translated: write data IDs, one --id for each alternative, as in "
            "--id visit=1 ccd=2^4 --id visit=3 ccd=0..9"
        )
    of_coadds = command[0] in ("coadd", "coadd-catalog")
    words: list[str] = []
    selected: list[str] = []
    tracts = [_value("tract", value) for key, texts in terms if key == "tract" for value in texts]
    for key, texts in terms:
        if key not in _KEYS:
            raise click.UsageError(f"-d: data IDs do not have the key {key}; keys: {', '.join(sorted(_KEYS))}")
        name = _KEYS[key]
        if name == "dataType" and command[0] == "calibs":  # as without --id
            continue
        if not name:
            notes.append(f"{key} is left out: a repository here has one camera, and one sky map")
            continue
        values = [_value(name, value) for text in texts for value in text.split("^")]
        if name in ("tract", "patch") and command == ("process",):
            notes.append(f"{name} is left out where exposures are processed: name them by visit")
            continue
        if name == "patch":
            values = name_patches(values, tracts, root, reruns)
        is_image = name in ("visit", "detector", "dataType", "dateObs", "field")
        (selected if of_coadds and is_image else words).append(f"{_key(name, root)}={'^'.join(values)}")
    if of_coadds and selected and command == ("coadd",):
        return [*(["--id", *words] if words else []), "--selectId", *selected]
    if selected:
        notes.append(f"{' '.join(selected)} is left out: catalogs of coadds have no exposures")
    return ["--id", *words] if words or command == ("process",) else []


def _value(name: str, text: str) -> str:
    value = text.strip().strip("'\"")
    if name == "dateObs":
        return _DAY.sub(r"\1-\2-\3", value)
    return value


def _key(name: str, root: str) -> str:
    """Return the key of the camera of a repository for its detectors: that of HSC where it cannot be opened."""
    if name != "detector":
        return name
    try:
        instrument = Butler(Path(root)).instrument
    except ObsError:
        return "ccd"
    return next(iter(re.findall(r"%\((\w+)\)", instrument.detector)), "ccd")
