"""Translate command lines of the third generation of the LSST stack (`butler`, `pipetask`) into those of obs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

import click

from obs.cli.lsst_gen3_patches import name_patches
from obs.errors import ObsError
from obs.instrument.discovery import discover, instrument_for_mapper
from obs.repo.butler import Butler

__all__ = ["translate_butler", "translate_pipetask"]

#: Steps by the name of a subset, a task or a pipeline, in lower case: the command of obs, and settings that it needs.
_PROCESS, _COADD, _CATALOG = ("process",), ("coadd",), ("coadd-catalog",)
_STEPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "isr": (_PROCESS, ("-c", "do_characterize=False")),
    "characterizeimage": (_PROCESS, ("-c", "doCalibrate=False")),
    **dict.fromkeys(("processccd", "singleframe", "calibrate", "calibrateimage", "singleframeap"), (_PROCESS, ())),
    **dict.fromkeys(
        ("makewarp", "makedirectwarp", "assemblecoadd", "coaddition", "maketemplate", "coadd_creation"), (_COADD, ())
    ),
    **dict.fromkeys(
        ("detection", "mergedetections", "deblend", "measure", "mergemeasurements", "forcedphotcoadd", "multiband"),
        (_CATALOG, ()),
    ),
    "coadd_measurement": (_CATALOG, ()),
    "forcedphotccd": (("forced",), ()),
    **dict.fromkeys(("jointcal", "gbdesastrometricfit", "fgcm"), (("calibrate-visits",), ())),
    **dict.fromkeys(
        ("subtractimages", "imagedifference", "appipe", "diffim", "detectandmeasure"), (("difference",), ())
    ),
    **{f"cp{kind}": (("calibs", "build", kind), ()) for kind in ("bias", "dark", "flat", "fringe", "sky", "defects")},
    "finddefects": (("calibs", "build", "defects"), ()),
}
#: Commands in the order in which they are run.
_SEQUENCE = ("calibs", "process", "calibrate-visits", "coadd", "coadd-catalog", "forced", "difference")
#: How far steps of the same command go: isr, characterizeImage, all.
_ORDER = [("-c", "do_characterize=False"), ("-c", "doCalibrate=False"), ()]
#: Steps of subsets and pipelines that have several.
_SUBSETS = {
    "drp": ("processccd", "jointcal", "makewarp", "measure", "forcedphotccd"),
    "step1": ("processccd",),
    "step2": ("jointcal",),
    "step3": ("makewarp", "measure"),
    "step4": ("forcedphotccd", "subtractimages"),
}
_ONE_A_STEP = "obs has one command for each step (process, coadd, coadd-catalog, forced, difference, calibs build)"
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
#: Options of pipetask that take a word, flags, and what each becomes here.
_OF_PIPETASK = {
    "-b": "repo", "--butler-config": "repo", "-i": "inputs", "--input": "inputs", "-o": "output",
    "--output": "output", "--output-run": "output", "-p": "pipeline", "--pipeline": "pipeline", "-t": "task",
    "--task": "task", "-d": "query", "--data-query": "query", "-j": "processes", "--processes": "processes",
    "-c": "setting", "--config": "setting", "-C": "file", "--config-file": "file", "--timeout": "timeout",
    "-g": "graph", "--qgraph": "graph", "--skip-existing-in": "skip", "--show": "show", "--instrument": "",
    "--save-qgraph": "", "--qgraph-dot": "", "--summary": "", "--log-level": "level", "--log-file": "log",
    "--dataset-query-constraint": "", "--graph-fixup": "",
}  # fmt: skip
_MODES = {"auto": "link", "link": "link", "symlink": "link", "hardlink": "link", "relsymlink": "link", "direct": "link"}
#: Subcommands of butler that have nothing to do here, or another way, and what that is.
_BUTLER_REASONS = {
    "create": "obs init REPO --camera NAME makes a repository and registers its camera; obs cameras lists the names",
    "define-visits": "nothing is to be done: obs ingest registers visits",
    "write-curated-calibrations": "nothing is to be done for tables of the camera's package; obs calibs defects adds",
    "certify-calibrations": "nothing is to be done: obs calibs build registers what it makes, for --validity DAYS",
    "register-dataset-type": "nothing is to be done: dataset types are those of the camera's policy",
    "register-skymap": "use obs skymap make REPO TYPE -c NAME=VALUE, as in obs skymap make DATA rings -c numRings=120",
    "ingest-files": "use obs ingest REPO --from-butler DIR for a whole repository, or obs ingest-refcat for a catalog",
    "import": "use obs ingest REPO --from-butler DIR, which takes raw frames, calibrations and results",
    "export-calibs": "use obs export-gen3 REPO OUT, which writes calibrations with their validity",
    "collection-chain": "outputs are folders with parents here: --rerun IN:OUT reads from IN and writes to OUT",
    "associate": "outputs are folders here; select data IDs with --id",
    "remove-runs": "an output is a folder: remove REPO/rerun/NAME",
    "remove-collections": "an output is a folder: remove REPO/rerun/NAME",
    "prune-datasets": "an output is a folder: remove REPO/rerun/NAME, or files in it",
    "retrieve-artifacts": "results are plain files: obs ls REPO TYPE lists them, obs export copies them",
    "transfer-datasets": "use obs export-gen3 REPO OUT and obs ingest REPO --from-butler DIR",
}
#: Those that list what is there, and what of the dimension they are asked for is listed.
_LISTS = ("query-datasets", "query-dataset-types", "query-collections", "query-data-ids", "query-dimension-records")


@dataclass
class _Line:
    """What a line of pipetask asks for."""

    values: dict[str, str] = field(default_factory=dict)
    settings: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    reruns: list[str] = field(default_factory=list)


def translate_pipetask(words: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """Translate a line of pipetask, which may have several steps.

    Parameters
    ----------
    words
        The words behind ``pipetask``.

    Returns
    -------
    lines : list of list of str
        The words behind ``obs``, for each command that does some of the steps, in their order.
    notes : list of str
        What of the line has no effect here.

    Raises
    ------
    click.UsageError
        If obs does it in another way.
    """
    action = words[0] if words else ""
    if action not in ("run", "qgraph"):
        raise click.UsageError(
            f"pipetask {action}: {_ONE_A_STEP}; obs process REPO --show tasks and --show config print what it does"
        )
    line = _read(words[1:])
    values = line.values
    if "repo" not in values:
        raise click.UsageError("pipetask: name the repository with -b")
    if "graph" in values:
        raise click.UsageError(f"pipetask with a graph (-g): {_ONE_A_STEP}, and no graphs; give -p and -d")
    outputs = [values.get("output", ""), *(name for name in values.get("inputs", "").split(",") if name[:2] == "u/")]
    line.reruns = [PurePath(name).name for name in outputs if name]
    commands = _commands(values)
    notes: list[str] = []
    lines = []
    for command, extra in commands:
        own = line if len(commands) == 1 else replace(line, settings=_of_command(line.settings, command, commands))
        lines.append(_line(action, own, command, extra, notes))
        # what the first step wrote, the next ones read and add to
        values = values | {"inputs": ""}
        line = replace(line, values=values)
    dropped = [flag for flag in line.flags if flag not in ("--skip-existing",)]
    notes += [f"{flag} is left out: obs goes on in an output, and replaces what it makes again" for flag in dropped]
    return lines, list(dict.fromkeys(notes))


def _line(action: str, line: _Line, command: tuple[str, ...], extra: tuple[str, ...], notes: list[str]) -> list[str]:
    """Return the words behind ``obs`` of one step."""
    values = line.values
    root = values["repo"].removesuffix("/butler.yaml")
    result = [*command, root, *_output(values, command, notes)]
    result += _ids(values.get("query", ""), root, command, notes, line.reruns)
    result += [*extra, *_settings(line)]
    result += ["-j", values["processes"]] if "processes" in values else []
    result += ["--timeout", values["timeout"]] if "timeout" in values else []
    skips = "skip" in values or "--skip-existing" in line.flags
    result += ["--skip-existing"] if skips and command != ("calibs", "build") and command[0] != "calibs" else []
    return result + _show(action, values.get("show", ""), command)


def _show(action: str, what: str, command: Sequence[str]) -> list[str]:
    """Return what is to be printed instead of being done."""
    kind, _, pattern = what.partition("=")
    if kind == "config":
        return ["--show", f"config={pattern.rpartition('::')[2]}" if pattern else "config"]
    if kind in ("tasks", "pipeline") and command == _PROCESS:
        return ["--show", "tasks"]
    if action == "qgraph" or kind:
        return ["--show", "data"] if command[0] == "calibs" else ["--dry-run"]
    return []


def _read(words: Sequence[str]) -> _Line:
    """Sort the words of a line by what they are for."""
    line, rest = _Line(), list(words)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        if not option.startswith("--") and option[:2] in _OF_PIPETASK and len(word) > 2:  # -j4
            option, equals, value = word[:2], "=", word[2:].removeprefix("=")
        if option not in _OF_PIPETASK:
            line.flags.append(word)
            continue
        if not equals:
            value = rest.pop(0) if rest else ""
        target = _OF_PIPETASK[option]
        if target == "setting":
            line.settings.append(value)
        elif target == "file":
            line.files.append(value)
        elif target:
            line.values[target] = value
    return line


def _commands(values: Mapping[str, str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the commands of obs that do the steps of a pipeline, in order, and the settings that each needs."""
    pipeline, _, subset = values.get("pipeline", "").partition("#")
    named = subset or values.get("task", "").rpartition(".")[2].partition(":")[0] or PurePath(pipeline).stem
    names = [name.strip().lower().removesuffix("task") for name in named.split(",")]
    steps = [step for name in names for step in _SUBSETS.get(name, (name,))]
    if unknown := [step for step in steps if step not in _STEPS]:
        raise click.UsageError(
            f"pipetask with {named or 'no pipeline'}: {_ONE_A_STEP}; obs does not know "
            f"{', '.join(unknown) or 'the pipeline'}: name its steps behind '#', as in DRP.yaml#processCcd,makeWarp"
        )
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for command, extra in sorted((_STEPS[step] for step in steps), key=lambda step: _ORDER.index(step[1])):
        found[command] = extra  # the step that goes farthest says where to stop
    return sorted(found.items(), key=lambda item: _SEQUENCE.index(item[0][0]))


def _of_command(
    settings: Sequence[str], command: tuple[str, ...], commands: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]
) -> list[str]:
    """Return those of some settings ``label:name=value`` whose label is a step of a command.

    Raises
    ------
    click.UsageError
        If a label is none of the steps that are run.
    """
    result = []
    for setting in settings:
        label = setting.partition(":")[0]
        owner = _STEPS.get(label.lower(), ((), ()))[0]
        if owner not in [known for known, _ in commands]:
            raise click.UsageError(
                f"-c {setting}: '{label}' is none of the steps that are run; write the lines one by one"
            )
        if owner == command:
            result.append(setting)
    return result


def _output(values: Mapping[str, str], command: Sequence[str], notes: list[str]) -> list[str]:
    """Return the output as a rerun; collections to read from are reruns if they are of a user."""
    inputs = [name for name in values.get("inputs", "").split(",") if name]
    own = [name for name in inputs if name.startswith("u/")]
    others = [name for name in inputs if name not in own[:1]]
    if others:
        notes.append(f"-i {','.join(others)} is left out: obs finds raw frames and calibrations in the repository")
    if command[0] == "calibs":
        if "output" in values:
            notes.append("-o is left out: calibration frames are written to the place of calibrations, and registered")
        return []
    if "output" not in values:
        return []
    name = PurePath(values["output"]).name
    return ["--rerun", f"{PurePath(own[0]).name}:{name}" if own and PurePath(own[0]).name != name else name]


def _settings(line: _Line) -> list[str]:
    """Return settings ``label:name=value`` and files of them as obs writes them."""
    pairs = [setting.partition(":") for setting in line.settings]
    whole = {"processccd": "", "isr": "isr.", "characterizeimage": "charImage.", "calibrate": "calibrate."}
    whole |= {name: "" for name, (command, _) in _STEPS.items() if command != _PROCESS}
    found = [f"{whole.get(label.lower(), f'{label}.')}{rest}" if colon else label for label, colon, rest in pairs]
    files = [name.partition(":")[2] or name for name in line.files]
    return [*(["-c", *found] if found else []), *(["-C", *files] if files else [])]


def _ids(query: str, root: str, command: Sequence[str], notes: list[str], reruns: Sequence[str] = ()) -> list[str]:
    """Return a query as data IDs.

    Raises
    ------
    click.UsageError
        If it is more than keys with values, joined by AND.
    """
    # a pair such as 3,1 is one value
    terms = [
        (match[1].lower(), [match[2]] if match[2] else _VALUE.findall(match[3])) for match in _TERM.finditer(query)
    ]
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
        values = [_value(name, value) for value in texts]
        if name in ("tract", "patch") and command == _PROCESS:
            notes.append(f"{name} is left out where exposures are processed: name them by visit")
            continue
        if name == "patch":
            values = name_patches(values, tracts, root, reruns)
        is_image = name in ("visit", "detector", "dataType", "dateObs", "field")
        (selected if of_coadds and is_image else words).append(f"{_key(name, root)}={'^'.join(values)}")
    if of_coadds and selected and command == _COADD:
        return [*(["--id", *words] if words else []), "--selectId", *selected]
    if selected:
        notes.append(f"{' '.join(selected)} is left out: catalogs of coadds have no exposures")
    return ["--id", *words] if words or command == _PROCESS else []


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


def translate_butler(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Translate a line of butler, to the words behind ``obs`` and notes; see `translate_pipetask`."""
    action, rest = (words[0], list(words[1:])) if words else ("", [])
    if action == "register-instrument":
        return _register(rest)
    if action == "ingest-raws":
        return _ingest(rest)
    if action == "convert":
        return _convert(rest)
    if action in _LISTS:
        return _list(action, rest)
    reason = _BUTLER_REASONS.get(action)
    if reason is None:
        known = ", ".join(["register-instrument", "ingest-raws", "convert", *_LISTS])
        raise click.UsageError(f"butler {action} cannot be translated; {known} can")
    raise click.UsageError(f"butler {action}: {reason}")


def _take(words: list[str], *names: str) -> str:
    """Take an option with its value out of words, and return the value; empty if it is not there."""
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in names:
            end = place + 1 if equals else place + 2
            found = value if equals else " ".join(words[place + 1 : end])
            del words[place:end]
            return found
    return ""


def _register(words: list[str]) -> tuple[list[str], list[str]]:
    plain = [word for word in words if not word.startswith("-")]
    names = sorted(discover().instruments)
    what = plain[1] if len(plain) > 1 else "no camera"
    short = what.rpartition(".")[2].lower()
    camera = short if short in names else ""
    try:
        camera = camera or instrument_for_mapper(what).name
    except ObsError:
        raise click.UsageError(
            f"butler register-instrument with {what}: use obs init REPO --camera NAME; NAME is one of "
            f"{', '.join(names)}, or of a package that obs new makes"
        ) from None
    return ["init", plain[0], "--camera", camera], []


def _ingest(words: list[str]) -> tuple[list[str], list[str]]:
    rest = list(words)
    mode = _take(rest, "-t", "--transfer") or "auto"
    processes = _take(rest, "-j", "--processes")
    notes = [f"{name} is left out: obs ingest has no such option" for name in ("--regex", "--output-run", "--config",
             "-c", "--config-file", "-C", "--ingest-task") if _take(rest, name)]  # fmt: skip
    flags = [word for word in rest if word.startswith("-")]
    notes += [f"{flag} is left out: a bad file stops nothing, and is named at the end" for flag in flags]
    if mode == "direct":
        notes.append("--transfer direct: files are linked, and stay where they are")
    plain = [word for word in rest if not word.startswith("-")]
    result = ["ingest", *plain, "--mode", _MODES.get(mode, mode)]
    return [*result, "-j", processes] if processes else result, notes


def _convert(words: list[str]) -> tuple[list[str], list[str]]:
    rest = list(words)
    old = _take(rest, "--gen2root")
    for name in ("-C", "--config-file", "--calibs", "-t", "--transfer", "--reruns", "-i", "--instrument-class"):
        _take(rest, name)
    plain = [word for word in rest if not word.startswith("-")]
    if not (old and plain):
        raise click.UsageError("butler convert: use obs export-gen3 DATA OUT")
    return ["export-gen3", old, plain[0]], ["settings of the conversion are left out: everything is written"]


def _list(action: str, words: list[str]) -> tuple[list[str], list[str]]:
    rest = list(words)
    notes = []
    if collections := _take(rest, "--collections"):
        notes.append(f"--collections {collections} is left out: name the output as the repository, REPO/rerun/NAME")
    query = _take(rest, "--where")
    plain = [word.strip("'\"") for word in rest if not word.startswith("-")]
    if not plain:
        raise click.UsageError(f"butler {action}: name the repository, as in obs ls REPO")
    kinds = [word for word in plain[1:] if not set(word) & set("*?")]
    if action in ("query-data-ids", "query-dimension-records"):
        kinds = ["raw"]
    result = ["ls", plain[0], *(kinds[:1] if action != "query-collections" else [])]
    return (result + _ids(query, plain[0], ("ls",), notes) if query and kinds else result), notes
