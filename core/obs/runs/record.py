"""Record in an output what it is made with: settings, and versions of the software."""

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from obs.frozen import frozen
from obs.repo.butler import Butler
from obs.repo.provenance import record_packages
from obs.repo.rerun_settings import record_config

__all__ = ["RecordOptions", "begin_output", "record"]

logger = logging.getLogger(__name__)


@frozen
class RecordOptions:
    """What to do where an output was made with other settings or other software.

    Attributes
    ----------
    clobber : bool
        Replace settings that differ; else they are an error.
    backup : bool
        Keep replaced settings as ``TASK.yaml~1``.
    versions : bool
        Record and compare the versions of the software.
    new_versions : bool
        Replace versions that differ without a warning.
    """

    clobber: bool = False
    backup: bool = True
    versions: bool = True
    new_versions: bool = False


def record(
    output: Path, task: str, config: Mapping[str, Any], options: RecordOptions, *, free: Collection[str] = ()
) -> None:
    """Record settings and software in an output folder, or compare them with what is recorded.

    Parameters
    ----------
    output : Path
        The folder.
    task : str
        Name of the task.
    config : mapping
        The settings as plain data.
    options : RecordOptions
        What to do where they differ.
    free : collection of str, optional
        Names of settings that may change from run to run.

    Raises
    ------
    OutputError
        If the output was made with other settings, or cannot be written.
    """
    record_config(output, task, config, clobber=options.clobber, backup=options.backup, free=free)
    if not options.versions:
        return
    for difference in record_packages(output):
        if not options.new_versions:
            logger.warning("%s was begun with other software: %s", output, difference)


def begin_output(
    butler: Butler,
    task: str,
    config: BaseModel,
    options: RecordOptions | None = None,
    *,
    free: Collection[str] = (),
) -> None:
    """Make the output of a repository ready to be written to, and record what a run makes it with.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    task : str
        Name of the task, for example "process".
    config : BaseModel
        Settings of the run.
    options : RecordOptions, optional
        What to do with settings other than those recorded. By default they are an error.
    free : collection of str, optional
        Settings that may differ.

    Raises
    ------
    OutputError
        If there is no output, it was made with other settings, or it cannot be written.
    """
    butler.prepare_output()
    record(Path(str(butler.output)), task, config.model_dump(mode="json"), options or RecordOptions(), free=free)
