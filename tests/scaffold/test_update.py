"""`obs update`: a package made from an older template, with changes of its owner."""

import hashlib
import json
import shutil

import pytest

from obs.checks.package import check_package
from obs.cli.main import main
from obs.errors import OutputError, PluginError
from obs.resources import project_template
from obs.scaffold import update as update_module
from obs.scaffold.answers import Answers
from obs.scaffold.create import render_template
from obs.scaffold.update import ANSWERS_FILE, apply_update, find_package, plan_update

PACKAGE = "{{cookiecutter.__package}}"


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """The template as it may have been: one version back, some files otherwise, one of another name."""
    old = tmp_path_factory.mktemp("older") / "cookiecutter"
    shutil.copytree(project_template(), old)
    now = plan_version(old)
    edit(old / "cookiecutter.json", f'"_template_version": "{now}"', f'"_template_version": "{now - 1}"')
    edit(old / PACKAGE / ".gitignore", "obs-demo/\n", "")
    edit(old / PACKAGE / "README.md", "What is in the package:", "The files:")
    edit(old / PACKAGE / ".github/workflows/test.yml", '"3.12"', '"3.11"')
    edit(old / PACKAGE / PACKAGE / "config/process.yaml", "MEDIAN", "MEAN")
    (old / PACKAGE / "CHANGES.txt").write_text("none yet\n")
    (old / PACKAGE / "LICENSE").unlink()
    return old


def digest_of(template, version):
    """Return what names the content of a template under a version."""
    total = hashlib.sha256(str(version).encode())
    for path in sorted(path for path in template.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        content = path.read_bytes()
        if path.name == "cookiecutter.json":
            answers = json.loads(content)
            kept = {key: answers[key] for key in answers if key not in ("_template_version", "_template_digest")}
            content = json.dumps(kept).encode()
        total.update(f"{path.relative_to(template).as_posix()} {len(content)}\n".encode() + content)
    return total.hexdigest()[:16]


def test_a_changed_template_has_a_new_version():
    template = project_template()
    stored = json.loads((template / "cookiecutter.json").read_text())["_template_digest"]
    version = plan_version(template)
    assert digest_of(template, version) == stored, (
        f'the template has changed: in cookiecutter.json, set "_template_version": "{version + 1}" and '
        f'"_template_digest": "{digest_of(template, version + 1)}"'
    )


def plan_version(template):
    return int(json.loads((template / "cookiecutter.json").read_text())["_template_version"])


@pytest.fixture
def package(older, tmp_path):
    """A package of the older template."""
    return render_template(Answers(camera="aged", width="64", height="32").as_context(), tmp_path, template=older)


def fresh(tmp_path):
    """Return the files that the template of today gives."""
    (tmp_path / "fresh").mkdir()
    made = render_template(Answers(camera="aged", width="64", height="32").as_context(), tmp_path / "fresh")
    return contents(made)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def kinds(plan):
    return {change.path: change.kind for change in plan.changes}


def test_what_nobody_changed_becomes_what_is_made_today(package, tmp_path, capsys):
    assert main(["update", str(package)]) == 0
    assert contents(package) == fresh(tmp_path)
    told = capsys.readouterr().out
    version = plan_version(project_template())
    assert f"{package}: from template {version - 1} to {version}" in told
    assert "  removed   CHANGES.txt (the template has it no longer)" in told
    assert told.splitlines()[-1] == "1 added, 4 replaced, 1 removed"
    assert main(["update", str(package)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{package}: template {version}", "nothing to do"]


def test_a_dry_run_changes_nothing(package, capsys):
    before = contents(package)
    assert main(["update", str(package / "obs_aged"), "--dry-run"]) == 0
    assert contents(package) == before
    assert "  replaced  .gitignore" in capsys.readouterr().out


def test_what_the_owner_changed_is_merged_or_left_alone(package):
    edit(package / "obs_aged" / "__init__.py", 'band="g"', 'band="green"')  # the template did not change it
    edit(package / "README.md", "# obs_aged", "# The old camera")  # the template changed another line
    (package / "notes.txt").write_text("mine")  # the template knows nothing of it
    (package / "CHANGES.txt").write_text("a lot\n")  # the template has it no longer
    (package / ".gitignore").unlink()  # the template changed it
    (package / "obs_aged" / "py.typed").unlink()  # the template did not
    plan = plan_update(package)
    assert kinds(plan) == {
        ".github/workflows/test.yml": "replaced",
        ".gitignore": "yours",
        "CHANGES.txt": "yours",
        "LICENSE": "added",
        "README.md": "merged",
        "obs_aged/__init__.py": "yours",
        "obs_aged/config/process.yaml": "replaced",
    }
    apply_update(plan)
    readme = (package / "README.md").read_text()
    assert readme.startswith("# The old camera\n")
    assert "What is in the package:" in readme
    assert 'band="green"' in (package / "obs_aged" / "__init__.py").read_text()
    assert (package / "notes.txt").read_text() == "mine"
    assert (package / "CHANGES.txt").read_text() == "a lot\n"
    assert not (package / ".gitignore").exists()
    assert check_package(str(package)) == []
    assert set(kinds(plan_update(package)).values()) == {"yours"}


def test_a_conflict_is_shown_and_left_alone(package, capsys):
    edit(package / ".github/workflows/test.yml", '"3.11"', '"3.13"')
    mine = (package / ".github/workflows/test.yml").read_text()
    for _ in range(2):  # it comes up again until it is settled
        assert main(["update", str(package)]) == 1
        assert (package / ".github/workflows/test.yml").read_text() == mine
        told = capsys.readouterr().out
        assert "  conflict  .github/workflows/test.yml" in told
        assert '-          python-version: "3.11"\n+          python-version: "3.12"\n' in told
        assert told.splitlines()[-1].endswith("1 with conflicts")
    edit(package / ".github/workflows/test.yml", '"3.13"', '"3.12"')
    assert main(["update", str(package)]) == 0


def test_a_conflict_is_written_between_markers_on_request(package, capsys):
    edit(package / ".github/workflows/test.yml", '"3.11"', '"3.13"')
    assert main(["update", str(package), "--conflicts", "markers"]) == 1
    version = plan_version(project_template())
    text = (package / ".github/workflows/test.yml").read_text()
    assert (
        '<<<<<<< yours\n          python-version: "3.13"\n=======\n          python-version: "3.12"\n'
        f">>>>>>> template {version}\n"
    ) in text
    assert "+++" not in capsys.readouterr().out
    assert main(["update", str(package)]) == 0  # to be settled in the file from now on


def test_a_conflict_is_kept_on_request(package):
    edit(package / ".github/workflows/test.yml", '"3.11"', '"3.13"')
    mine = (package / ".github/workflows/test.yml").read_text()
    assert main(["update", str(package), "--conflicts", "keep"]) == 0
    assert (package / ".github/workflows/test.yml").read_text() == mine
    assert plan_update(package).conflicts == []


def test_a_file_in_the_way_of_a_new_one_is_a_conflict(package):
    (package / "LICENSE").write_text("mine\n")
    plan = plan_update(package)
    (conflict,) = plan.conflicts
    assert (conflict.path, conflict.diff.splitlines()[:2]) == ("LICENSE", ["--- a/LICENSE", "+++ b/LICENSE"])
    apply_update(plan)
    assert (package / "LICENSE").read_text() == "mine\n"


@pytest.mark.parametrize("conflicts", ["show", "markers"])
def test_a_file_that_is_no_text_is_left_alone(package, conflicts):
    (package / "README.md").write_bytes(b"\xff\xfe\x00")
    plan = plan_update(package)
    (conflict,) = plan.conflicts
    assert conflict.note.startswith("it cannot be read as text: ")
    apply_update(plan, conflicts=conflicts)
    assert (package / "README.md").read_bytes() == b"\xff\xfe\x00"
    assert [change.path for change in plan_update(package).conflicts] == ["README.md"]


def change_answers(package, **changes):
    path = package / ANSWERS_FILE
    data = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in (data | changes).items() if value is not None}))


def test_without_originals_every_difference_is_a_conflict(package, capsys):
    change_answers(package, originals=None)
    assert main(["update", str(package)]) == 1
    captured = capsys.readouterr()
    assert (
        "does not say what obs new wrote, so that your changes and those of the template cannot be distinguished"
        in (captured.err)
    )
    assert captured.out.splitlines()[-1] == "1 added; 4 with conflicts"


def test_without_originals_of_the_same_version_the_template_tells(tmp_path):
    package = render_template(Answers(camera="aged").as_context(), tmp_path)
    change_answers(package, originals=None)
    edit(package / "README.md", "# obs_aged", "# The old camera")
    plan = plan_update(package)
    assert kinds(plan) == {"README.md": "yours"}
    apply_update(plan)
    assert "# obs_aged" in json.loads((package / ANSWERS_FILE).read_text())["originals"]["README.md"]


def test_questions_of_old_are_told(package, capsys):
    answers = json.loads((package / ANSWERS_FILE).read_text())["answers"]
    change_answers(package, answers=answers | {"telescope": "none"})
    assert main(["update", str(package)]) == 0
    assert "WARNING the template asks no longer for 'telescope'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "the answers file is damaged: Expecting property name"),
        ("[]", "the answers file is damaged: "),
        ('{"answers": {}}', "the answers file has no key 'template_version'; restore it, as it was committed"),
        ('{"template_version": "x", "answers": {}}', "the answers file is damaged: invalid literal for int()"),
        ('{"template_version": "1", "answers": {"camera": "a-b"}}', "the answers are wrong: 'a-b' cannot be the name"),
        ('{"template_version": "1", "answers": {}, "originals": {"a": 1}}', "the answers file is damaged: originals"),
        ('{"template_version": "1", "answers": {}, "originals": {"../a": ""}}', "the answers file is damaged: orig"),
    ],
)
def test_an_answers_file_that_cannot_be_used_is_told(package, capsys, content, message):
    (package / ANSWERS_FILE).write_text(content)
    before = contents(package)
    assert main(["update", str(package)]) == 1
    error = capsys.readouterr().err
    assert f"{package / ANSWERS_FILE}: {message}" in error
    assert len(error.splitlines()) == 1
    assert contents(package) == before


def test_a_newer_template_is_told(package):
    change_answers(package, template_version="99")
    version = plan_version(project_template())
    with pytest.raises(PluginError, match=f"from template 99, this obs-toolkit has {version}; upgrade obs-toolkit$"):
        plan_update(package)


def test_what_was_not_made_by_obs_new(package, tmp_path):
    (package / ANSWERS_FILE).unlink()
    with pytest.raises(PluginError, match=f"has no {ANSWERS_FILE}: it was not made by obs new, and cannot be updated$"):
        find_package(str(package))
    with pytest.raises(PluginError, match=r"if it is not installed with pip install -e, give the folder"):
        find_package("sdss")
    with pytest.raises(PluginError, match="there is no folder nothing_here, and no package obs_nothing_here is"):
        find_package("nothing_here")
    with pytest.raises(PluginError, match=r"there is no folder nothing/here; give the folder that obs new made$"):
        find_package("nothing/here")


def test_an_installed_package_is_found_by_its_name(package, monkeypatch):
    monkeypatch.syspath_prepend(package)
    assert find_package("aged") == package
    monkeypatch.chdir(package.parent)
    (package.parent / "aged").mkdir()  # a folder of data
    assert find_package("aged") == package


def test_a_write_that_fails_leaves_no_half_file(package, monkeypatch):
    before = contents(package)

    def fail(path):
        raise OutputError(f"cannot write {path}: disk full", path=path)

    monkeypatch.setattr(update_module, "atomic_write", fail)
    with pytest.raises(OutputError, match="disk full"):
        apply_update(plan_update(package))
    # what the template has no longer may be gone; it is done again next time
    assert contents(package).items() <= before.items()
    monkeypatch.undo()
    apply_update(plan_update(package))
    assert plan_update(package).changes == ()
