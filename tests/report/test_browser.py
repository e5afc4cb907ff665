"""Pages in a headless browser: sorting, filtering, keys, links, phones; no error and no request."""

import json
import shutil

import pytest

from obs.cli.main import main
from obs.cli.night_report import report_output
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.metric_table import MetricTable
from synthetic_night import mosaic, night

EVIL = "<script>window.evil = 1</script><img src=x onerror='window.evil = 2'>"


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as run:
        started = run.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


def write(folder, rows, camera="necam"):
    main(["init", str(folder), "--camera", camera])
    MetricTable(folder).write("detector", rows)
    assert main(["report", str(folder)]) == 0
    return folder / "report.html"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The report of a small telescope, with names that want to be scripts."""
    rows = night(24, change=lambda i: {"clear": 0.4} if i > 17 else {})
    rows[2] |= {"status": "failed", "error": EVIL, "object": EVIL}
    return write(tmp_path_factory.mktemp("small") / "data", rows)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The report of a mosaic of 104 detectors."""
    names = [detector.name for detector in load_instrument("hsc").load_camera() if detector.type == "SCIENCE"]
    rows = mosaic(12, names[:104])
    for row in rows:
        if row["ccd"] == 9:
            row |= {"amp_dead": 1, "details": {"reasons": {}, "dead_amplifiers": ["ch3"]}}
        else:
            row["details"] = {"overscan": [["ch1", 1000.0, 4.5], ["ch2", 1000.0, 4.5 + 4 * (row["ccd"] == 17)]]}
    return write(tmp_path_factory.mktemp("large") / "data", rows, "hsc")


@pytest.fixture
def opened(browser):
    """Open a page; afterwards there must have been no error and no request but for the page itself."""
    problems, pages = [], []

    def open_page(path, width=1280, height=720, address=""):
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on(
            "request",
            lambda request: problems.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
        )
        page.goto(path.as_uri() + address)
        page.wait_for_selector("html[data-drawn=all]", state="attached")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert problems == []


def column(page, number):
    return page.locator(f"#frames tbody tr > :nth-child({number})").all_inner_texts()


def test_a_small_page_works(opened, small):
    page = opened(small)
    assert "24 frames good" in page.inner_text("h1")
    assert page.locator("#frames tbody tr").count() == 24
    page.click("#frames button[data-column=seeing]")
    headers = page.locator("#frames thead th").all_inner_texts()
    place = next(i for i, text in enumerate(headers, 1) if text.startswith("seeing"))
    numbers = [float(text) for text in column(page, place) if text != "\N{EN DASH}"]
    assert numbers == sorted(numbers)
    assert page.get_attribute(f"#frames thead th:nth-child({place})", "aria-sort") == "ascending"
    page.fill("#frames input[type=search]", "transparency < 0.7")
    assert page.locator("#frames tbody tr").count() == 6
    page.fill("#frames input[type=search]", "nothing like this")
    assert "No row fits" in page.inner_text("#frames .grid")
    page.fill("#frames input[type=search]", "")
    page.check("#frames input[type=checkbox]")
    assert page.locator("#frames tbody tr").count() == 7
    assert page.evaluate("window.evil") is None
    assert EVIL in page.inner_text("#problems")


def test_keys_and_addresses_choose_frames(opened, small):
    page = opened(small, address="#visit=20&ccd=1")
    assert page.inner_text("#panel h2").startswith("visit=20 ccd=1")
    assert "cloud" in page.inner_text("#panel")
    page.keyboard.press("k")
    assert page.inner_text("#panel h2").startswith("visit=19 ccd=1")
    assert page.url.endswith("#visit=19&ccd=1")
    page.keyboard.press("b")
    assert page.locator("#panel button[aria-pressed=true]").inner_text() == "bad"
    page.keyboard.press("Escape")
    assert not page.is_visible("#panel")
    page.evaluate("location.hash = '#visit=3&ccd=1'")
    assert "The raw image:" in page.inner_text("#panel figcaption >> nth=0")
    assert " raw --id visit=3" in page.inner_text("#panel code >> nth=0")
    page.keyboard.press("Escape")
    page.click("#needs button.link >> nth=0")
    assert page.is_visible("#panel")


def test_nothing_is_wider_than_a_phone(opened, small, large):
    for path, address in ((small, "#visit=20&ccd=1"), (large, "#visit=5&ccd=9")):
        page = opened(path, 390, 800, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.is_visible("#panel")


def test_every_plot_has_a_quantity_and_a_text(opened, small):
    page = opened(small, address="#visit=20&ccd=1")
    texts = page.eval_on_selector_all("svg.plot", "list => list.map(plot => plot.getAttribute('aria-label'))")
    assert len(texts) >= 5
    assert all(text and "against" in text and ("median" in text or "average" in text) for text in texts)
    assert any(text.startswith("useful time (%)") for text in texts)
    frames = page.evaluate("DATA.frames.level.filter((level) => level === 'bad' || level === 'failed').length")
    assert 0 < page.locator("#timeline svg >> nth=1 >> path.level").count() <= frames  # verdicts also by shape


def test_sliders_recount(opened, small):
    page = opened(small)  # of which one frame failed
    assert "Kept: 23 of 24 frames" in page.inner_text("#gates .result")
    page.eval_on_selector(
        "#limit-transparency", "input => { input.value = 0.8; input.dispatchEvent(new Event('input')); }"
    )
    assert "Kept: 17 of 24 frames" in page.inner_text("#gates .result")
    with page.expect_download() as download:
        page.click("text=Save frames to exclude")
    left = json.loads(download.value.path().read_text())
    assert list(left) == [f"visit={visit} ccd=1" for visit in range(19, 25)]
    assert left["visit=19 ccd=1"]["comment"].startswith("transparency 0.4")


def test_files_that_a_page_saves_are_read_back(opened, tmp_path, capsys):
    path = write(tmp_path / "data", night(24, change=lambda i: {"clear": 0.4} if i > 17 else {}))
    page = opened(path, address="#visit=2&ccd=1")
    page.keyboard.press("b")
    page.fill("#panel input[type=text]", "a meteor")
    page.eval_on_selector(
        "#limit-transparency", "input => { input.value = 0.8; input.dispatchEvent(new Event('input')); }"
    )
    for text, name in (("Save gates", "gates.yaml"), ("Save your verdicts", "verdicts.json")):
        with page.expect_download() as download:
            page.click(f"text={text}")
        download.value.save_as(tmp_path / name)
    words = ["--gates", str(tmp_path / "gates.yaml"), "--verdicts", str(tmp_path / "verdicts.json")]
    assert main(["report", str(path.parent), *words]) == 0
    assert "1 of your 1 verdicts are kept" in capsys.readouterr().out
    assert "your verdict is bad: a meteor (gates: good)" in path.read_text(encoding="utf-8")
    assert main(["query", str(path.parent), "own_verdict = 'bad'", "--columns", "visit,own_comment"]) == 0
    assert "a meteor" in capsys.readouterr().out


def test_a_mosaic_opens_and_draws_only_some_rows(opened, large):
    page = opened(large)
    assert page.evaluate("""() => {
        const grid = STATE.grids.detectors; [grid.base, grid.only, grid.key] = [null, false, 'name']; grid.draw();
        return [document.querySelectorAll('#detectors tbody tr').length, grid.shown.length, WAITING.length];
    }""") == [40, 1248, 1]  # the rest follows when these are seen
    page.wait_for_selector("html[data-drawn=all]", state="attached")
    assert page.locator("#detectors tbody tr").count() == 200
    assert page.locator("#focal polygon.cell").count() == 104
    assert page.locator("#frames tbody tr").count() == 12
    assert "1 bad of 104" in page.inner_text("#frames tbody")
    assert page.locator("#focal option", has_text="detectors: 1 bad of 104").count() == 12
    assert "ch3 dead" in page.inner_text("#needs")
    maps = page.locator("#amplifiers svg.plot")
    assert "Read noise minus the amplifier's median (%) " in maps.nth(0).get_attribute("aria-label").replace(
        " of it", ""
    )
    maps.nth(0).locator("image").click(position={"x": 5, "y": 5})
    assert page.is_visible("#panel")
    page.keyboard.press("Escape")
    page.select_option("#focal select >> nth=0", "depth")
    page.click("#focal polygon.cell >> nth=3")
    assert page.is_visible("#panel")


def test_without_scripts_and_in_print_the_bad_rows_are_there(browser, small):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(small.as_uri())
    assert page.locator(".plain tbody tr").count() == 7
    assert page.is_visible(".plain")
    page.close()
    page = browser.new_page()
    page.goto(small.as_uri())
    assert not page.is_visible(".plain")
    page.emulate_media(media="print")
    assert page.is_visible(".plain")
    page.close()


def test_a_watched_page_takes_new_data_and_keeps_its_place(opened, tmp_path):
    folder, rows = tmp_path / "data", night(12)
    main(["init", str(folder), "--camera", "necam"])
    table, butler = MetricTable(folder), Butler(folder)
    table.write("detector", rows[:8])
    report_output(butler, folder, folder / "report.html", live=True)
    page = opened(folder / "report.html", address="#visit=5&ccd=1")
    page.wait_for_function("() => stamp !== null")
    page.fill("#frames input[type=search]", "visit")
    table.write("detector", rows[8:])
    report_output(butler, folder, folder / "report.html", live=True)
    page.wait_for_function("() => document.querySelectorAll('#frames tbody tr').length === 12")
    assert "12 frames good" in page.inner_text("h1")
    assert page.input_value("#frames input[type=search]") == "visit"
    assert page.inner_text("#panel h2").startswith("visit=5 ccd=1")
