"""The pages of reference that the guide writes from the code: complete, and with words for everything."""

import re
import sys

import click
import pytest
from pages import CHECKOUT, GUIDE

from obs import errors
from obs.camera.columns import AMPLIFIER_COLUMNS, CAMERA_KEYS, DETECTOR_COLUMNS
from obs.config.lsst_names import PROCESS_NAMES
from obs.config.schema import iterate_fields
from obs.image.mask import DEFAULT_PLANES
from obs.metrics.definitions import CONTEXT, MASTER_METRICS, METRICS
from obs.metrics.derive import DERIVED
from obs.metrics.gates import load_gates
from obs.policy.keys import ENTRY_KEYS, TOP_KEYS


@pytest.fixture(scope="module")
def generator():
    sys.path.insert(0, str(GUIDE))
    try:
        from generator import cameras, catalogs, commands, documents, metrics, settings, write  # noqa: PLC0415
        from generator import errors as error_pages  # noqa: PLC0415
    finally:
        sys.path.remove(str(GUIDE))
    modules = (cameras, catalogs, commands, documents, metrics, settings, write)
    return {module.__name__.split(".")[-1]: module for module in modules} | {"errors": error_pages}


@pytest.fixture(scope="module")
def catalog_pages(generator):
    return generator["catalogs"].catalog_pages()


def rows(page):
    """Return the cells of all rows of all tables, without the titles."""
    lines = page.splitlines()
    inside = [
        line
        for line, below in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("| ") and not line.startswith("| ---") and not below.startswith("| ---")
    ]
    return [re.split(r"(?<!\\) \| ?", line.removeprefix("| ").removesuffix(" |")) for line in inside]


def named(page):
    """Return what stands in code letters in the first cells."""
    return {name for row in rows(page) for name in re.findall(r"`([^`]+)`", row[0])}


def test_every_command_has_a_page_with_its_options_and_examples(generator):
    pages = generator["commands"].command_pages()
    found = dict(generator["commands"].walk())
    assert {"obs process", "obs calibs build", "obs camera show"} <= found.keys()
    assert pages.keys() == {"index", *(name.replace(" ", "-") for name in found)}
    for name, command in found.items():
        page = pages[name.replace(" ", "-")]
        for option in command.params:
            if isinstance(option, click.Option):
                assert any(option.opts[0] in text.split(", ")[0].split() for text in named(page)), (name, option.opts)
                assert option.help, (name, option.opts)
        assert re.search(rf"^{name}( |$)", page.split("## Examples")[-1], re.MULTILINE), f"{name} has no example"


def test_every_setting_is_listed_with_its_default_and_lsst_name(generator):
    pages, classes = generator["settings"].settings_pages(), generator["settings"].SETTINGS
    listed = named(pages["obs-process"])
    for name, _ in iterate_fields(classes["obs process"][0]):
        assert name in listed
    for command, (config_class, _) in classes.items():
        # what is listed there is there, or in the sections that another page has
        known = {name for name, _ in iterate_fields(config_class)} | {"primary", "secondary", "c0", "c1", "c2"}
        assert named(pages[command.replace(" ", "-")]) <= known
        assert not [row for row in rows(pages[command.replace(" ", "-")]) if not row[-1].strip()]
    assert (
        "| `isr.do_bias` | `true` | Subtract the bias frame, which removes the fixed pattern of the electronics. "
        "Takes true or false. LSST: `isr.doBias`. |" in (pages["obs-process"])
    )
    for alias in PROCESS_NAMES:
        assert f"`{alias}`" in pages["obs-process"]


def test_policy_keys_and_camera_columns_are_listed(generator):
    pages = generator["cameras"].camera_pages()
    assert named(pages["policy"]) == {*TOP_KEYS, *ENTRY_KEYS}
    assert named(pages["camera-tables"]) == {*DETECTOR_COLUMNS, *AMPLIFIER_COLUMNS, *CAMERA_KEYS}
    assert "| `raw` | A frame as the data acquisition system wrote it. |  | FitsStorage |" in pages["dataset-types"]
    assert "| `air_temperature` | `C` | outside air temperature | `AIRTEMP` |" in pages["translator-names"]
    for name, page in pages.items():
        assert not [row for row in rows(page) if not row[1 if name == "dataset-types" else -1].strip()], name


def test_catalog_columns_are_those_of_a_catalog(catalog_pages):
    page = catalog_pages["catalog-columns"]
    flux = "| `base_PsfFlux_instFlux` | `ct` | flux of the best-fitting PSF |"
    assert flux in page.split("## icSrc")[0]
    assert {"calib_photometry_used", "calib_psf_reserved", "coord_ra", "distance"} <= named(page)
    assert not [row for row in rows(page) if not row[-1].strip()]
    assert named(catalog_pages["mask-planes"]) == set(DEFAULT_PLANES)


def test_every_metric_is_listed_with_its_gate_or_why_it_has_none(generator):
    page, reasons = generator["metrics"].metric_page(), generator["metrics"].WITHOUT_GATE
    gates = load_gates().gates
    metrics = METRICS | DERIVED | MASTER_METRICS
    assert named(page) == {*metrics, *CONTEXT}
    assert set(gates) <= set(metrics)
    assert set(reasons) == {name for name in metrics if name not in gates and not name.endswith("_error")} | {
        name for name in reasons if name.endswith("_error")
    }
    assert "| above 1.3, 1.8 times the usual |" in page
    assert "| below 2, 1, unless it is usual for the camera: the PSF is undersampled" in page
    assert not [row for row in rows(page) if not row[-1].strip()]


def test_every_error_is_listed(generator):
    page = generator["errors"].error_page()
    assert named(page) == {name for name in errors.__all__ if name.endswith("Error")}
    assert "| `DataIdError` | `ValueError` | `data_id`, `key` | For a data ID that cannot be read" in page


def test_links_between_documents_lead_to_pages(generator):
    page = generator["documents"].document_pages()["architecture"]
    assert "[README.md](../index.md)" in page
    assert page.splitlines()[0] == (CHECKOUT / "ARCHITECTURE.md").read_text().splitlines()[0]


def test_pages_are_written_and_stale_ones_removed(generator, tmp_path):
    stale = tmp_path / "commands" / "obs-gone.md"
    stale.parent.mkdir()
    stale.write_text("# obs gone\n")
    page = tmp_path / "commands" / "obs-process.md"
    page.write_text(generator["commands"].command_pages()["obs-process"], encoding="utf-8")
    before = page.stat().st_mtime_ns
    generator["write"].write_pages(tmp_path)
    assert not stale.exists()
    assert page.stat().st_mtime_ns == before
    assert {path.name for path in tmp_path.iterdir()} == set(generator["write"].FOLDERS)
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".png"}
