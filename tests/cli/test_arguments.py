"""Options with several words, and files of arguments."""

import click
import pytest

from obs.cli.arguments import ManyWordsCommand, expand_files
from obs.cli.commands.options import config_options, id_option


@click.command(cls=ManyWordsCommand)
@click.argument("root")
@click.option("--output")
@id_option
@config_options
def example(**parameters):
    return parameters


def parse(*words):
    return example.main(list(words), standalone_mode=False)


def test_words_belong_to_the_option_before_them():
    assert parse("in", "--id", "a=1", "b=2^3", "--output", "o", "--id", "--id=c=1", "d=2") == {
        "root": "in",
        "output": "o",
        "ids": [["a=1", "b=2^3"], [], ["c=1", "d=2"]],
        "overrides": [],
    }


def test_settings_keep_their_order():
    words = ["-c", "a=1", "b=2", "-C", "f.yaml", "g.py", "--config", "c=-1", "-cd=4", "--configfile=h"]
    assert parse("in", *words)["overrides"] == [
        ("c", "a=1"), ("c", "b=2"), ("C", "f.yaml"), ("C", "g.py"), ("c", "c=-1"), ("c", "d=4"), ("C", "h"),
    ]  # fmt: skip


def test_two_dashes_end_the_options():
    assert parse("--id", "a=1", "--", "-c")["root"] == "-c"


def test_a_folder_behind_the_data_ids_is_taken_for_one_of_them():
    with pytest.raises(click.MissingParameter, match="Put it before --id, which takes all words after it"):
        parse("--id", "a=1", "root")


def test_files_may_name_files(tmp_path):
    (tmp_path / "one").write_text(f"--id a=1 # comment\n'b=x y' @{tmp_path}/two\n# all comment\n")
    (tmp_path / "two").write_text("c=3")
    assert list(expand_files(["in", f"@{tmp_path}/one", "d"])) == ["in", "--id", "a=1", "b=x y", "c=3", "d"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("'open", "No closing quotation"), ("@{path}", "names itself"), ("@{path}.none", "No such file")],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "arguments"
    path.write_text(text.format(path=path))
    with pytest.raises(click.UsageError, match=message):
        list(expand_files([f"@{path}"]))
