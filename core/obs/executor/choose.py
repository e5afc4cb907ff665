"""The executor that a user asks for: this machine, Dask, or what a plugin brings."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from obs.errors import ConfigError, PluginError, suggest
from obs.executor.run import Executor, use_executor
from obs.frozen import frozen
from obs.yaml_lines import load_yaml

__all__ = ["GROUP", "ExecutorOptions", "chosen_executor"]

#: Entry-point group in which a plugin names a function from `ExecutorOptions` to a context manager of an executor.
GROUP = "obs.executors"


@frozen
class ExecutorOptions:
    """What a user says of the place where a run happens.

    Attributes
    ----------
    name : str or None
        ``local``, ``dask`` or the name of a plugin's; None follows from the others.
    scheduler : str or None
        Address of a Dask scheduler.
    cluster : str or None
        Batch system to start a Dask cluster on.
    site : Path or None
        YAML file with the settings of the site.
    processes : int
        Number of processes, or of workers.
    """

    name: str | None = None
    scheduler: str | None = None
    cluster: str | None = None
    site: Path | None = None
    processes: int = 1

    def load_site(self) -> dict[str, Any]:
        """Read the settings of the site; none without a file.

        Raises
        ------
        ConfigError
            If the file cannot be read or holds no settings.
        """
        if self.site is None:
            return {}
        data, _ = load_yaml(self.site, error=ConfigError)
        if data is not None and not isinstance(data, dict):
            raise ConfigError("expected 'name: value' lines", path=self.site)
        return data or {}


@contextmanager
def chosen_executor(options: ExecutorOptions) -> Iterator[None]:
    """Let everything inside this context run where the options say.

    Parameters
    ----------
    options : ExecutorOptions
        Options of the user.

    Raises
    ------
    ConfigError
        If the options contradict each other, or name an executor that is not there.
    PluginError
        If what it needs is not installed.
    """
    with _open(options) as executor, use_executor(executor):
        yield


def _open(options: ExecutorOptions) -> AbstractContextManager[Executor | None]:
    asks_for_dask = options.scheduler is not None or options.cluster is not None
    name = options.name or ("dask" if asks_for_dask else "local")
    if asks_for_dask and name != "dask":
        raise ConfigError(f"--scheduler and --cluster are options of --executor dask, not of '{name}'")
    if options.scheduler is not None and options.cluster is not None:
        raise ConfigError("--scheduler names a cluster that runs, --cluster starts one; give one of them")
    if name == "local":
        return nullcontext()
    if name == "dask":
        return _open_dask(options)
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        known = ["local", "dask", *sorted(found)]
        raise ConfigError(f"there is no executor '{name}'{suggest(name, known)}; there are: {', '.join(known)}")
    try:
        opened: AbstractContextManager[Executor | None] = found[name].load()(options)
    except ImportError as error:
        raise PluginError(f"the executor '{name}' cannot be imported: {error}", plugin=name) from error
    return opened


def _open_dask(options: ExecutorOptions) -> AbstractContextManager[Executor | None]:
    try:
        from obs.executor.dask import open_cluster  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise PluginError(
            f"Dask is needed for --executor dask and is not installed ({error}); pip install 'obs-toolkit[dask]'",
            plugin="dask",
        ) from error
    return open_cluster(
        scheduler=options.scheduler, cluster=options.cluster, site=options.load_site(), processes=options.processes
    )
