"""Raw frames written byte by byte, with whatever cards a test wants."""

import gzip

import numpy as np


def card_line(keyword, value, comment=""):
    if value is None:
        text = ""
    elif isinstance(value, bool):
        text = "TF"[not value]
    else:
        text = f"'{value}'" if isinstance(value, str) else repr(value)
    name = f"HIERARCH {keyword} =" if len(keyword) > 8 else f"{keyword:8}="
    return f"{name} {text:>20}{f' / {comment}' if comment else ''}"


def header_block(lines):
    text = "".join(line.ljust(80)[:80] for line in [*lines, "END"])
    return text.ljust(-(-len(text) // 2880) * 2880).encode("latin-1")


def image_lines(cards, shape, *, extension=False):
    first = card_line("XTENSION", "IMAGE") if extension else "SIMPLE  =                    T"
    axes = [card_line(f"NAXIS{number}", length) for number, length in enumerate(reversed(shape), 1)]
    extra = [card_line("PCOUNT", 0), card_line("GCOUNT", 1)] if extension else []
    lines = [card if isinstance(card, str) else card_line(*card) for card in cards]
    return [first, card_line("BITPIX", 16), card_line("NAXIS", len(shape)), *axes, *extra, *lines]


def data_block(pixels):
    data = np.asarray(pixels).astype(">i2").tobytes()
    return data + bytes(-len(data) % 2880)


def write_frame(path, cards, pixels=None, extensions=()):
    """Write a file: primary cards and pixels, and (cards, pixels) for each extension; gzipped if it ends so."""
    pixels = np.zeros((0,)) if pixels is None else np.asarray(pixels)
    shape = pixels.shape if pixels.size else ()
    content = header_block(image_lines(cards, shape)) + (data_block(pixels) if pixels.size else b"")
    for more, image in extensions:
        content += header_block(image_lines(more, np.shape(image), extension=True)) + data_block(image)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def flat_frame(shape, *, level=5000, bias=1000, noise=5, dark=(), seed=1):
    """Return a frame with light, but for the columns of the slices ``dark``."""
    random = np.random.default_rng(seed)
    image = random.normal(bias, noise, shape)
    light = np.full(shape, float(level))
    for columns in dark:
        light[..., columns] = 0
    return np.round(image + light + random.normal(0, 1, shape) * np.sqrt(light)).astype(int)


COMMON = (
    ("INSTRUME", "toycam"),
    ("EXPNUM", 17),
    ("EXPTIME", 30.0, "[s] exposure time"),
    ("DATE-OBS", "2024-03-01T05:06:07.5"),
    ("FILTER", "r"),
    ("OBJECT", "M 31"),
    ("IMAGETYP", "OBJECT"),
)
"""Cards of a well-behaved camera."""
