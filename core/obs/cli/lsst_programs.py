"""The command lines of the LSST stack's programs, and what they are as commands of obs.

Most options have the same spelling here (`obs.cli.arguments`), and are handed on as they are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import click

from obs.cli.arguments import expand_files
from obs.errors import suggest

__all__ = ["PROGRAMS", "Translated", "translate_line"]


@dataclass(frozen=True)
class _Program:
    """A program of the stack.

    Attributes
    ----------
    words
        The command of obs that does the same.
    settings
        Settings that are options here: ``name=value`` of ``-c`` to words.
    """

    words: tuple[str, ...]
    settings: dict[str, tuple[str, ...]]


_INGEST = {"clobber=True": ("--clobber",), "clobber=False": (), "allowError=True": (), "parse.retarget": ()}

#: Name of each program, without its ending.
PROGRAMS = {
    "processCcd": _Program(("process",), {}),
    "processCcdSdss": _Program(("process",), {}),
    "singleFrameDriver": _Program(("process",), {}),
    "processFile": _Program(("process-file",), {}),
    "ingestImages": _Program(("ingest",), _INGEST),
    "ingestDriver": _Program(("ingest",), _INGEST),
    "ingestCalibs": _Program(("calibs", "ingest"), _INGEST),
    "ingestReferenceCatalog": _Program(("ingest-refcat",), {}),
    "constructBias": _Program(("calibs", "build", "bias"), {}),
    "constructDark": _Program(("calibs", "build", "dark"), {}),
    "constructFlat": _Program(("calibs", "build", "flat"), {}),
    "constructFringe": _Program(("calibs", "build", "fringe"), {}),
    "constructSky": _Program(("calibs", "build", "sky"), {}),
    "mosaic": _Program(("calibrate-visits",), {}),
    "jointcal": _Program(("calibrate-visits",), {}),
    "forcedPhotCcd": _Program(("forced",), {}),
    "makeSkyMap": _Program(("skymap", "make"), {}),
    "makeDiscreteSkyMap": _Program(("skymap", "make"), {}),
    "coaddDriver": _Program(("coadd",), {}),
    "assembleCoadd": _Program(("coadd",), {}),
    "multiBandDriver": _Program(("coadd-catalog",), {}),
}
_ONE_CATALOG_STEP = "obs coadd-catalog does this with the steps before and after it"
_STATISTICS = {"--legacyCoadd": ("-c", "statistic=clipped"), "--warpCompareCoadd": ()}
_SKY_MAP_SETTING = re.compile(
    r"(?:skyMap(?:\[[\"']?\w+[\"']?\])?\.|(?=doAppend|borderSize))(?:active\.)?(?P<key>\w+)=(?P<value>.*)"
)
#: Programs of the stack that obs does in another way, and that way.
_OTHERWISE = {
    "genInputRegistry": "obs needs no registry of SDSS files: it finds them by their names",
    "makeCoaddTempExp": "obs coadd resamples and combines in one step; take the line of assembleCoadd.py",
    "detectCoaddSources": _ONE_CATALOG_STEP,
    "mergeCoaddDetections": _ONE_CATALOG_STEP,
    "deblendCoaddSources": _ONE_CATALOG_STEP,
    "measureCoaddSources": _ONE_CATALOG_STEP,
    "mergeCoaddMeasurements": _ONE_CATALOG_STEP,
    "forcedPhotCoadd": _ONE_CATALOG_STEP,
    "buildDetector": "write the amplifier tables with obs camera build",
    "runIsr": "use obs process DATA ... -c do_characterize=False",
}
#: Options that have no effect here: number of words behind them, and why.
_DROPPED = {
    "--noExit": (0, "obs always returns an exit status"),
    "--do-exec": (0, "obs has no batch scripts"),
    "--batch-type": (1, "obs runs on this machine"),
    "--batch-verbose": (0, "obs runs on this machine"),
    "--batch-output": (1, "obs runs on this machine"),
    "--batch-submit": (1, "obs runs on this machine"),
    "--batch-options": (1, "obs runs on this machine"),
    "--batch-profile": (0, "use --profile"),
    "--batch-stats": (0, "obs prints the time of each data ID"),
    "--queue": (1, "obs runs on this machine"),
    "--job": (1, "obs has no batch jobs"),
    "--mpiexec": (1, "obs uses no MPI"),
    "--time": (1, "obs has no limit of time for a job; see --timeout"),
    "--walltime": (1, "obs has no limit of time for a job; see --timeout"),
}
#: Options whose value is a number of processes; those of nodes and of processes on each are multiplied.
_CORES, _NODES, _PROCS = "--cores", "--nodes", "--procs"


@dataclass(frozen=True)
class Translated:
    """A command line of obs.

    Attributes
    ----------
    words
        The words behind ``obs``.
    notes
        What of the line has no effect, and what differs.
    """

    words: list[str]
    notes: list[str]


def translate_line(line: Sequence[str]) -> Translated:
    """Translate a command line of the stack.

    Parameters
    ----------
    line
        Its words, the program first, with or without a path and the ending ``.py``.

    Raises
    ------
    click.UsageError
        For a program that has no counterpart.
    """
    name = PurePath(line[0]).name.removesuffix(".py")
    if name not in PROGRAMS:
        reason = _OTHERWISE.get(name)
        known = ", ".join(f"{program}.py" for program in PROGRAMS)
        raise click.UsageError(
            f"{name}.py: {reason}"
            if reason
            else f"there is no counterpart of '{line[0]}'{suggest(name, PROGRAMS)}; there is one of: {known}"
        )
    program = PROGRAMS[name]
    words, notes = _drop(list(expand_files(line[1:])))
    words = _settings_to_options(words, program)
    if program.words[:2] == ("calibs", "build"):
        words, more = _build_words(words)
        notes += more
    if program.words == ("skymap", "make"):
        words = _sky_map_words(name, words)
    if name == "assembleCoadd":
        found = [word for one in words for word in _STATISTICS.get(one, ())]
        words = [word for word in words if word not in _STATISTICS] + found
    if name == "ingestDriver":
        notes.append("-j is for obs ingest what --cores is for ingestDriver.py")
    return Translated([*program.words, *words], notes)


def _drop(words: list[str]) -> tuple[list[str], list[str]]:
    """Take out options that have no effect, and turn numbers of cores into ``-j``."""
    kept: list[str] = []
    notes: list[str] = []
    numbers: dict[str, str] = {}
    while words:
        word = words.pop(0)
        option, equals, value = word.partition("=")
        if option in (_CORES, _NODES, _PROCS):
            numbers[option] = value if equals else words.pop(0) if words else ""
        elif option in _DROPPED:
            count, reason = _DROPPED[option]
            if not equals:
                del words[:count]
            notes.append(f"{option} is left out: {reason}")
        else:
            kept.append(word)
    if numbers:
        kept += ["-j", _processes(numbers)]
    return kept, notes


def _processes(numbers: dict[str, str]) -> str:
    for option, text in numbers.items():
        if not text.isdecimal():
            raise click.UsageError(f"{option} wants a number, not '{text}'")
    if _CORES in numbers:
        return numbers[_CORES]
    return str(int(numbers.get(_NODES, "1")) * int(numbers.get(_PROCS, "1")))


def _settings_to_options(words: list[str], program: _Program) -> list[str]:
    """Replace settings behind ``-c`` that are options here; a ``-c`` that is left with none goes too."""
    if not program.settings:
        return words
    found: list[str] = []
    rest: list[str] = []
    for word in words:
        setting = word.removeprefix("config.")
        if setting in program.settings:
            found += program.settings[setting]
        else:
            rest.append(word)
    bare = [
        word
        for word, after in zip(rest, [*rest[1:], "-"], strict=True)
        if word not in ("-c", "--config") or not after.startswith("-")
    ]
    return [*bare, *found]


def _sky_map_words(name: str, words: list[str]) -> list[str]:
    """Adapt the words of ``makeSkyMap.py`` and ``makeDiscreteSkyMap.py``, whose settings begin with the type.

    The folder comes first; a type that is a setting there is an argument here.
    """
    kind = ["--discrete"] if name == "makeDiscreteSkyMap" else ["dodecahedron"]
    kept: list[str] = []
    options: list[str] = []
    for word in words[1:]:
        setting = _SKY_MAP_SETTING.fullmatch(word.removeprefix("config."))
        if setting is None:
            kept.append(word)
        elif setting["key"] == "name":
            kind = [setting["value"].strip("\"'")]
        elif setting["key"] == "doAppend":
            options += ["--append"] if setting["value"] == "True" else []
        elif setting["key"] == "borderSize":
            options += ["--border", setting["value"]]
        else:
            kept.append(f"{setting['key']}={setting['value']}")
    bare = [
        word
        for word, after in zip(kept, [*kept[1:], "-"], strict=True)
        if word not in ("-c", "--config") or not after.startswith("-")
    ]
    return [*words[:1], *kind, *bare, *options]


def _build_words(words: list[str]) -> tuple[list[str], list[str]]:
    """Adapt the words of ``constructBias.py`` and its like, which write into a rerun."""
    kept: list[str] = []
    notes: list[str] = []
    while words:
        word = words.pop(0)
        option, equals, _ = word.partition("=")
        if option in ("--rerun", "--output"):
            if not equals:
                del words[:1]
            notes.append(
                f"{option} is left out: obs writes calibration frames to the place of calibrations (--calib), and "
                "registers them; ingestCalibs.py has nothing left to do"
            )
        else:
            kept.append(word)
    return kept, notes
