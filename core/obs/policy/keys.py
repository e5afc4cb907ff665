"""The keys that a mapper policy may have: what each means, and which attribute of `DatasetType` holds it."""

from typing import Literal

from obs.frozen import frozen

__all__ = ["ENTRY_KEYS", "GROUPS", "TOP_KEYS", "EntryKey"]

#: Dataset types come in these groups.
GROUPS = {
    "images": "Images that are not exposures of the camera.",
    "exposures": "Exposures and what happens to them.",
    "calibrations": "Calibration frames: they are stored under the calibration root and chosen by their validity.",
    "datasets": "Everything else: catalogs, backgrounds, metadata.",
}

#: Keys at the top of a policy.
TOP_KEYS = {
    "camera": "Folder of the camera's tables, relative to the policy.",
    "defaultLevel": "Needed. The level that a user means who names none; that of one detector is usual.",
    "levels": "For each level, the keys that its data IDs leave out.",
    "defaultSubLevels": "For each level, the level below it.",
    "needCalibRegistry": "Kept, not used: calibrations are found through their registry wherever one is needed.",
    "calibRoot": "Folder of the calibrations, unless --calib names another.",
    "registryPath": "The registry of exposures, where it is not in its usual place.",
    "calibRegistryPath": "The registry of calibrations, where it is not in its usual place.",
    "defects": "Of older stacks: folder of defects, relative to the policy, where no calibration has them.",
    "skytiles": "Of older stacks; read and not used.",
    **{group: f"Dataset types: {text[0].lower()}{text[1:]}" for group, text in GROUPS.items()},
}


@frozen
class EntryKey:
    """One key of a dataset type's entry.

    Parameters
    ----------
    kind : {"text", "list", "flag", "other"}
        How it is written: a text, a name or a list of names, true or false, or in a way of its own.
    attribute : str
        Field of `obs.policy.dataset_type.DatasetType` that holds it; empty where it has no field of its own.
    description : str
        What it means.
    """

    kind: Literal["text", "list", "flag", "other"]
    attribute: str
    description: str


#: Keys of the entry of one dataset type.
ENTRY_KEYS = {
    "template": EntryKey(
        "other",
        "template",
        "Path under the root, with keys such as `%(visit)07d`; its end may name the HDU, `[1]` or `[%(hdu)d]`.",
    ),
    "description": EntryKey("text", "description", "What it is, for people."),
    "storage": EntryKey("text", "storage", "Kind of file: FitsStorage, FitsCatalogStorage, YamlStorage and so on."),
    "python": EntryKey("text", "python", "LSST's class; where storage does not say, it says what a file holds."),
    "persistable": EntryKey("text", "persistable", "LSST's older name of the class; kept, not used."),
    "level": EntryKey("text", "level", "What one dataset is of: Ccd, Visit, Skytile; kept, not used."),
    "tables": EntryKey("list", "tables", "Tables of the registry in which missing keys of a data ID are looked up."),
    "columns": EntryKey("list", "columns", "Further columns that a lookup may use; a calibration must agree in them."),
    "reference": EntryKey("list", "reference", "Of a calibration: tables that know when the exposure was taken."),
    "refCols": EntryKey("list", "reference_columns", "Of a calibration: columns to take from those tables."),
    "validRange": EntryKey("flag", "valid_range", "Of a calibration: whether it is valid for a time only."),
    "validStartName": EntryKey("text", "valid_start", "Column with the first day of validity."),
    "validEndName": EntryKey("text", "valid_end", "Column with the last day of validity."),
    "obsTimeName": EntryKey("text", "observation_time", "Column with the time that must be between the two."),
    "filter": EntryKey("flag", "filter", "Of a calibration: whether it is made for each filter."),
    "metadataKey": EntryKey("list", "metadata_keys", "Keys of the data ID for the metadata; kept, not used."),
    "recipe": EntryKey("text", "recipe", "LSST's way of compressing FITS files; kept, not used."),
    "composite": EntryKey("other", "components", "Parts that are datasets of their own, by name."),
    "assembler": EntryKey("other", "", "LSST's function that puts the parts together; kept, not used."),
    "disassembler": EntryKey("other", "", "LSST's function that takes them apart; kept, not used."),
    "table": EntryKey("other", "", "A misspelling of tables that policies in use have; ignored."),
}
