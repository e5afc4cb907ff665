"""Names that an option takes, where what they mean is expensive to import; a test holds them to it."""

__all__ = ["CALIBRATION_TYPES", "FILE_FORMATS", "IMAGE_TYPES", "MODES", "SURVEYS", "TABLE_FORMATS"]

#: `obs.tasks.calibration_recipes.RECIPES`
CALIBRATION_TYPES = ("bias", "dark", "flat", "fringe", "sky", "defects")
#: `obs.simulator.files.FILE_FORMATS`
FILE_FORMATS = ("fits", "fits.gz", "fits.fz")
#: `obs.simulator.shots.IMAGE_TYPES`
IMAGE_TYPES = ("bias", "dark", "flat", "science")
#: `obs.ingest.transfer.MODES`
MODES = ("link", "copy", "move", "skip")
#: `obs.ingest.surveys.definitions.SURVEYS`
SURVEYS = ("gaia", "ps1", "skymapper", "apass")
#: `obs.exports.table_files.TABLE_FORMATS`
TABLE_FORMATS = ("fits", "parquet", "votable", "ecsv", "csv")
