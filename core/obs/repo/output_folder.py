"""The folder that results are written to."""

from obs.errors import OutputError
from obs.repo.atomic import check_writable
from obs.repo.description import write_description
from obs.repo.layout import open_repository
from obs.repo.lineage import Lineage

__all__ = ["describe_output"]


def describe_output(lineage: Lineage, camera: str) -> None:
    """Write the description of a new output, or compare it with what another process has just written.

    Parameters
    ----------
    lineage : Lineage
        Has an output.
    camera : str
        Name of its camera.

    Raises
    ------
    OutputError
        If the output cannot be written to, or was made from other inputs.
    """
    output, parents = lineage.output, lineage.parents
    if output is None or not lineage.is_new:
        if output is not None:
            check_writable(output)
        return
    if write_description(output, camera=camera, parents=parents):
        return
    recorded = open_repository(output).parents
    if recorded != tuple(parent.resolve() for parent in parents):
        raise OutputError(
            f"the output {output} has just been made from {', '.join(map(str, recorded))} by another process, not "
            f"from {', '.join(map(str, parents))}; name another output",
            path=output,
        )
