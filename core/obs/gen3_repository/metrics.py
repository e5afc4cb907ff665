"""Quality metrics of an output, as tables of a third-generation repository and back."""

import json
from typing import Any

import pyarrow
from lsst.daf.butler import Butler as Gen3Butler
from lsst.daf.butler import DatasetRef

from obs.gen3_repository.places import METRICS
from obs.gen3_repository.target import Target
from obs.repo.metric_table import KINDS, MetricTable

__all__ = ["export_metrics", "take_metrics"]

_DETAILS = "details"
#: Storage class of tables that know what is not there.
_TABLE = "ArrowTable"


def export_metrics(metrics: MetricTable, target: Target, run: str) -> None:
    """Write the metrics of an output, those of an earlier export replaced where they have changed.

    Parameters
    ----------
    metrics : MetricTable
        The metrics.
    target : Target
        The other repository.
    run : str
        The collection of the output's results there.
    """
    for kind in KINDS:
        rows = metrics.read(kind)
        if not rows:
            continue
        table = _table(rows, metrics.columns(kind))
        there = target.dataset_type(f"{METRICS}{kind}", (), _TABLE)
        target.there.registry.registerRun(run)
        known = target.there.find_dataset(there, collections=run)
        if known is not None:
            if target.there.get(known).to_pylist() == table.to_pylist():
                continue
            target.there.pruneDatasets([known], disassociate=True, unstore=True, purge=True)
        ref = target.new(there, run)
        if ref is not None:
            target.put(table, ref)


def take_metrics(there: Gen3Butler, ref: DatasetRef, metrics: MetricTable) -> None:
    """Write metrics of a third-generation repository into an output.

    Parameters
    ----------
    there : Gen3Butler
        The other repository.
    ref : DatasetRef
        The table.
    metrics : MetricTable
        The metrics of the output.
    """
    kind = ref.datasetType.name.removeprefix(METRICS)
    metrics.write(kind, there.get(ref, storageClass=_TABLE).to_pylist())


def _table(rows: list[dict[str, Any]], types: dict[str, type]) -> pyarrow.Table:
    """Return rows as a table, in which what is not known is null."""
    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    texts = [row | {_DETAILS: json.dumps(row[_DETAILS])} if _DETAILS in row else row for row in rows]
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in types.items()])
    return pyarrow.Table.from_pylist(texts, schema=schema)
