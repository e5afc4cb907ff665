"""Translate a command line of the LSST stack into one of obs.

Most options have the same spelling here (`obs.cli.arguments`), and are handed on as they are.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from glob import glob
from itertools import pairwise
from pathlib import Path, PurePath

import click

from obs.cli.arguments import expand_files
from obs.cli.lsst_butler_lines import translate_butler
from obs.cli.lsst_pipetask_lines import translate_pipetask
from obs.cli.lsst_programs import BATCH, GENERAL, PROGRAMS, REASONS, STEPS, General, Program
from obs.cli.main import command_line
from obs.config.lsst_absent import reason_of_absence
from obs.config.lsst_names import PROCESS_NAMES
from obs.config.overrides import read_override_file, setting_name
from obs.errors import suggest
from obs.frozen import frozen
from obs.repo.key_sources import CALIB_REGISTRY

__all__ = ["Translated", "translate_line"]

_SKY_MAP_SETTING = re.compile(
    r"(?:skyMap(?:\[[\"']?\w+[\"']?\])?\.|(?=doAppend|borderSize))(?:active\.)?(?P<key>\w+)=(?P<value>.*)"
)
#: Options whose value is a number of processes; those of nodes and of processes on each are multiplied.
_CORES, _NODES, _PROCS = "--cores", "--nodes", "--procs"
#: Options of most commands, and how many words are behind each.
_SHARED = {"-j": 1, "--timeout": 1, "--log-level": 1, "--logdest": 1, "--profile": 1}
_SHARED |= dict.fromkeys(("--longlog", "--debug", "--doraise", "--no-versions"), 0)
#: Commands with the settings of ``processCcd.py``.
_PROCESSING = ("process", "process-file")
_OVERRIDES, _FILES = ("-c", "--config"), ("-C", "--configfile")
_CATALOG_NAME = re.compile(r"(?:dataset_config\.)?ref_dataset_name=[\"']?([^\"']+)[\"']?")
#: Name of a reference catalog that the stack takes if none is given.
_DEFAULT_CATALOG = "cal_ref_cat"
#: Kinds of curated calibrations that are not defects.
_CURATED = ("qe_curve", "linearizer", "crosstalk", "bfk", "bfkernel", "transmission", "gains")


@frozen
class Translated:
    """Command lines of obs for one of the stack.

    Attributes
    ----------
    words : list of str
        The words behind ``obs``.
    notes : list of str
        What of the line has no effect, and what differs.
    later : list of list of str
        The words of further commands, which are run one after the other.
    """

    words: list[str]
    notes: list[str]
    later: list[list[str]] = field(default_factory=list)


def translate_line(line: Sequence[str]) -> Translated:
    """Translate a command line of the stack.

    Parameters
    ----------
    line : sequence of str
        Its words, the program first, with or without a path and the ending ``.py``.

    Raises
    ------
    click.UsageError
        For a program that has no counterpart, or a line that obs does in another way.
    """
    name = PurePath(line[0]).name.removesuffix(".py")
    if name == "butler":
        return Translated(*translate_butler(list(expand_files(line[1:]))))
    if name == "pipetask":
        lines, remarks = translate_pipetask(list(expand_files(line[1:])))
        first, *later = [_supported(words, remarks) for words in lines]
        return Translated(first, remarks, later)
    program = PROGRAMS.get(name)
    if program is None:
        raise click.UsageError(_refusal(name, line))
    notes: list[str] = []
    words = _drop(_drop_batch(list(expand_files(line[1:])), notes), program.extra, notes)
    words = _rename(words, program)
    words = _settings_to_options(words, program)
    adapt = _ADAPTED.get(program.words[0])
    if adapt is not None:
        words = adapt(name, words, notes)
    if program.words[0] in _PROCESSING:
        words = _drop_absent(words, notes)
    known = _known_options(program.words)
    words = _without_previews(name, program.words, words, known)
    words = _drop(words, {name: option for name, option in GENERAL.items() if name not in known}, notes)
    if name == "ingestCalibs" and _are_registered(words):
        kept = [option for word, option in pairwise(words) if word == "--calib"]
        notes.append(
            f"no file matches {' '.join(_frames(words))}: frames that constructBias.py and its like make here are "
            "registered when they are made; these are the calibrations"
        )
        return Translated(["calibs", "list", words[0], *(["--calib", kept[0]] if kept else [])], notes)
    if name == "ingestDriver":
        notes.append("-j is for obs ingest what --cores is for ingestDriver.py")
    return Translated([*program.words, *words], notes)


def _without_previews(name: str, command: Sequence[str], words: list[str], known: set[str]) -> list[str]:
    """Return the words for a command that shows nothing; ``--show run`` is left out.

    Raises
    ------
    click.UsageError
        If something is to be shown, or nothing to be done, by a command that would then do everything.
    """
    advice = f"obs {' '.join(command)} --help lists its settings and options"
    if "--dry-run" in known:
        advice += f"; obs {' '.join(command)} ... --dry-run says what it would do"
    kept: list[str] = []
    while words:
        word = words.pop(0)
        option, equals, value = word.partition("=")
        if option == "--show" and option not in known:
            shown = [value] if equals else []
            while not equals and words and not words[0].startswith("-"):
                shown.append(words.pop(0))
            if shown != ["run"]:
                raise click.UsageError(f"{name}.py --show: obs {' '.join(command)} shows no settings; {advice}")
        elif option == "--dry-run" and option not in known:
            raise click.UsageError(f"{name}.py --dry-run: obs {' '.join(command)} has no dry run; {advice}")
        else:
            kept.append(word)
    return kept


def _frames(words: Sequence[str]) -> list[str]:
    """Return the words that name frames in a rerun."""
    return [word for word in words[1:] if "/rerun/" in word and not word.startswith("-")]


def _are_registered(words: Sequence[str]) -> bool:
    """Return whether a line takes frames out of a rerun, where there are none, and there are calibrations already."""
    frames = _frames(words)
    if not frames or any(glob(word) for word in frames):
        return False
    folders = [Path(words[0], "CALIB"), *(Path(option) for word, option in pairwise(words) if word == "--calib")]
    return any((folder / CALIB_REGISTRY).is_file() for folder in folders)


def _supported(words: list[str], notes: list[str]) -> list[str]:
    """Take out of a line of obs what its command, one of several, does not have."""
    command = words[:2] if words[0] == "calibs" else words[:1]
    known = _known_options(command)
    shared = {name: General(count, f"obs {' '.join(command)} has none") for name, count in _SHARED.items()}
    kept = _drop(words, {name: option for name, option in shared.items() if name not in known}, notes)
    return _drop_absent(kept, notes) if command[0] in _PROCESSING else kept


def _refusal(name: str, line: Sequence[str]) -> str:
    """Return why a program has no counterpart, and what to do instead."""
    if name in STEPS:
        other = _guess(f"{'assembleCoadd' if STEPS[name] == 'coadd' else 'multiBandDriver'}.py", line)
        return f"{name}.py is a step of obs {STEPS[name]}, which does all of them at once: {other}"
    if name in REASONS:
        return f"{PurePath(line[0]).name}: {REASONS[name]}"
    hint = suggest(f"{name}.py", [f"{known}.py" for known in (*PROGRAMS, *STEPS, *REASONS)])
    return f"'{line[0]}' is not a program that can be translated{hint}; obs lsst-command --help lists those that can"


def _guess(program: str, line: Sequence[str]) -> str:
    """Return the line that does a step of the stack together with its neighbors, without the settings of the step."""
    words: list[str] = []
    rest = list(line[1:])
    while rest:
        word = rest.pop(0)
        if word in (*_OVERRIDES, *_FILES):
            while rest and not rest[0].startswith("-"):
                rest.pop(0)
        elif not word.startswith(("-c", "-C", "--config")):
            words.append(word)
    return f"obs {shlex.join(translate_line([program, *words]).words)}"


def _known_options(words: Sequence[str]) -> set[str]:
    """Return the options of a command of obs."""
    context = click.Context(command_line)
    command: click.Command | None = command_line
    for word in words:
        if isinstance(command, click.Group):
            command = command.get_command(context, word)
    return {option for parameter in (command.params if command else ()) for option in parameter.opts}


def _rename(words: list[str], program: Program) -> list[str]:
    """Give options the names that they have here; a flag for an option with a value takes that with it."""
    renamed: list[str] = []
    flags: list[str] = []
    while words:
        word = words.pop(0)
        option, equals, _ = word.partition("=")
        if word in program.flags:
            flags += program.flags[word]
        elif option in program.options and program.options[option].startswith("--skip"):
            renamed.append(program.options[option])
            if not equals:
                del words[:1]
        elif option in program.options:
            renamed.append(word.replace(option, program.options[option], 1))
        else:
            renamed.append(word)
    return renamed + flags


def _drop_batch(words: list[str], notes: list[str]) -> list[str]:
    """Take out options of batch systems, and turn numbers of cores into ``-j``."""
    kept: list[str] = []
    numbers: dict[str, str] = {}
    while words:
        word = words.pop(0)
        option, equals, value = word.partition("=")
        if option in (_CORES, _NODES, _PROCS):
            numbers[option] = value if equals else words.pop(0) if words else ""
        elif option in BATCH:
            _take(words, BATCH[option], has_value=bool(equals))
            notes.append(f"{option} is left out: {BATCH[option].reason}")
        else:
            kept.append(word)
    return [*kept, "-j", _processes(numbers)] if numbers else kept


def _take(words: list[str], option: General, *, has_value: bool) -> None:
    """Remove the words that belong to an option from the front of those behind it."""
    if has_value:
        return
    if option.count >= 0:
        del words[: option.count]
        return
    while words and not words[0].startswith("-"):
        del words[0]


def _processes(numbers: dict[str, str]) -> str:
    for option, text in numbers.items():
        if not text.isdecimal():
            raise click.UsageError(f"{option}: expected a number, got '{text}'")
    if _CORES in numbers:
        return numbers[_CORES]
    return str(int(numbers.get(_NODES, "1")) * int(numbers.get(_PROCS, "1")))


def _drop(words: list[str], options: Mapping[str, General], notes: list[str]) -> list[str]:
    """Take out options that have no effect."""
    kept: list[str] = []
    while words:
        word = words.pop(0)
        option, equals, _ = word.partition("=")
        if option in options:
            before = list(words)
            _take(words, options[option], has_value=bool(equals))
            values = before[: len(before) - len(words)]
            notes.append(f"{shlex.join([word, *values])} is left out: {options[option].reason}")
        else:
            kept.append(word)
    return kept


def _drop_absent(words: list[str], notes: list[str]) -> list[str]:
    """Take out settings that have no counterpart."""
    kept: list[str] = []
    for word in words:
        name, equals, _ = word.partition("=")
        known = setting_name(name)
        reason = reason_of_absence(known) if equals and known not in PROCESS_NAMES else None
        if reason is None:
            kept.append(word)
        else:
            notes.append(f"{name} is left out: {reason}")
    return _without_bare(kept)


def _settings_to_options(words: list[str], program: Program) -> list[str]:
    """Replace settings behind ``-c`` that are options here; a ``-c`` that is left with none goes too."""
    if not program.settings and not program.prefix:
        return words
    found: list[str] = []
    rest: list[str] = []
    for word in words:
        setting = word.removeprefix("config.")
        if setting in program.settings:
            found += program.settings[setting]
        elif program.prefix and setting.startswith(program.prefix):
            rest.append(setting.removeprefix(program.prefix))
        else:
            rest.append(word)
    return [*_without_bare(rest), *found]


def _without_bare(words: list[str], *options: str) -> list[str]:
    """Leave out every ``-c``, or other option, with no word behind it."""
    return [
        word
        for word, after in pairwise([*words, "-"])
        if word not in (options or _OVERRIDES) or not after.startswith("-")
    ]


def _sky_map_words(name: str, words: list[str], _: list[str]) -> list[str]:
    """Adapt the words of ``makeSkyMap.py`` and ``makeDiscreteSkyMap.py``, whose settings begin with the type.

    The folder comes first; a type that is a setting there is an argument here, and files of settings are read.
    """
    kind = ["--discrete"] if name == "makeDiscreteSkyMap" else ["dodecahedron"]
    kept: list[str] = []
    options: list[str] = []
    for word in _with_files(words[1:]):
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
    return [*words[:1], *kind, *_without_bare(kept), *options]


def _with_files(words: list[str]) -> list[str]:
    """Replace files of settings by what is in them."""
    result: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word not in _FILES:
            result.append(word)
            continue
        result.append("-c")
        while rest and not rest[0].startswith("-"):
            for one in read_override_file(Path(rest.pop(0))):
                result.append(f"{'.'.join(one.name)}={one.value}")
    return result


def _build_words(_: str, words: list[str], notes: list[str]) -> list[str]:
    """Adapt the words of ``constructBias.py`` and its like, which write into a rerun."""
    kept: list[str] = []
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
        elif word.startswith(("calibVersion=", "--calibVersion=")):
            notes.append(f"{word} is left out: calibration frames have a date, and no version")
        else:
            kept.append(word)
    return kept


def _calibs_words(name: str, words: list[str], notes: list[str]) -> list[str]:
    """Adapt the words of programs that make calibrations, or take those of observatories."""
    if name in ("ingestCuratedCalibs", "ingestDefects"):
        others = [word for word in words[1:] if PurePath(word).name in _CURATED]
        if others:
            raise click.UsageError(f"{name}.py: obs takes curated defects, and nothing like {others[0]}")
        return words
    return words if name == "ingestCalibs" else _without_bare(_build_words(name, words, notes), "--calibId")


def _tract_words(name: str, words: list[str], _: list[str]) -> list[str]:
    """Take the tract out of the data IDs, where it is an option of the command."""
    tracts = [word.removeprefix("tract=") for word in words if word.startswith("tract=")]
    if len(set(tracts)) > 1 or any(not tract.isdecimal() for tract in tracts):
        raise click.UsageError(f"{name}.py with several tracts: run the line once for each tract, as in --id tract=0")
    kept = [word for word in words if not word.startswith("tract=")]
    return [*kept, "--tract", tracts[0]] if tracts else kept


def _difference_words(name: str, words: list[str], notes: list[str]) -> list[str]:
    """Adapt the words of ``imageDifference.py``, whose template is a coadd here."""
    if any(word.split("=")[0] == "--templateId" for word in words):
        raise click.UsageError(
            "imageDifference.py with --templateId: obs difference subtracts coadds; make one of the template visits "
            "with obs coadd OUT --selectId visit=..., and run the line without --templateId"
        )
    return _tract_words(name, words, notes)


def _catalog_words(_: str, words: list[str], notes: list[str]) -> list[str]:
    """Adapt the words of ``ingestReferenceCatalog.py``: the name of the catalog is an argument here."""
    words = _with_files(words)
    names = [match[1] for word in words if (match := _CATALOG_NAME.fullmatch(word.removeprefix("config.")))]
    kept = _without_bare([word for word in words if not _CATALOG_NAME.fullmatch(word.removeprefix("config."))])
    result: list[str] = []
    while kept:
        word = kept.pop(0)
        if word.split("=")[0] in ("--output", "--rerun"):
            if "=" not in word:
                del kept[:1]
            notes.append(f"{word.split('=')[0]} is left out: reference catalogs are kept in the repository itself")
        else:
            result.append(word)
    return [*result[:1], names[-1] if names else _DEFAULT_CATALOG, *result[1:]]


_ADAPTED: dict[str, Callable[[str, list[str], list[str]], list[str]]] = {
    "skymap": _sky_map_words,
    "calibs": _calibs_words,
    "calibrate-visits": _tract_words,
    "forced": _tract_words,
    "difference": _difference_words,
    "ingest-refcat": _catalog_words,
}
