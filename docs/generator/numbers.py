"""Tables of measured numbers for the pages on how steps work, quoted from the benchmarks."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NUMBERS", "Quote", "number_fragments"]

_BENCHMARKS = Path(__file__).parents[2] / "benchmarks" / "README.md"


@dataclass(frozen=True)
class Quote:
    """Rows of a table: the section that it is in, and the beginnings of its header and of the rows to quote.

    Without beginnings of rows the whole table is quoted.
    """

    section: str
    header: str
    rows: tuple[str, ...] = ()


_SDSS = "Accuracy on the same frames"
_HSC = "One HSC detector, from the raw frame, against known truth"
_CONDITIONS = "Single images under many conditions"

#: Section, and beginning of the header: how to read a table of it, where its headings do not say.
_NOTES = {
    (_HSC, "quantity"): "`bar` is the value that was aimed at; `3`, `4` and `5` are three simulated fields.",
    (_HSC, "step, processor time"): "Processor time on a detector of 2048 x 4176 pixels, beside that of a library.",
    (_SDSS, "score"): "Compared with the catalog of the LSST stack. `bar` is the value that was aimed at.",
    (_CONDITIONS, "condition"): "In each cell `obs` stands first, SExtractor with PSFEx second.",
}

#: Page on a step: what it quotes.
NUMBERS: dict[str, tuple[Quote, ...]] = {
    "isr": (Quote(_HSC, "quantity", ("ISR: ",)),),
    "background": (
        Quote(
            _CONDITIONS, "condition", ("`nebula`", "`big-galaxy`", "`moonlight`", "`vignetting`", "`amplifier-steps`")
        ),
        Quote(_HSC, "step, processor time", ("background",)),
    ),
    "cosmic_rays": (
        Quote(_HSC, "quantity", ("cosmic-ray pixels", "star pixels")),
        Quote(_HSC, "step, processor time", ("cosmic rays",)),
    ),
    "psf": (
        Quote(_HSC, "quantity", ("PSF model",)),
        Quote(_CONDITIONS, "condition", ("`fwhm1.2`", "`fwhm3.5`", "`fwhm15`", "`coma`", "`varying`", "`stars3`")),
    ),
    "detection": (
        Quote(_HSC, "quantity", ("completeness", "false detections")),
        Quote(_SDSS, "score", ("completeness", "purity")),
    ),
    "measurement": (
        Quote(_HSC, "quantity", ("PSF flux", "the same, mean", "aperture flux")),
        Quote(_SDSS, "score", ("PSF flux", "aperture", "centroid", "shape", "star-galaxy")),
    ),
    "aperture_correction": (Quote("Two exposures of one field", "flux"),),
    "astrometry": (
        Quote(_HSC, "quantity", ("astrometry",)),
        Quote(_SDSS, "score", ("sky position",)),
        Quote("Frames whose WCS is wrong", "fields"),
    ),
    "photometry": (Quote(_HSC, "quantity", ("zero point",)),),
    "calibration_frames": (Quote("Calibration frames from good and bad frames", "case"),),
    "relative_calibration": (
        Quote("All visits calibrated together", ""),
        Quote("All visits calibrated together", "signal-to-noise ratio"),
    ),
    "coadds": (Quote("Coadds", ""),),
}


def number_fragments() -> dict[str, str]:
    """Return the fragments by file name; pages include them.

    Raises
    ------
    LookupError
        If the benchmarks do not have a quoted section, table or row.
    """
    sections = re.split(r"^## ", _BENCHMARKS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = {text.partition("\n")[0].strip(): text for text in sections}
    return {stem: "\n".join(_quote(texts, quote) for quote in quotes) for stem, quotes in NUMBERS.items()}


def _quote(sections: dict[str, str], quote: Quote) -> str:
    """Return the rows below a sentence that says where they are from."""
    if quote.section not in sections:
        raise LookupError(f"the benchmarks have no section '{quote.section}'")
    anchor = re.sub(r"[^\w\- ]", "", quote.section.lower()).replace(" ", "-")
    header, rule, *rows = _table(sections[quote.section], quote)
    missing = [begin for begin in quote.rows if not any(row.startswith(f"| {begin}") for row in rows)]
    if missing:
        raise LookupError(f"the table of the benchmarks' section '{quote.section}' has no row '{missing[0]}'")
    if quote.rows:
        rows = [row for row in rows if row.startswith(tuple(f"| {begin}" for begin in quote.rows))]
    note = _NOTES.get((quote.section, quote.header), "")
    source = f"From [{quote.section}](../documents/accuracy.md#{anchor}). {note}".rstrip()
    return "\n".join([source, "", header, rule, *rows, ""])


def _table(section: str, quote: Quote) -> list[str]:
    """Return the lines of the table whose header begins as the quote says."""
    for block in re.findall(r"(?:^\|.*\n?)+", section, re.MULTILINE):
        lines: list[str] = block.splitlines()
        if lines[0].startswith(f"| {quote.header} |" if quote.header else "| |"):
            return lines
    raise LookupError(f"the benchmarks' section '{quote.section}' has no table that begins with '{quote.header}'")
