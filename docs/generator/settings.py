"""The settings of each command, from its configuration classes."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from generator.markdown import code, escape, table
from obs.coadds.catalog_config import CoaddCatalogConfig
from obs.coadds.config import CoaddConfig
from obs.config.base import TaskConfig
from obs.config.lsst_names import CALIBS_NAMES, CATALOG_NAMES, PROCESS_FILE_NAMES, PROCESS_NAMES
from obs.config.schema import describe_type, one_line_text, section_class
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.simulator.config import SimulateConfig
from obs.tasks.calibs_config import CalibsConfig
from obs.tasks.difference.config import DifferenceConfig
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.photometry_config import ColorTerm
from obs.tasks.process_config import ProcessConfig, ProcessFileConfig
from obs.tasks.relative.config import CalibrateVisitsConfig

__all__ = ["SETTINGS", "settings_pages"]

#: Command: configuration class, and LSST's names of its settings.
SETTINGS: dict[str, tuple[type[TaskConfig], Mapping[str, str]]] = {
    "obs process": (ProcessConfig, PROCESS_NAMES),
    "obs process-file": (ProcessFileConfig, PROCESS_FILE_NAMES),
    "obs calibs build": (CalibsConfig, CALIBS_NAMES),
    "obs simulate": (SimulateConfig, {}),
    "obs calibrate-visits": (CalibrateVisitsConfig, {}),
    "obs coadd": (CoaddConfig, {}),
    "obs coadd-catalog": (CoaddCatalogConfig, CATALOG_NAMES),
    "obs difference": (DifferenceConfig, {}),
    "obs forced": (ForcedConfig, {}),
    "obs ingest-refcat": (ReferenceColumnsConfig, {}),
}
#: Sections that a command shares with `obs process`.
_SHARED = {"obs process-file": ("characterize", "calibrate"), "obs calibs build": ("isr",)}
_INTRODUCTION = """\
Set them with `-c NAME=VALUE`, in a file given with `-C`, or for a camera in its folder `config/`; what is set later
wins. A value is written as in YAML. `--show config` prints all with their values, `--show history=NAME` who set one.
"""


def settings_pages() -> dict[str, str]:
    """Return a page for each command, by file name."""
    return {name.replace(" ", "-"): _page(name, *SETTINGS[name]) for name in SETTINGS}


def _page(name: str, config_class: type[TaskConfig], lsst_names: Mapping[str, str]) -> str:
    lines = [f"# Settings of {name}", "", _INTRODUCTION]
    lines += [f"[`{name}`](../commands/{name.replace(' ', '-')}.md) has the command's own options.", ""]
    theirs: dict[str, list[str]] = {}
    for alias, ours in lsst_names.items():
        theirs.setdefault(ours, []).append(alias)
    lines += _section(config_class, "", theirs, _SHARED.get(name, ()))
    if name == "obs process":
        lines += ["## A color term", "", "What stands in the list `calibrate.photometry.color_terms`.", ""]
        lines.append(table(_HEADERS, (_row(*item) for item in _values(ColorTerm))))
    return "\n".join(lines) + "\n"


_HEADERS = ("name", "default", "what it does")


def _section(
    config_class: type[BaseModel], prefix: str, theirs: Mapping[str, list[str]], shared: tuple[str, ...]
) -> Iterator[str]:
    rows = [_row(prefix + name, field, theirs.get(prefix + name, [])) for name, field in _values(config_class)]
    if rows:
        yield table(_HEADERS, rows)
    for name, field in config_class.model_fields.items():
        section = section_class(field)
        if section is None:
            continue
        yield f"## {prefix}{name}\n\n{escape(field.description or '')}\n"
        if name in shared:
            yield f"As in [obs process](obs-process.md#{name}).\n"
        else:
            yield from _section(section, f"{prefix}{name}.", theirs, shared)


def _values(config_class: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the fields that hold a value, not a section."""
    for name, field in config_class.model_fields.items():
        if section_class(field) is None:
            yield name, field


def _row(name: str, field: FieldInfo, theirs: Sequence[str] = ()) -> tuple[str, str, str]:
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    default = "" if field.is_required() else code(one_line_text(field.get_default(call_default_factory=True)))
    takes = escape(describe_type(field) + (f", in {unit}" if unit else ""))
    words = [escape(field.description or ""), f"Takes {takes}."]
    if theirs:
        words.append(f"LSST: {', '.join(map(code, theirs))}.")
    return code(name), default, " ".join(words)
