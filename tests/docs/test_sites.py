"""The files of the page on many machines."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from pages import GUIDE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", ["slurm", "htcondor"])
def test_site_files_suit_their_cluster(kind, monkeypatch, tmp_path):
    jobqueue = pytest.importorskip("dask_jobqueue")
    monkeypatch.chdir(tmp_path)
    settings = yaml.safe_load((GUIDE / "sites" / f"{kind}.yaml").read_text())
    assert settings.pop("workers") > 0
    name = {"slurm": "SLURMCluster", "htcondor": "HTCondorCluster"}[kind]
    job = getattr(jobqueue, name).job_cls("tcp://127.0.0.1:1", name="x", **settings)
    assert "distributed.cli.dask_worker" in job.job_script()


def has_docker():
    return shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_docker(), reason="no Docker daemon runs here")
def test_the_container_is_built_and_runs():
    build = ["docker", "build", "-q", "-t", "obs-test", "-f", "docs/sites/Dockerfile", "."]
    subprocess.run(build, cwd=ROOT, check=True, timeout=600)
    done = subprocess.run(["docker", "run", "--rm", "obs-test", "cameras"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "necam" in done.stdout
