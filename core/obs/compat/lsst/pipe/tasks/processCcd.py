"""The task that processes one detector image, as the stack's users call it from Python."""

from collections.abc import Mapping, Sequence
from typing import Any

from obs.cli.main import main
from obs.compat.lsst.pipe.base.struct import Struct
from obs.compat.lsst.pipe.tasks.processCcdConfig import ProcessCcdConfig
from obs.errors import ConfigError
from obs.frozen import frozen
from obs.pipeline import process_detector
from obs.process_summary import ProcessSummary
from obs.repo.butler import Butler
from obs.repo.data_ref import DataRef
from obs.runs.process import record_run

__all__ = ["ProcessCcdConfig", "ProcessCcdTask"]


@frozen
class _Datasets:
    """What a run has written, read when it is asked for."""

    reference: DataRef
    names: Mapping[str, str]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any dataset
        if name.startswith("_") or name not in self.names:
            raise AttributeError(f"there is no result {name}; there are {', '.join(self.names)}")
        return self.reference.get(self.names[name])


class ProcessCcdTask:
    """Turns raw detector images into calibrated images and catalogs; see `obs.pipeline.process_detector`.

    Parameters
    ----------
    butler : Butler, optional
        Repository with an output; that of the data reference if absent.
    psfRefObjLoader, astromRefObjLoader, photoRefObjLoader : None
        The stack's ways to reference stars. Those here are in the repository.
    config : ProcessCcdConfig or mapping, optional
        Settings, or their values by dotted name.

    Raises
    ------
    ConfigError
        If a loader is given, or a setting does not exist.

    Examples
    --------
    >>> from obs.compat.lsst.daf.persistence import Butler
    >>> from obs.compat.lsst.pipe.tasks.processCcd import ProcessCcdTask
    >>> butler = Butler("DATA", rerun="first")
    >>> task = ProcessCcdTask(butler, config={"doCalibrate": True})
    >>> result = task.runDataRef(butler.dataRef("raw", visit=21))
    >>> result.exposure.getPsf(), len(result.calibRes.sourceCat)
    """

    ConfigClass = ProcessCcdConfig
    _DefaultName = "processCcd"

    def __init__(
        self,
        butler: Butler | None = None,
        psfRefObjLoader: None = None,
        astromRefObjLoader: None = None,
        photoRefObjLoader: None = None,
        *,
        config: ProcessCcdConfig | Mapping[str, Any] | None = None,
    ) -> None:
        if any(loader is not None for loader in (psfRefObjLoader, astromRefObjLoader, photoRefObjLoader)):
            raise ConfigError(
                "reference stars come from the catalogs of the repository, not from a loader; leave the loaders out, "
                "and name the catalog with config.reference.name"
            )
        self.butler = butler
        self.config = ProcessCcdConfig.of(config)

    def getName(self) -> str:
        """Return the name of the task."""
        return self._DefaultName

    def runDataRef(self, sensorRef: DataRef) -> Struct:
        """Process one detector image, and write what the settings ask for.

        Parameters
        ----------
        sensorRef : DataRef
            Which raw image.

        Returns
        -------
        Struct
            ``exposure`` and ``background``; ``charRes`` and ``calibRes`` have these and ``sourceCat`` of the two stages
            as attributes, which are read when they are asked for; ``summary`` is what was found.

        Raises
        ------
        ObsError
            If it fails; see `obs.pipeline.process_detector`.
        """
        butler = self.butler or sensorRef.butler
        if not isinstance(butler, Butler):
            raise TypeError(f"a Butler is needed, not {type(butler).__name__}; give it to ProcessCcdTask")
        settings = self.config.for_camera(butler.instrument)
        record_run(butler, settings)
        reference = butler.dataRef(butler.complete_raw(sensorRef.data_id))
        summary: ProcessSummary = process_detector(butler, reference.data_id, settings)
        names = {"exposure": "calexp", "background": "calexpBackground", "sourceCat": "src"}
        first = {"background": "icExpBackground", "sourceCat": "icSrc"}
        if settings.characterize.write_exposure:
            first["exposure"] = "icExp"
        calibrated = _Datasets(reference, names if settings.do_calibrate else {})
        characterized = _Datasets(reference, first)
        last = calibrated if settings.do_calibrate else characterized
        return Struct(
            charRes=characterized,
            calibRes=calibrated if settings.do_calibrate else None,
            exposure=getattr(last, "exposure", None),
            background=getattr(last, "background", None),
            summary=summary,
        )

    run = runDataRef

    @classmethod
    def parseAndRun(
        cls,
        args: Sequence[str] | None = None,
        config: ProcessCcdConfig | None = None,
        doReturnResults: bool = False,
    ) -> Struct:
        """Run a line of ``processCcd.py``.

        Parameters
        ----------
        args : sequence of str
            The words behind the program.
        config : ProcessCcdConfig, optional
            Settings that come before those of the line.
        doReturnResults : bool, optional
            Not possible: results are in the repository.

        Returns
        -------
        Struct
            ``exitStatus``, as that of the command.

        Raises
        ------
        ConfigError
            If results are to be returned.
        """
        if doReturnResults:
            raise ConfigError("results are in the repository; read them with its Butler instead of doReturnResults")
        words = list(args or ())
        changes = [] if config is None else config.as_arguments()
        return Struct(exitStatus=main(["lsst-command", "processCcd.py", *words[:1], *changes, *words[1:]]))
