"""Links in a repository that lead out of it: whatever writes refuses, unless obs.yaml lists the link."""

import os
import re
from pathlib import Path

import pytest

from obs.errors import OutputError, RepositoryError
from obs.repo.atomic import atomic_write, check_writable
from obs.repo.description import write_description
from obs.repo.frame_stack import FrameStack
from obs.repo.layout import open_repository
from obs.repo.links_out import find_links_out
from obs.repo.metric_table import MetricTable
from obs.repo.registry import Registry
from obs.repo.warp_store import WarpStore
from obs.runs.run_log import open_run_log


@pytest.fixture
def root(tmp_path):
    """A repository with a link to a folder beside it."""
    write_description(tmp_path / "out", camera="dummy", parents=[])
    (tmp_path / "away").mkdir()
    (tmp_path / "out" / "away").symlink_to("../away")
    return tmp_path / "out"


def write(path):
    with atomic_write(path) as file:
        file.write(b"x")


def write_metrics(path):
    MetricTable(path).write("detector", [{"data_id": "visit=1"}])


def log(path):
    with open_run_log(path, "process", []):
        pass


WRITERS = [
    lambda folder: write(folder / "a" / "b.fits"),
    check_writable,
    write_metrics,
    log,
    lambda folder: Registry(folder / "registry.sqlite3", read_only=False),
    lambda folder: FrameStack(folder, (2, 2)).close(),
    lambda folder: WarpStore(folder).close(),
]


@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_written_through_a_link_that_leads_out(root, writer):
    message = re.escape(f"{root}/away is a link to {root.parent}/away, outside of the repository {root}; if that is ")
    with pytest.raises(OutputError, match=f"cannot write .*: {message}where results go, add the line 'linked: .away.'"):
        writer(root / "away")
    assert not list((root.parent / "away").iterdir())
    with (root / "obs.yaml").open("a") as file:
        file.write("linked: [away/]\n")
    writer(root / "away")
    assert list(find_links_out(root)) == [(root / "away", True)]


def test_a_file_that_is_opened_where_it_is(root):
    """A database that is a link is written at the other end; a file that is replaced is not."""
    for name in ("registry.sqlite3", "metrics.sqlite3", "x.fits"):
        (root / name).symlink_to(f"../away/{name}")
    with pytest.raises(OutputError, match=r"registry.sqlite3 is a link to"):
        Registry(root / "registry.sqlite3", read_only=False)
    with pytest.raises(OutputError, match=r"metrics.sqlite3 is a link to"):
        write_metrics(root)
    write(root / "x.fits")
    assert not (root / "x.fits").is_symlink()
    assert not list((root.parent / "away").iterdir())


def test_links_that_are_right(root, tmp_path):
    """Those within a repository, to a repository, to its reruns, and where there is no repository."""
    (root / "here").symlink_to("there")
    (root / "there").mkdir()
    (root / "rerun").symlink_to(tmp_path / "away")
    (tmp_path / "way").symlink_to(root)
    for place in ("out/here/x", "out/rerun/first/x", "way/x", "way/here/y"):
        write(tmp_path / place)
    (tmp_path / "plain").symlink_to(tmp_path / "away")
    write(tmp_path / "plain" / "x")
    with pytest.raises(OutputError, match=r"away is a link to"):
        write(Path(os.path.relpath(tmp_path / "way" / "away" / ".." / "away" / "x")))
    assert dict(find_links_out(root)) == {root / "away": False, root / "rerun": True}


def test_linked_is_a_list_of_names(root):
    (root / "obs.yaml").write_text("camera: dummy\nlinked: away\n")
    with pytest.raises(RepositoryError, match=r"obs.yaml:2: linked must be a list of links in the repository"):
        open_repository(root)
