"""What a camera's policy, tables and translator may say, and a picture of each camera that comes along."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from generator.markdown import code, escape, table
from obs.camera.columns import AMPLIFIER_COLUMNS, CAMERA_KEYS, DETECTOR_COLUMNS, Column
from obs.camera.draw import draw_camera
from obs.errors import PolicyError
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import UNITS
from obs.instrument.discovery import load_instrument
from obs.policy.keys import ENTRY_KEYS, GROUPS, TOP_KEYS
from obs.policy.policy import DEFAULTS
from obs.yaml_lines import load_yaml

__all__ = ["camera_pages", "draw_cameras"]

CAMERAS = ("necam", "sdss", "hsc")


def camera_pages() -> dict[str, str]:
    """Return the pages by file name."""
    return {
        "policy": _policy(),
        "camera-tables": _tables(),
        "dataset-types": _dataset_types(),
        "translator-names": _translator_names(),
    }


def draw_cameras(folder: Path) -> None:
    """Draw the cameras that come along, as `obs camera show` does."""
    folder.mkdir(exist_ok=True)
    for name in CAMERAS:
        with (folder / f"{name}.png").open("wb") as file:
            draw_camera(load_instrument(name).load_camera(), file)


def _policy() -> str:
    top = table(("key", "what it says"), ((code(name), escape(text)) for name, text in TOP_KEYS.items()))
    kinds = {"text": "a text", "list": "a name or a list of names", "flag": "true or false", "other": ""}
    rows = ((code(name), kinds[key.kind], escape(key.description)) for name, key in ENTRY_KEYS.items())
    return f"""\
# Policy keys

The policy is a YAML file that says where a camera's datasets lie. Policies of LSST's mappers load as they are. What a
camera does not say, the engine's [defaults](dataset-types.md) fill in, for the groups that the policy has.

## At the top

{top}
## Of one dataset type

In the groups {", ".join(map(code, GROUPS))}: the name of the dataset type, and below it

{table(("key", "takes", "what it says"), rows)}"""


def _tables() -> str:
    return f"""\
# Camera tables

Three files in the folder `camera/` of a package. Boxes are half-open and 0-based, x before y; lines that begin with `#`
are comments. Columns may come in any order; those that need not be there may be left out. A cell that must not be empty
is said to be so by the message, with line and column.

## detectors.csv

One row a detector.

{_columns(DETECTOR_COLUMNS)}
## amplifiers.csv

One row an amplifier. A box takes four columns.

{_columns(AMPLIFIER_COLUMNS)}
## camera.yaml

{_columns(CAMERA_KEYS)}"""


def _columns(columns: Mapping[str, Column]) -> str:
    """Return the table of columns; those that are described as the one above share its row."""
    rows: list[tuple[list[str], Column]] = []
    for name, column in columns.items():
        if column.description == "As above.":
            rows[-1][0].append(code(name))
        else:
            rows.append(([code(name)], column))
    return table(
        ("name", "unit", "must be there", "what it is"),
        (
            (", ".join(together), code(column.unit), "yes" if column.required else "", escape(column.description))
            for together, column in rows
        ),
    )


def _dataset_types() -> str:
    defaults, _ = load_yaml(DEFAULTS, error=PolicyError)
    parts = [
        "# Dataset types\n",
        "What the engine knows. A camera's policy adds to them and wins key by key; `obs ls REPO` lists those that are "
        "there, `Butler.get` takes their names. `{raw}` in a template stands for the camera's template of raw frames "
        "without its ending.\n",
    ]
    for group, entries in defaults.items():
        rows = (
            (code(name), escape(entry.get("description", "")), code(entry.get("template") or ""), entry["storage"])
            for name, entry in entries.items()
        )
        parts += [f"## {group}\n", f"{GROUPS[group]}\n", table(("name", "what it is", "template", "storage"), rows)]
    return "\n".join(parts)


def _translator_names() -> str:
    facts = (
        (code(fact.name), code(_unit(fact.metadata["comment"])), escape(_words(fact.metadata["comment"])),
         code(fact.metadata["card"]))
        for fact in fields(VisitInfo)
    )  # fmt: skip
    units = ((code(name), code(unit.standard)) for name, unit in UNITS.items())
    return f"""\
# Names and units of a translator

The tables of a [translator](../translator.md) have names of two kinds: the registry's columns, which are the camera's
own, and the circumstances of an exposure, which are these. The last column is the card under which written files have
them.

{table(("name", "unit", "what it is", "card in results"), facts)}
## Units

What `unit` may say of a header card, and the unit that the value is turned into.

{table(("unit", "becomes"), units)}"""


def _unit(comment: str) -> str:
    return comment[1 : comment.index("]")] if comment.startswith("[") else ""


def _words(comment: str) -> str:
    return comment.split("] ")[-1]
