"""What is a repository, who its parents are, and which output may be written."""

import os

import pytest
import yaml

from obs.errors import OutputError, RepositoryError
from obs.repo.description import write_description
from obs.repo.layout import open_repository, repositories_with_parents
from obs.repo.lineage import trace


def make(folder, parents=(), camera="dummy"):
    write_description(folder, camera=camera, parents=parents)
    return folder


def test_own_repositories(tmp_path):
    top = make(tmp_path / "data")
    out = make(tmp_path / "out", [top])
    assert yaml.safe_load((out / "obs.yaml").read_text()) == {"layout": 1, "camera": "dummy", "parents": ["../data"]}
    repository = open_repository(out)
    assert (repository.is_own, repository.camera, repository.parents) == (True, "dummy", (top,))


def test_repositories_that_moved_together_still_find_each_other(tmp_path):
    make(tmp_path / "here" / "data")
    make(tmp_path / "here" / "out", [tmp_path / "here" / "data"])
    (tmp_path / "here").rename(tmp_path / "there")
    assert [r.root.parent.name for r in repositories_with_parents([tmp_path / "there" / "out"])] == ["there", "there"]


def test_parents_are_visited_depth_first_and_once(tmp_path):
    a = make(tmp_path / "a")
    b, c = make(tmp_path / "b", [a]), make(tmp_path / "c", [a])
    d = make(tmp_path / "d", [b, c])
    assert [repository.root.name for repository in repositories_with_parents([d])] == ["d", "b", "a", "c"]


def test_a_circle_of_parents_ends(tmp_path):
    make(tmp_path / "a", [tmp_path / "b"])
    make(tmp_path / "b", [tmp_path / "a"])
    assert len(repositories_with_parents([tmp_path / "a"])) == 2


def test_too_many_parents_in_a_row(tmp_path):
    for number in range(1002):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "obs.yaml").write_text(f"layout: 1\ncamera: toy\nparents: [../{number + 1}]\n")
    with pytest.raises(
        RepositoryError, match="1000 is one of more than 1000 parents of a repository; correct 'parents'"
    ):
        repositories_with_parents([tmp_path / "0"])


def test_a_parent_that_is_gone(tmp_path):
    out = make(tmp_path / "out", [tmp_path / "gone"])
    with pytest.raises(RepositoryError, match=rf"parent of {out}: the folder .*gone does not exist"):
        repositories_with_parents([out])


def test_an_lsst_repository_with_mapper(tmp_path):
    (tmp_path / "_mapper").write_text("lsst.obs.necam.NecamMapper\n")
    repository = open_repository(tmp_path)
    assert (repository.is_own, repository.mapper, repository.parents) == (False, "lsst.obs.necam.NecamMapper", ())


def test_an_lsst_repository_with_a_parent_link(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "_mapper").write_text("a.B")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "_parent").symlink_to("../in")
    assert [repository.mapper for repository in repositories_with_parents([tmp_path / "out"])] == [None, "a.B"]


@pytest.mark.parametrize(
    "mapper",
    ["lsst.obs.subaru.HscMapper", "!!python/name:lsst.obs.subaru.HscMapper ''", "&id001 lsst.obs.subaru.HscMapper"],
)
def test_an_lsst_repository_with_a_configuration(tmp_path, mapper):
    out = tmp_path / "rerun" / "out"
    out.mkdir(parents=True)
    (out / "repositoryCfg.yaml").write_text(
        f"!RepositoryCfg_v1\n_mapper: {mapper}\n_mapperArgs: {{calibRoot: CALIB}}\n_parents:\n- ../..\n"
        "- !RepositoryCfg_v1\n  _root: file:///other\n_policy: {exposures: {raw: {template: x}}}\n"
        "_root: null\ndirty: true\n"
    )
    repository = open_repository(out)
    assert repository.mapper == "lsst.obs.subaru.HscMapper"
    assert repository.parents == (tmp_path, open_repository(out).parents[1])
    assert str(repository.parents[1]) == "/other"
    assert repository.policy == {"exposures": {"raw": {"template": "x"}}}
    assert repository.calib_root == "CALIB"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "repositoryCfg.yaml",
            "!!python/object/apply:os.system ['touch x']\n",
            r"repositoryCfg\.yaml:1: cannot read this desc",
        ),
        (
            "repositoryCfg.yaml",
            "!RepositoryCfg_v1\n_parents: [\n",
            r"repositoryCfg\.yaml:3: cannot read this description: ",
        ),
        ("repositoryCfg.yaml", "!RepositoryCfg_v1 text\n", r"repositoryCfg\.yaml:1: .*: a description is a mapping"),
        ("repositoryCfg.yaml", "text\n", r"repositoryCfg\.yaml: this is not a !RepositoryCfg_v1 description"),
        ("_mapper", "\n", "cannot be opened: its _mapper is empty"),
        ("obs.yaml", "[]\n", r"obs\.yaml: expected a mapping with the keys layout, camera and parents"),
        ("obs.yaml", "camera: a\nparent: []\n", r"obs\.yaml:2: unknown key 'parent'; did you mean 'parents'\?"),
        ("obs.yaml", "layout: 2\ncamera: a\n", r"obs\.yaml:1: layout 2 is not known here .* a newer version of obs"),
        ("obs.yaml", "layout: 1\n", r"obs\.yaml:1: camera must be the name of a camera"),
        ("obs.yaml", "camera: a\nparents: b\n", r"obs\.yaml:2: parents must be a list of folders"),
        ("obs.yaml", "camera: a\ncamera: b\n", r"obs\.yaml:2: invalid YAML: the key 'camera' is already on line 1"),
    ],
)
def test_descriptions_that_cannot_be_read(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(RepositoryError, match=message):
        open_repository(tmp_path)
    assert os.listdir(tmp_path) == [name]


def test_a_parent_link_that_leads_nowhere(tmp_path):
    (tmp_path / "_parent").symlink_to("nowhere")
    with pytest.raises(RepositoryError, match=r"its _parent link leads nowhere \(nowhere\)"):
        open_repository(tmp_path)


def test_folders_that_are_no_repository(tmp_path):
    with pytest.raises(
        RepositoryError, match=r"is not a data repository: it holds no obs\.yaml, _mapper, .*; name the top folder"
    ):
        open_repository(tmp_path)
    make(tmp_path / "data")
    (tmp_path / "data" / "raw").mkdir()
    with pytest.raises(RepositoryError, match=rf"raw is not a data repository: .*; did you mean {tmp_path}/data\?"):
        open_repository(tmp_path / "data" / "raw")
    with pytest.raises(RepositoryError, match=r"the folder .*none does not exist; name the top folder"):
        open_repository(tmp_path / "none")
    with pytest.raises(RepositoryError, match=r"the folder .*obs\.yaml is a file"):
        open_repository(tmp_path / "data" / "obs.yaml")


def test_output(tmp_path):
    top = make(tmp_path / "data")
    lineage = trace(top, output=tmp_path / "out")
    assert (lineage.output, lineage.parents, lineage.is_new) == (tmp_path / "out", (top,), True)
    assert not (tmp_path / "out").exists()
    make(tmp_path / "out", [top])
    assert not trace(top, output=tmp_path / "out").is_new


def test_rerun(tmp_path):
    top = make(tmp_path / "data")
    first = trace(top, rerun="one")
    assert (first.output, first.parents) == (top / "rerun" / "one", (top,))
    make(top / "rerun" / "one", [top])
    second = trace(top, rerun="one:two")
    assert second.parents == (top / "rerun" / "one",)
    assert [repository.root.name for repository in second.inputs] == ["one", "data"]
    make(top / "rerun" / "two", second.parents)
    again = trace(top, rerun="two")
    assert again.parents == (top / "rerun" / "one",)
    assert trace(top, rerun=str(tmp_path / "else")).output == tmp_path / "else"


@pytest.mark.parametrize("rerun", ["a:b:c", ":b", "a:", ""])
def test_reruns_that_cannot_be(tmp_path, rerun):
    with pytest.raises(OutputError, match=f"--rerun takes OUT or IN:OUT, got '{rerun}'"):
        trace(make(tmp_path / "data"), rerun=rerun)


def test_outputs_that_may_not_be_written(tmp_path):
    top = make(tmp_path / "data")
    other = make(tmp_path / "other")
    out = make(tmp_path / "out", [top])
    with pytest.raises(OutputError, match="--output and --rerun name the output both; give one of them"):
        trace(top, output=out, rerun="x")
    with pytest.raises(OutputError, match="data is the input itself, which is only read"):
        trace(top, output=tmp_path / "x" / ".." / "data")
    with pytest.raises(OutputError, match=rf"out was made from {top}, not from {other}; name the same input"):
        trace(other, output=out)
    with pytest.raises(OutputError, match=r"data was made from nothing, not from .*out"):
        trace(out, output=top)
    make(other / "rerun" / "a", [top])
    with pytest.raises(OutputError, match=rf"rerun/a was made from {top}, not from {other}"):
        trace(other, rerun="a")
    (tmp_path / "lsst").mkdir()
    (tmp_path / "lsst" / "_mapper").write_text("a.B")
    with pytest.raises(OutputError, match="lsst is a repository of another program, which is only read"):
        trace(top, output=tmp_path / "lsst")
    with pytest.raises(OutputError, match=r"obs\.yaml is a file; name a folder"):
        trace(top, output=top / "obs.yaml")
    with pytest.raises(RepositoryError, match="rerun/none does not exist"):
        trace(top, rerun="none:b")


def test_a_description_with_objects_of_python(tmp_path):
    """Parents as descriptions, a policy as an object, and keys with points, as the stack writes them."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "_mapper").write_text("lsst.obs.hsc.HscMapper\n")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "repositoryCfg.yaml").write_text(f"""\
!RepositoryCfg_v1
_mapper: &id001 !!python/name:lsst.obs.hsc.hscMapper.HscMapper ''
_mapperArgs: {{calibRoot: CALIB}}
_parents:
- !RepositoryCfg_v1
  {{_mapper: *id001, _mapperArgs: {{}}, _parents: [], _policy: null, _root: {tmp_path}/b, dirty: true}}
_policy: !!python/object:lsst.daf.persistence.policy.Policy
  data: {{exposures.calexp.template: here.fits, exposures: {{raw: {{level: Ccd}}}}, datasets: {{src: {{level: None}}}}}}
_root: null
dirty: true
""")
    repository = open_repository(tmp_path / "c")
    assert repository.parents == (tmp_path / "b",)
    assert repository.mapper == "lsst.obs.hsc.hscMapper.HscMapper"
    assert repository.calib_root == "CALIB"
    assert repository.policy == {
        "exposures": {"calexp": {"template": "here.fits"}, "raw": {"level": "Ccd"}},
        "datasets": {"src": {"level": "None"}},
    }


@pytest.mark.parametrize("uri", ["file://{}", "file:{}"])
def test_repositories_by_uri(tmp_path, uri):
    root = tmp_path / "with blank"
    root.mkdir()
    (root / "_mapper").write_text("lsst.obs.hsc.HscMapper\n")
    assert open_repository(uri.format(str(root).replace(" ", "%20"))).root == root
    with pytest.raises(RepositoryError, match="s3://x/y: repositories are folders here; copy it to a disk"):
        open_repository("s3://x/y")
