"""The programs of the LSST stack, and what does the same here: commands of obs, or a reason why none does."""

from dataclasses import field

from obs.frozen import frozen

__all__ = ["BATCH", "GENERAL", "PROGRAMS", "REASONS", "STEPS", "General", "Program"]


@frozen
class Program:
    """A program of the stack.

    Attributes
    ----------
    words : tuple of str
        The command of obs that does the same.
    settings : dict of str to tuple of str
        Settings that are options here: ``name=value`` of ``-c`` to words.
    prefix : str
        Task that the names of its settings begin with, and ours do not.
    options : dict of str to str
        Options with another name here.
    flags : dict of str to tuple of str
        Words that are settings here.
    extra : dict of str to General
        Options of the program alone that have no effect here.
    """

    words: tuple[str, ...]
    settings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    prefix: str = ""
    options: dict[str, str] = field(default_factory=dict)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    extra: "dict[str, General]" = field(default_factory=dict)


@frozen
class General:
    """An option that programs of the stack share.

    Attributes
    ----------
    count : int
        Number of words behind it; -1 for all up to the next option.
    reason : str
        Why a command of obs can do without it.
    """

    count: int
    reason: str


_ONE_LOG = "its messages go to the terminal"
_REPLACED = "this command replaces results"
_INGEST = {"clobber=True": ("--clobber",), "clobber=False": (), "allowError=True": (), "parse.retarget": ()}
_BUILD = {"--detrendId": "--calibId"}
#: A dry run of commands that have none: they list the data.
_PREVIEW: dict[str, tuple[str, ...]] = {"--dry-run": ("--show", "data"), "-n": ("--show", "data")}
_MULTIPLE = {"--reuse-outputs-from": "--skip-existing", "--reuse-outputs": "--skip-existing"}
_MOSAIC = {
    "--diagnostics": General(0, "obs calibrate-visits prints how well the fit is, and writes its report"),
    "--diagDir": General(1, "obs calibrate-visits writes its report into the output"),
    "--numCoresForRead": General(1, "this command uses one process"),
    "--numCoresForReadSource": General(1, "this command uses one process"),
    "--readNumCores": General(1, "this command uses one process"),
}
_REFERENCE = {
    "--refId": General(-1, "bands are merged in the order of merge.priority, and no catalog is a reference alone"),
}
_STATISTICS = {
    "--legacyCoadd": ("-c", "statistic=clipped"),
    "--safeClip": ("-c", "statistic=clipped"),
    "--warpCompareCoadd": (),
    "--warpCompare": (),
}
#: Settings of steps of coadds: what obs does anyway, or has another name for.
_OF_COADDS = {
    f"{task}{name}": words
    for task in ("", "assembleCoadd.", "makeCoaddTempExp.")
    for name, words in {
        "doNImage=True": (),
        "doMaskBrightObjects=False": (),
        "doApplySkyCorr=False": (),
        "doApplyUberCal=True": (),
        "doApplyUberCal=False": ("-c", "use_common_calibration=false"),
        "doApplyExternalSkyWcs=False": ("-c", "use_common_calibration=false"),
    }.items()
}
_PROCESS = Program(("process",))
_DRIVER = Program(("process",), prefix="processCcd.")
_CALIBRATE = Program(("calibrate-visits",), extra=_MOSAIC)
_CALIB_PLACE = "calibrations are registered in the place that --calib names, else in CALIB of the repository"
_IN_PLACE = "raw files are registered in the repository itself"
_RAW = Program(
    ("ingest",),
    _INGEST,
    extra={
        "--filetype": General(1, "the camera's package knows its files"),
        "--output": General(1, _IN_PLACE),
        "--rerun": General(1, _IN_PLACE),
    },
)


def _build(kind: str) -> Program:
    return Program(("calibs", "build", kind), options=_BUILD, flags=_PREVIEW)


#: Name of each program, without its ending.
PROGRAMS = {
    **{f"processCcd{camera}": _PROCESS for camera in ("", "Sdss", "Decam", "LsstSim")},
    **dict.fromkeys(("processEimage", "hscProcessCcd", "scProcessCcd", "hscProcess"), _PROCESS),
    **dict.fromkeys(("singleFrameDriver", "reduceFrames"), _DRIVER),
    "processFile": Program(("process-file",)),
    **dict.fromkeys(("ingestImages", "ingestImagesDecam", "hscIngestImages", "ingestSimImages", "ingestDriver"), _RAW),
    "ingestCalibs": Program(
        ("calibs", "ingest"),
        _INGEST,
        extra={
            "--calibType": General(1, "the header (OBSTYPE) says what a frame is"),
            "--output": General(1, _CALIB_PLACE),
            "--rerun": General(1, _CALIB_PLACE),
        },
    ),
    "ingestCuratedCalibs": Program(("calibs", "defects")),
    "ingestDefects": Program(("calibs", "defects")),
    "ingestReferenceCatalog": Program(("ingest-refcat",)),
    **{f"construct{kind.title()}": _build(kind) for kind in ("bias", "dark", "flat", "fringe", "sky")},
    **{f"reduce{kind.title()}": _build(kind) for kind in ("bias", "dark", "flat", "fringe")},
    "reduceFringes": _build("fringe"),
    "mosaic": _CALIBRATE,
    "jointcal": _CALIBRATE,
    "forcedPhotCcd": Program(("forced",)),
    "imageDifference": Program(("difference",)),
    "makeSkyMap": Program(("skymap", "make")),
    "makeDiscreteSkyMap": Program(("skymap", "make")),
    "coaddDriver": Program(("coadd",), _OF_COADDS, options=_MULTIPLE, flags=_STATISTICS),
    "stack": Program(("coadd",), _OF_COADDS, options=_MULTIPLE),
    "assembleCoadd": Program(("coadd",), _OF_COADDS, flags=_STATISTICS),
    "multiBandDriver": Program(("coadd-catalog",), options=_MULTIPLE, extra=_REFERENCE),
    "multiBand": Program(("coadd-catalog",), options=_MULTIPLE, extra=_REFERENCE),
}
#: Programs that are a step of what one command of obs does at once.
STEPS = {
    "makeCoaddTempExp": "coadd",
    "makeWarp": "coadd",
    "detectCoaddSources": "coadd-catalog",
    "mergeCoaddDetections": "coadd-catalog",
    "deblendCoaddSources": "coadd-catalog",
    "measureCoaddSources": "coadd-catalog",
    "mergeCoaddMeasurements": "coadd-catalog",
    "forcedPhotCoadd": "coadd-catalog",
}
_APPLIED = "obs applies the results of obs calibrate-visits wherever they matter; nothing is to be done"
_REPORT = "obs report OUT writes one page on which a run is judged"
#: Programs that obs does in another way, and that way.
REASONS = {
    "genInputRegistry": "obs needs no registry of files of SDSS: it finds them by their names",
    "genCalibRegistry": "obs calibs build registers what it makes; obs calibs ingest DATA FILES registers other frames",
    "registryInfo": "use obs ls DATA raw, or obs process DATA --id --show data",
    "reportPatches": "obs skymap show OUT prints the patches that exposures overlap; obs coadd takes them by itself",
    "reportImages": "obs coadd OUT --dry-run prints how many exposures reach each patch",
    "reportTaskTimes": "the seconds of each step are in processCcd_metadata: obs get OUT processCcd_metadata --id ...",
    "skyCorrection": "obs has no sky over the whole focal plane: obs process subtracts that of each detector, with all "
    "sources masked; continue with the line of coaddDriver.py",
    "calibrateCatalog": _APPLIED,
    "calibrateExposure": _APPLIED,
    "fixHeaders": _APPLIED,
    "visitAnalysis": _REPORT,
    "coaddAnalysis": _REPORT,
    "matchedVisitMetrics": _REPORT,
    "validateDrp": _REPORT,
    "buildDetector": "write the amplifier tables with obs camera build",
    "runEimage": "obs process takes images without instrument signature: use the line of processEimage.py",
    "readStar": _REPORT,
    "solvetansip": "obs process fits the WCS (TAN-SIP) itself: use the line of processCcd.py",
    "hscOverlaps": "obs skymap show OUT prints the patches that exposures overlap; obs coadd takes them by itself",
    "installTransmissionCurves": "obs does not use transmission curves; those attached to files are read",
    "makeBrighterFatterKernel": "obs reads a kernel (-c isr.brighter_fatter_kernel_path=FILE) and does not make one",
    "measurePhotonTransferCurve": "obs new NAME --from FILES measures gain and read noise from pairs of flats",
    "findDefects": "use obs calibs build defects DATA",
    "runIsr": "use obs process DATA ... -c do_characterize=False",
    "makeSkyMapFromFile": "give the settings to obs skymap make",
    "dcrAssembleCoadd": "obs has no coadds for differential chromatic refraction",
    "ingestIndexReferenceTask": "the program is called ingestReferenceCatalog.py since 2016",
    "bps": "obs process --cluster slurm (htcondor, pbs) -j N runs on a batch system; --shard N/COUNT is for job arrays",
    "certifyCalibration": "nothing is to be done: obs calibs build registers what it makes, for --validity DAYS",
    "astrometadata": "use obs translate FILES",
    "convertRepo": "obs export-gen3 DATA OUT writes a third-generation repository",
}
#: Options of batch systems, which have no effect here.
BATCH = {
    "--noExit": General(0, "obs always returns an exit status"),
    "--do-exec": General(0, "obs has no batch scripts"),
    "--batch-type": General(1, "obs runs on this machine"),
    "--batch-verbose": General(0, "obs runs on this machine"),
    "--batch-output": General(1, "obs runs on this machine"),
    "--batch-submit": General(1, "obs runs on this machine"),
    "--batch-options": General(1, "obs runs on this machine"),
    "--batch-profile": General(0, "use --profile"),
    "--batch-stats": General(0, "obs prints the time of each data ID"),
    "--queue": General(1, "obs runs on this machine"),
    "--job": General(1, "obs has no batch jobs"),
    "--mpiexec": General(1, "obs uses no MPI"),
    "--time": General(1, "obs has no limit of time for a job; see --timeout"),
    "--walltime": General(1, "obs has no limit of time for a job; see --timeout"),
}
#: Options that every program of the stack has, and some commands of obs do not need.
GENERAL = {
    "-c": General(-1, "this command has no settings"),
    "--config": General(-1, "this command has no settings"),
    "-C": General(-1, "this command has no settings"),
    "--configfile": General(-1, "this command has no settings"),
    "--calib": General(1, "this command needs no calibration frames"),
    "--clobber-config": General(0, _REPLACED),
    "--no-backup-config": General(0, _REPLACED),
    "--clobber-versions": General(0, _REPLACED),
    "--no-versions": General(0, "this command does not compare versions"),
    "--clobber-output": General(0, _REPLACED),
    "--longlog": General(0, _ONE_LOG),
    "--logdest": General(1, _ONE_LOG),
    "--debug": General(0, _ONE_LOG),
    "--trace": General(2, _ONE_LOG),
    "-T": General(2, _ONE_LOG),
    "--loglevel": General(-1, _ONE_LOG),
    "-L": General(-1, _ONE_LOG),
    "--profile": General(1, "this command has no profile"),
    "--processes": General(1, "this command uses one process"),
    "-j": General(1, "this command uses one process"),
    "--timeout": General(1, "this command has no limit of time"),
    "-t": General(1, "this command has no limit of time"),
    "--doraise": General(0, "errors are printed in one line"),
}
