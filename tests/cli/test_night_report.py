"""`obs report` and `obs watch` on folders that cannot be what they need."""


def test_no_page_is_written_into_a_repository_of_the_stack(tmp_path, obs):
    (tmp_path / "_mapper").write_text("lsst.obs.hsc.HscMapper\n")
    status, _, err = obs("report", tmp_path)
    assert status == 1
    assert "is a repository of the LSST stack, into which nothing is written; give the output of obs process" in err
    assert [path.name for path in tmp_path.iterdir()] == ["_mapper"]
    page = tmp_path / "pages" / "night.html"
    page.parent.mkdir()
    assert obs("report", tmp_path, "--output", page)[0] == 0
    assert page.is_file()


def test_a_folder_to_watch_must_exist(tmp_path, obs):
    status, _, err = obs("watch", tmp_path, tmp_path / "nowhere")
    assert status == 1
    assert "nowhere to watch; make it, or correct its name" in err
