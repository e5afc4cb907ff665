"""Names of columns in three generations of the stack: ``flux.psf``, ``base_PsfFlux_flux``, ``base_PsfFlux_instFlux``.

A name is split into an algorithm and what it measures; the column of any generation that measures the same is found.
Counterparts of the oldest generation are those of ``config/hsc/srcSchemaMap.py`` of the stack's obs_subaru.
"""

from collections.abc import Container, Iterator, Mapping

from obs.errors import suggest
from obs.image.aliases import resolve_alias

__all__ = ["find_column", "find_columns", "missing", "spellings"]

#: Algorithm of today -> its older names, with underscores for points.
_ALGORITHMS = {
    "base_PsfFlux": ("flux_psf",),
    "base_GaussianFlux": ("flux_gaussian",),
    "base_CircularApertureFlux_12_0": ("flux_sinc",),
    "ext_photometryKron_KronFlux": ("flux_kron",),
    "modelfit_CModel": ("cmodel_flux", "cmodel"),
    "base_SdssCentroid": ("centroid_sdss",),
    "base_NaiveCentroid": ("centroid_naive",),
    "base_SdssShape": ("shape_sdss",),
    "ext_shapeHSM_HsmSourceMoments": ("shape_hsm_moments",),
    "ext_shapeHSM_HsmPsfMoments": ("shape_hsm_psfMoments",),
    "base_PixelFlags": ("flags_pixel", "flag_pixel"),
    "base_ClassificationExtendedness": ("classification_extendedness",),
    "base_FPPosition": ("focalplane",),
    "base_Jacobian": ("jacobian",),
    "coord": ("coord",),
    "deblend": ("deblend",),
    "calib": ("calib",),
    "detect": ("detect",),
}
#: Slots and the algorithms that fill them, the first that the catalog has.
_SLOTS = {
    "slot_PsfFlux": ("base_PsfFlux",),
    "slot_ApFlux": ("base_CircularApertureFlux_12_0",),
    "slot_CalibFlux": ("base_CircularApertureFlux_12_0",),
    "slot_GaussianFlux": ("base_GaussianFlux",),
    "slot_InstFlux": ("base_GaussianFlux",),
    "slot_ModelFlux": ("modelfit_CModel", "base_GaussianFlux"),
    "slot_Centroid": ("base_SdssCentroid",),
    "slot_Shape": ("base_SdssShape",),
    "slot_PsfShape": ("base_SdssShape_psf",),
}
#: Spellings of the same part of an algorithm's result, the newest first; each begins with its underscore.
_PARTS = (
    ("_instFlux", "_flux", ""),
    ("_value", ""),
    ("_instFluxErr", "_fluxErr", "_fluxSigma", "_err", "_flux_err"),
    ("_flag", "_flags", "_flux_flags", "_flux_flag"),
    ("_apCorr", "_apcorr", "_flux_apcorr"),
    ("_apCorrErr", "_apCorrSigma", "_apcorr_err"),
    ("_xErr", "_xSigma", "_err_xErr"),
    ("_yErr", "_ySigma", "_err_yErr"),
    ("_xxErr", "_xxSigma", "_err_xxErr"),
    ("_yyErr", "_yySigma", "_err_yyErr"),
    ("_xyErr", "_xySigma", "_err_xyErr"),
    ("_nChild", "_nchild"),
    ("_psf_used", "_psfUsed"),
    ("_psf_candidate", "_psfCandidate"),
    ("_psf_reserved", "_psfReserved"),
    ("_isPrimary", "_is-primary", "_is_primary"),
    ("_isPatchInner", "_is-patch-inner", "_is_patch_inner"),
    ("_isTractInner", "_is-tract-inner", "_is_tract_inner"),
    *(
        (f"_flag_{name}", f"_{name}_any", f"_{name}")
        for name in ("edge", "interpolated", "saturated", "suspect", "cr", "bad", "offimage", "clipped")
    ),
    *(
        (f"_flag_{name}Center", f"_{name}_center")
        for name in ("edge", "interpolated", "saturated", "suspect", "cr", "bad", "clipped")
    ),
)
_WHOLE_NAMES = {"flags.negative": "flags_negative", "id": "id", "parent": "parent"}


def spellings(name: str) -> Iterator[str]:
    """Yield every name that the column may have that a script calls by one of its names, the likeliest first."""
    yield name
    plain = _WHOLE_NAMES.get(name, name.replace(".", "_"))
    yield plain
    for slot, algorithms in _SLOTS.items():
        if plain == slot or plain.startswith(f"{slot}_"):
            for algorithm in algorithms:
                yield from _of_algorithm(algorithm + plain.removeprefix(slot))
    yield from _of_algorithm(plain)


def _of_algorithm(name: str) -> Iterator[str]:
    """Yield the names in all generations of a result of one algorithm."""
    for newest, older in _ALGORITHMS.items():
        for prefix in sorted((newest, *older), key=len, reverse=True):
            if name == prefix or name.startswith(f"{prefix}_"):
                rest = name.removeprefix(prefix)
                for part in _same_parts(rest):
                    yield from (f"{other}{part}" for other in (newest, *older))
                break


def _same_parts(rest: str) -> list[str]:
    """Return the spellings of a part, that itself first; an empty one is the flux or the value."""
    found = [rest]
    for group in _PARTS:
        if rest in group:
            found += [part for part in group if part not in found]
    return found


def find_column(name: str, columns: Container[str], aliases: Mapping[str, str] | None = None) -> str | None:
    """Return the column that a name of any generation means, or None; the catalog's own aliases come first."""
    plain = name.replace(".", "_")
    meant = resolve_alias(plain, aliases or {})
    names = [*spellings(meant), *spellings(name)] if meant != plain else spellings(name)
    return next((spelling for spelling in names if spelling in columns), None)


def find_columns(
    name: str, columns: Container[str], parts: tuple[str, ...], aliases: Mapping[str, str] | None = None
) -> tuple[str, ...] | None:
    """Return the columns of a compound name, such as the ``_x`` and ``_y`` of a centroid, or None."""
    found = [find_column(f"{name.replace('.', '_')}_{part}", columns, aliases) for part in parts]
    return tuple(column for column in found if column) if all(found) else None


def missing(name: str, columns: list[str]) -> KeyError:
    """Return the error for a name that means no column."""
    return KeyError(f"no column '{name}'{suggest(name, columns) or '; print the schema to see all'}")
