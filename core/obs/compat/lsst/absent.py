"""Names of the stack that have nothing behind them here, and what to use instead.

The import itself says so, and not an error about a module.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["SaysWhatInstead", "absent_reason", "announce_absent_modules", "refuse"]

_ROOT = "obs.compat.lsst."
_PROCESS = "obs process does all steps; from Python, ProcessCcdTask of obs.compat.lsst.pipe.tasks.processCcd"
_COADD = "obs coadd and obs coadd-catalog do all steps"
_CONFIG = "settings are those of obs process: ProcessCcdTask.ConfigClass, and obs process --show config"
#: What begins with such a name, and what to use.
_MODULES = {
    "afw.display.rgb": "astropy.visualization.make_lupton_rgb of three arrays, or obs display with three coadds",
    "coadd": _COADD,
    "daf.butler": "import lsst.daf.butler of the package lsst-daf-butler, and obs export-gen3",
    "display": "obs display, or afw.display",
    "ip.diffim": "obs difference",
    "ip.isr": f"{_PROCESS}; obs.tasks.isr removes the signature of the instrument",
    "jointcal": "obs calibrate-visits",
    "log.utils": "obs.compat.lsst.log",
    "meas.algorithms": f"{_PROCESS}; obs.algorithms has detection, PSF and background of arrays",
    "meas.astrom": "obs.algorithms.astrometry fits a WCS",
    "meas.base": f"{_PROCESS}; obs.algorithms.measure measures sources of arrays; obs forced measures at positions",
    "meas.deblender": f"{_PROCESS}; obs.algorithms.sources divides blends",
    "meas.extensions": f"{_PROCESS}; Kron fluxes are always measured",
    "meas.modelfit": "there are no model fluxes; Kron and aperture fluxes are measured",
    "obs": "cameras are packages of obs: load_instrument of obs, and obs cameras",
    "pex.config": _CONFIG,
    "pex.logging": "obs.compat.lsst.log",
    "pex.policy": "policies are read by obs.policy.policy.load_policy",
    "pipe.drivers": "obs process -j, obs coadd -j and obs calibs build; obs lsst-command translates a line",
    "pipe.tasks": f"{_PROCESS}; {_COADD}",
    "shapelet": "there are no shapelets",
    "sphgeom": "import lsst.sphgeom of the package lsst-sphgeom",
    "validate": "obs report and obs query",
    "verify": "obs query and obs report",
}
_NAMES = {
    "afw.detection": {
        "setMaskFromFootprintList": "FootprintSet.setMask",
    },
    "afw.math": {
        "Chebyshev1Function2D": "numpy.polynomial.chebyshev, or Background.getApproximate",
        "LinearCombinationKernel": "a FixedKernel of the sum of the images of its parts",
        "PolynomialFunction1D": "numpy.polynomial.Polynomial",
        "PolynomialFunction2D": "numpy.polynomial.polynomial.polyval2d",
        "SpatialCellSet": "obs difference fits a kernel that varies over the image",
        "fitSpatialFunction": "numpy.linalg.lstsq, or Background.getApproximate",
        "leastSquares": "numpy.linalg.lstsq",
        "LeastSquares": "numpy.linalg.lstsq",
        "minimize": "scipy.optimize.least_squares",
    },
    "afw.table": {
        "ExposureCatalog": "coadd.getInfo().getCoaddInputs()",
        "IdFactory": "butler.get('expIdInfo', dataId) and numpy.arange",
    },
    "pipe.base": {
        "CmdLineTask": "a function, and obs process -c characterize.target=package.module:function",
        "Task": "a function, and obs process -c characterize.target=package.module:function",
        "PipelineTask": "a function, and obs process -c characterize.target=package.module:function",
        "ArgumentParser": "argparse, and the Butler",
        "timeMethod": "obs process --profile FILE",
    },
    "skymap": {
        "DiscreteSkyMap": "obs skymap make --discrete, and butler.get('deepCoadd_skyMap')",
        "RingsSkyMap": "obs skymap make DATA rings, and butler.get('deepCoadd_skyMap')",
    },
}


#: Of classes: what old scripts ask, and where the answer is.
_ATTRIBUTES = {
    "Calib": {
        "own": "setFluxMag0 first, as nothing is known yet",
    },
    "Filter": {
        "getId": "getName, as filters have no numbers",
    },
    "PhotoCalib": {
        "getExptime": "exposure.getInfo().getVisitInfo().getExposureTime()",
        "getMidTime": "exposure.getInfo().getVisitInfo().getDate()",
        "setExptime": "exposure.getInfo().getVisitInfo() has the exposure time",
        "setMidTime": "exposure.getInfo().getVisitInfo() has the date",
    },
    "Psf": {
        "resized": "computeKernelImage, and Image.Factory of a part of it",
    },
    "SkyWcs": {
        "getFrameDict": "getTransform, getFitsMetadata and astropy.wcs.WCS of its cards",
    },
    "VisitInfo": {
        "getRotType": "getBoresightRotAngle, which is that of the camera to the sky where the header has it",
        "getUt1": "getDate, and astropy.time",
        "instrumentLabel": "exposure.getMetadata()['INSTRUME']",
        "focusZ": "exposure.getMetadata()",
        "isPersistable": "exposure.writeFits",
    },
}


class _AbsentModules(MetaPathFinder):
    """Comes after all other finders: what these have not found, and the stack has, is refused with the reason."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse a module of the stack that is not here; find nothing else."""
        name = fullname.removeprefix(_ROOT)
        if name == fullname:
            return None
        reason = absent_reason(name)
        if not reason:
            return None
        raise ModuleNotFoundError(reason, name=fullname)


def absent_reason(name: str) -> str:
    """Return what to use instead of a module of the stack; empty if it is not known.

    Parameters
    ----------
    name : str
        Its path below ``lsst.``, such as ``ip.isr``.
    """
    known = [one for one in _MODULES if name == one or name.startswith(f"{one}.")]
    return _reason(name, _MODULES[max(known, key=len)]) if known else ""


def _reason(name: str, instead: str) -> str:
    return f"lsst.{name} has no counterpart here; instead: {instead}"


def announce_absent_modules() -> None:
    """Let imports of the stack's modules that are not here say what to use instead."""
    if not any(isinstance(finder, _AbsentModules) for finder in sys.meta_path):
        sys.meta_path.append(_AbsentModules())


class SaysWhatInstead:
    """Lets a class say of methods of the stack's that it does not have what to use instead."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - never returns
        """Refuse an attribute that is not here, with what to use instead where that is known."""
        kinds = [kind.__name__ for kind in type(self).__mro__]
        instead = next((known[name] for kind in kinds if name in (known := _ATTRIBUTES.get(kind, {}))), "")
        words = f"; instead: {instead}" if instead else ""
        raise AttributeError(f"{kinds[0]!r} object has no attribute {name!r}{words}", name=name, obj=self)


def refuse(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module: it says of names of the stack that are not here what to use instead.

    Parameters
    ----------
    module : str
        The ``__name__`` of the module.
    """

    def missing(name: str) -> Any:  # noqa: ANN401 - never returns
        instead = _NAMES[module.removeprefix(_ROOT)].get(name)
        if instead is not None:
            # an AttributeError would be replaced by Python's own words where a name is imported
            raise ImportError(_reason(f"{module.removeprefix(_ROOT)}.{name}", instead), name=name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return missing
