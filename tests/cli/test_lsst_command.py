"""Command lines of the LSST stack, run by obs."""

import click
import pytest

from obs.cli.lsst_programs import translate_line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("processCcd.py DATA --rerun a:b --id visit=1..3 ccd=2^4 -c isr.doBias=False -j 2",
         "process DATA --rerun a:b --id visit=1..3 ccd=2^4 -c isr.doBias=False -j 2"),
        ("/stack/bin/processCcdSdss.py DATA --output out --configfile x.py --id",
         "process DATA --output out --configfile x.py --id"),
        ("processFile.py a.fits --output out --clobber-config -c gain=2 doVariance=True",
         "process-file a.fits --output out --clobber-config -c gain=2 doVariance=True"),
        ("ingestImages.py DATA a.fits b.fits --mode=link -c clobber=True register.x=1",
         "ingest DATA a.fits b.fits --mode=link -c register.x=1 --clobber"),
        ("ingestImages.py DATA --config clobber=True --mode=copy a.fits", "ingest DATA --mode=copy a.fits --clobber"),
        ("ingestCalibs.py DATA --calib CALIB CALIB/BIAS/*.fits --validity 30",
         "calibs ingest DATA --calib CALIB CALIB/BIAS/*.fits --validity 30"),
        ("constructFlat.py DATA --rerun r --calib C --id filter=g --calibId calibDate=2020 --cores 2 --batch-type x",
         "calibs build flat DATA --calib C --id filter=g --calibId calibDate=2020 -j 2"),
        ("makeSkyMap.py DATA --rerun x -c skyMap.name=rings skyMap[\"rings\"].numRings=120",
         "skymap make DATA rings --rerun x -c numRings=120"),
        ("makeDiscreteSkyMap.py DATA --id visit=1 ccd=0 --rerun x -c skyMap.projection=TAN doAppend=True",
         "skymap make DATA --discrete --id visit=1 ccd=0 --rerun x -c projection=TAN --append"),
        ("coaddDriver.py DATA --rerun x --id tract=0 filter=R --selectId visit=1..3 --cores 4 --job j",
         "coadd DATA --rerun x --id tract=0 filter=R --selectId visit=1..3 -j 4"),
        ("assembleCoadd.py --legacyCoadd DATA --rerun x --id tract=0 patch=0,0 filter=R",
         "coadd DATA --rerun x --id tract=0 patch=0,0 filter=R -c statistic=clipped"),
        ("multiBandDriver.py DATA --rerun x --id tract=0 filter=R^B",
         "coadd-catalog DATA --rerun x --id tract=0 filter=R^B"),
        ("singleFrameDriver.py DATA --rerun r --id --nodes 2 --procs 3 --job x --time 6 --do-exec",
         "process DATA --rerun r --id -j 6"),
    ],
)  # fmt: skip
def test_lines(line, words):
    assert translate_line(line.split()).words == words.split()


def test_what_has_no_effect_is_said():
    notes = translate_line(
        ["constructBias.py", "DATA", "--rerun", "r", "--id", "--batch-type", "smp", "--noExit"]
    ).notes
    assert [note.split(":")[0] for note in notes] == [
        "--batch-type is left out",
        "--noExit is left out",
        "--rerun is left out",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("procesCcd.py DATA", "did you mean 'processCcd'"),
        ("measureCoaddSources.py DATA", "obs coadd-catalog does this with the steps before and after it"),
        ("processCcd.py DATA --cores two", "--cores wants a number, not 'two'"),
    ],
)
def test_lines_that_cannot_be_translated(line, message):
    with pytest.raises(click.UsageError, match=message):
        translate_line(line.split())


def test_the_new_line_is_printed_and_run(obs, repository, pipeline, tmp_path):
    words = ("processCcd.py", repository, "--id", "visit=1", "ccd=0", "--output", tmp_path / "out")
    status, _, err = obs("lsst-command", "--dry-run", *words)
    assert status == 0
    assert f"$ obs process {repository} --id visit=1 ccd=0 --output {tmp_path}/out" in err
    assert pipeline.calls == []
    assert obs("lsst-command", *words)[0] == 0
    assert len(pipeline.calls) == 1
    (tmp_path / "line.txt").write_text("--id visit=2 # a comment\nccd=1")
    line = f"processCcd.py {repository} --output {tmp_path}/out @{tmp_path}/line.txt"
    assert obs("lsst-command", line)[0] == 0
    assert pipeline.calls[-1][0]["visit"] == 2
