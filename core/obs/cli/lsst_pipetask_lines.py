"""Translate lines of `pipetask`, of the third generation of the LSST stack, into those of obs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import click

from obs.cli.lsst_gen3_query import query_ids

__all__ = ["translate_pipetask"]

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
#: Options of pipetask that take a word, flags, and what each becomes here.
_OF_PIPETASK = {
    "-b": "repo", "--butler-config": "repo", "-i": "inputs", "--input": "inputs", "-o": "output",
    "--output": "output", "--output-run": "output", "-p": "pipeline", "--pipeline": "pipeline", "-t": "task",
    "--task": "task", "-d": "query", "--data-query": "query", "-j": "processes", "--processes": "processes",
    "-c": "setting", "--config": "setting", "-C": "file", "--config-file": "file", "--timeout": "timeout",
    "-g": "graph", "--qgraph": "graph", "--skip-existing-in": "skip", "--show": "show", "--instrument": "",
    "--save-qgraph": "", "-q": "", "--qgraph-dot": "", "--qgraph-mermaid": "", "--save-single-quanta": "",
    "--summary": "", "--log-level": "level", "--log-file": "log", "--log-label": "", "--profile": "profile",
    "--dataset-query-constraint": "", "--graph-fixup": "",
}  # fmt: skip


#: Flags that mean the same here, and why others are left out.
_FLAGS = {
    "--debug": "--debug", "--long-log": "--longlog", "--fail-fast": "--doraise", "--pdb": "--doraise",
    "--no-versions": "--no-versions",
}  # fmt: skip
_REPLACES = "obs goes on in an output, and replaces what it makes again"
_DROPPED = {
    **dict.fromkeys(("--extend-run", "--replace-run", "--prune-replaced", "--clobber-outputs", "--rebase"), _REPLACES),
    "--register-dataset-types": "dataset types are those of the camera's policy",
    "--log-tty": "messages are always printed",
    "--no-log-tty": "messages are always printed; see --log-level",
}
#: Options that every command of several images has, with a word behind them.
_PASSED = {"level": "--log-level", "log": "--logdest", "profile": "--profile", "timeout": "--timeout"}
_FOLDER = "an output is a folder: remove REPO/rerun/NAME"
_OTHER_ACTIONS = {
    "purge": _FOLDER,
    "cleanup": _FOLDER,
    "report": "use obs report REPO/rerun/NAME, and obs log for what failed",
    "build": f"{_ONE_A_STEP}; obs process REPO --show tasks and --show config print what it does",
    **dict.fromkeys(
        ("run-qbb", "pre-exec-init-qbb", "update-graph-run", "zip-from-graph", "aggregate-graph"),
        f"{_ONE_A_STEP}, and no graphs; give the line of pipetask run with -p and -d",
    ),
}


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
    words : sequence of str
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
    place = next((place for place, word in enumerate(words) if word in ("run", "qgraph", *_OTHER_ACTIONS)), None)
    action = "" if place is None else words[place]
    if place is None or action in _OTHER_ACTIONS:
        reason = _OTHER_ACTIONS.get(action, "obs translates pipetask run and pipetask qgraph")
        raise click.UsageError(f"pipetask {action}".rstrip() + f": {reason}")
    line = _read([*words[:place], *words[place + 1 :]])
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
    dropped = [flag for flag in line.flags if flag not in ("--skip-existing", *_FLAGS)]
    reasons = [_DROPPED.get(flag.partition("=")[0], "obs has nothing like it") for flag in dropped]
    notes += [f"{flag} is left out: {reason}" for flag, reason in zip(dropped, reasons, strict=True)]
    return lines, list(dict.fromkeys(notes))


def _line(action: str, line: _Line, command: tuple[str, ...], extra: tuple[str, ...], notes: list[str]) -> list[str]:
    """Return the words behind ``obs`` of one step."""
    values = line.values
    root = values["repo"].removesuffix("/butler.yaml")
    result = [*command, root, *_output(values, command, notes)]
    result += query_ids(values.get("query", ""), root, command, notes, line.reruns)
    result += [*extra, *_settings(line)]
    result += ["-j", values["processes"]] if "processes" in values else []
    result += [word for name, option in _PASSED.items() if name in values for word in (option, values[name])]
    result += dict.fromkeys(_FLAGS[flag] for flag in line.flags if flag in _FLAGS)
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
