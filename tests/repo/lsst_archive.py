"""Objects as the LSST stack attaches them to files, made from known values."""

import numpy as np
from lsst_files import table

from obs.image.wcs import TanSipWcs

#: A linear pixel map with a quadratic term in x, and what it leads to.
CRPIX, CRVAL = (25.0, 20.0), (150.0, 2.0)
CD = np.array([[-5.0e-5, 1.0e-7], [2.0e-7, 5.0e-5]])
BEND = 4.0e-6


class Objects:
    """Collects attached objects; `part` is what `lsst_files.calexp` takes."""

    def __init__(self):
        self.rows, self.tables, self.count = [], [], 0

    def put(self, name, *tables):
        """Add an object with its tables, each columns for `table`, and return its number."""
        self.count += 1
        for place, columns in enumerate(tables):
            number = len(self.tables) + 1
            cards = {"EXTTYPE": "ARCHIVE_DATA", "AR_CATN": number, "AR_NAME": name}
            flags = {"FLAGCOL": 1, "TFLAG1": "isConstant"} if columns[0][0] == "flags" else {}
            self.tables.append(table(columns, **cards, **flags))
            self.rows.append((self.count, number, place, 0, len(columns[0][2]), name))
        return self.count

    @property
    def part(self):
        return self.rows, self.tables

    # Kinds of objects

    def chebyshev(self, terms, low, high):
        """Add a field; element [j, i] of the terms belongs to order j in y and i in x."""
        terms = np.asarray(terms, float)
        columns = [("order_x", "J", [terms.shape[1] - 1])]
        ends = (("min", low), ("max", high))
        columns += [(f"bbox_{end}_{a}", "J", [v]) for end, place in ends for a, v in zip("xy", place, strict=True)]
        return self.put("ChebyshevBoundedField", [*columns, ("coefficients", f"{terms.size}D", [terms.ravel()])])

    def product(self, *numbers):
        return self.put("ProductBoundedField", [("id", "J", list(numbers))])

    def photo_calib(self, mean, field):
        columns = [("flags", "1X", [[False]]), ("calibrationMean", "D", [mean]), ("calibrationErr", "D", [0.0])]
        return self.put("PhotoCalib", [*columns, ("field", "J", [field]), ("version", "J", [1])])

    def sky_wcs(self, text):
        data = np.frombuffer(f"1 SkyWcs 0 {text}".encode(), np.uint8)
        return self.put("SkyWcs", [("wcs", f"QB({data.size})", [data])])

    def tan_wcs(self, wcs, name="TanWcs"):
        """Add a WCS as it was kept before 2018."""
        columns = [
            (f"{end}_{a}", "D", [v]) for end in ("crval", "crpix") for a, v in zip("xy", getattr(wcs, end), strict=True)
        ]
        columns += [("cd", "4D", [wcs.cd.T.ravel()]), ("ctype1", "72A", ["RA---TAN"]), ("ctype2", "72A", ["DEC--TAN"])]
        columns += [("equinox", "D", [2000.0]), ("radesys", "72A", [wcs.frame])]
        sip = [(key, getattr(wcs, key.lower())) for key in ("A", "B", "Ap", "Bp")]
        more = [] if wcs.a is None else [[(key, f"{m.size}D", [m.T.ravel()]) for key, m in sip]]
        return self.put(name, columns, *more)

    def kernel_psf(self, images, polynomials, function="PolynomialFunction2D", name="PcaPsf", box=None, center=None):
        """Add a PSF of images whose weights are polynomials, in the stack's order of terms."""
        height, width = images[0].shape
        center = center or (width // 2, height // 2)
        frame = [("dimensions_x", "J", [width]), ("dimensions_y", "J", [height])]
        frame += [("center_x", "J", [center[0]]), ("center_y", "J", [center[1]])]
        parts = [self.put("FixedKernel", [*frame, ("image", f"{one.size}D", [one.ravel()])]) for one in images]
        ends = (
            []
            if box is None
            else [(f"{end}_{a}", "D", [v]) for end, place in box for a, v in zip("xy", place, strict=True)]
        )
        weights = [self.put(function, [("coefficients", f"{len(one)}D", [one]), *ends]) for one in polynomials]
        lists = [("components", f"{len(parts)}J", [parts]), ("spatialfunctions", f"{len(parts)}J", [weights])]
        kernel = self.put("LinearCombinationKernel", [*frame, *lists])
        return self.put(name, [("kernel", "J", [kernel]), ("averagePosition_x", "D", [0.0])])

    def gaussian_psf(self, sigma, size=21, outer=None):
        columns = [("dimensions_x", "J", [size]), ("dimensions_y", "J", [size])]
        if outer is None:
            return self.put("SingleGaussianPsf", [*columns, ("sigma", "D", [sigma])])
        columns += [("sigma1", "D", [sigma]), ("sigma2", "D", [outer[0]]), ("b", "D", [outer[1]])]
        return self.put("DoubleGaussianPsf", columns)


def tan_sip():
    """The WCS that `sky_text` describes."""
    a, b = np.zeros((3, 3)), np.zeros((3, 3))
    a[2, 0] = BEND
    return TanSipWcs(CRVAL, CRPIX, CD, a, b, -a, b)


def sky_text(system="ICRS", projection="TAN"):
    """Return the text of an AST FrameSet from pixels to the sky, as the stack writes it."""
    ra, dec = np.deg2rad(CRVAL)
    rotation = [
        [np.sin(dec) * np.cos(ra), -np.sin(ra), np.cos(dec) * np.cos(ra)],
        [np.sin(dec) * np.sin(ra), np.cos(ra), np.cos(dec) * np.sin(ra)],
        [-np.cos(dec), 0.0, np.sin(dec)],
    ]
    constant = CD @ (np.array([BEND * CRPIX[0] ** 2, 0.0]) - CRPIX)
    linear = CD.copy()
    linear[:, 0] -= CD[:, 0] * 2.0 * BEND * CRPIX[0]
    terms = [((0, 0), constant), ((1, 0), linear[:, 0]), ((0, 1), linear[:, 1]), ((2, 0), CD[:, 0] * BEND)]
    lines = ["MPF1 = 2", "MPF2 = 2", f"NCF1 = {len(terms)}", f"NCF2 = {len(terms)}"]
    place = 0
    for axis in (0, 1):
        for powers, values in terms:
            place += 1
            lines.append(f"CF{place} = {values[axis]!r}".replace("np.float64(", "").replace(")", ""))
            lines += [f"PF{2 * place - 1 + i} = {power}" for i, power in enumerate(powers) if power]
    matrix = [f"M{i} = {float(value)!r}" for i, value in enumerate(np.ravel(rotation))]
    plane = _compound(
        _map("ZoomMap", ["Zoom = 57.295779513082323"]), _map("WcsMap", [f'Type = "{projection}"']), first=1, second=1
    )
    sphere = _map("SphMap", ["UntRd = 1"], "Nin = 3", "Nout = 2")
    turn = _compound(_map("MatrixMap", [*matrix, 'Form = "Full"'], "Nin = 3"), sphere, sizes=("Nin = 3", "Nout = 2"))
    to_sky = _compound(plane, _compound(sphere, turn, first=1))
    frames = [_frame("PIXELS"), _frame("IWC"), _map("SkyFrame", [f'System = "{system}"', "Eqnox = 2000"])]
    body = ["Nframe = 3", "#   Base = 1", "Currnt = 3", "Lnk2 = 1", "Lnk3 = 2"]
    body += [f"Frm{i} =\n{frame}" for i, frame in enumerate(frames, start=1)]
    body += [f"Map2 =\n{_map('PolyMap', lines)}", f"Map3 =\n{to_sky}"]
    return "Begin FrameSet\nIsA Frame\n" + "\n".join(body) + "\nEnd FrameSet\n"


def _map(kind, lines, *sizes):
    return "\n".join([f"Begin {kind}", *(sizes or ("Nin = 2",)), "IsA Mapping", *lines, f"End {kind}"])


def _frame(domain):
    axis = "Begin Axis\nEnd Axis"
    return f'Begin Frame\nNaxes = 2\nDomain = "{domain}"\nAx1 =\n{axis}\nAx2 =\n{axis}\nEnd Frame'


def _compound(one, other, *, first=0, second=0, sizes=()):
    lines = [f"InvA = {first}", f"InvB = {second}", f"MapA =\n{one}", f"MapB =\n{other}"]
    return _map("CmpMap", lines, *sizes)
