"""Getting started, part 2: what is in a repository, and how it is selected."""

import pytest
from lines import lines

from obs.repo.butler import Butler

#: What the tutorial selects with ``--id``, and the frames that it means.
SELECTIONS = {
    "0.4": ("", ["902/16", "903334/16", "903334/23", "903336/16"]),
    "0.6": ("visit=903334 ccd=23 filter=HSC-R field=STRIPE82L dateObs=2013-06-17 taiObs=2013-06-17 "
            "pointing=533 expTime=30.0", ["903334/23"]),
    "0.7": ("filter=HSC-I", ["903336/16"]),
    "0.8": ("visit=903334^903336 ccd=16..23:7", ["903334/16", "903334/23", "903336/16"]),
}  # fmt: skip


@lines("0.2")
def test_a_repository_of_the_stack_opens(hsc):
    assert Butler(hsc).instrument.name == "hsc"


@lines("0.3")
def test_a_dry_run_prints_a_line_for_each_data_id(hsc, lsst):
    status, out, _ = lsst("processCcd.py", hsc, "--rerun", "processCcdOutputs", "--id", "--show", "data")
    assert status == 0
    rows = [dict(word.split("=", 1) for word in line.split()) for line in out.splitlines()]
    night = {"field": "STRIPE82L", "dateObs": "2013-06-17", "taiObs": "2013-06-17", "pointing": "533"}
    frames = ((902, 16, "NONE"), (903334, 16, "HSC-R"), (903334, 23, "HSC-R"), (903336, 16, "HSC-I"))
    assert sorted(rows, key=lambda row: (int(row["visit"]), row["ccd"])) == [
        {**night, "visit": str(visit), "ccd": str(ccd), "filter": name}
        | ({"dataType": "BIAS", "expTime": str(0.0)} if visit == 902 else {"dataType": "OBJECT", "expTime": "30.0"})
        for visit, ccd, name in frames
    ]
    assert not (hsc / "rerun").exists()


@lines("0.5")
def test_the_line_of_the_stack(hsc, lsst):
    out = lsst("processCcd.py", hsc, "--rerun", "x", "--id", "visit=903334", "ccd=23", "--show", "data=lsst")[1]
    start = "id dataRef.dataId = "
    assert out.startswith(start)
    printed = dict(item.split(": ") for item in out[len(start) :].strip("{}\n").replace("'", "").split(", "))
    assert printed == {
        "taiObs": "2013-06-17",
        "pointing": "533",
        "visit": "903334",
        "dateObs": "2013-06-17",
        "filter": "HSC-R",
        "field": "STRIPE82L",
        "ccd": "23",
        "expTime": "30.0",
    }


@pytest.mark.parametrize("number", SELECTIONS)
def test_selections(hsc, lsst, number):
    words, expected = SELECTIONS[number]
    out = lsst("processCcd.py", hsc, "--rerun", "x", "--id", *words.split(), "--show", "data")[1]
    rows = [dict(word.split("=", 1) for word in line.split()) for line in out.splitlines()]
    assert sorted(f"{row['visit']}/{row['ccd']}" for row in rows) == sorted(expected)


def test_several_ids_add_up(hsc, lsst):
    words = ("--id", "visit=903334", "ccd=16", "--id", "visit=902")
    assert len(lsst("processCcd.py", hsc, "--rerun", "x", *words, "--show", "data")[1].splitlines()) == 2


@lines("0.10")
def test_rerun_and_output_are_two_names_of_one_thing(hsc, lsst, tmp_path):
    for words in (("--rerun", "a"), ("--output", tmp_path / "out")):
        assert lsst("processCcd.py", hsc, *words, "--id", "--show", "data")[0] == 0
    status, _, err = lsst("processCcd.py", hsc, "--rerun", "a", "--output", "b", "--id", "--show", "data")
    assert status != 0
    assert "--output and --rerun exclude each other" in err
