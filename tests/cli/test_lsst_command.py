"""Command lines of the LSST stack, run by obs."""

import shlex

import click
import pytest

from obs.cli.lsst_lines import _known_options, translate_line
from obs.cli.lsst_programs import PROGRAMS
from obs.repo.butler import Butler
from obs.skymap.types import make_sky_map


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
         "ingest DATA a.fits b.fits --mode=link --clobber"),
        ("ingestImages.py DATA --config clobber=True --mode=copy a.fits", "ingest DATA --mode=copy a.fits --clobber"),
        ("ingestCalibs.py DATA --calib CALIB CALIB/BIAS/*.fits --validity 30",
         "calibs ingest DATA --calib CALIB CALIB/BIAS/*.fits --validity 30"),
        ("constructFlat.py DATA --rerun r --calib C --id filter=g --calibId calibDate=2020 --cores 2 --batch-type x",
         "calibs build flat DATA --calib C --id filter=g --calibId calibDate=2020 -j 2"),
        ("ingestCalibs.py DATA --output DATA/CALIB --calib DATA/CALIB --validity 30 a.fits",
         "calibs ingest DATA --calib DATA/CALIB --validity 30 a.fits"),
        ("multiBandDriver.py DATA --rerun x --refId visit=1 ccd=2 --id tract=0 filter=R",
         "coadd-catalog DATA --rerun x --id tract=0 filter=R"),
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
        ("reduceFrames.py DATA --rerun r --id visit=1 --queue q -c processCcd.isr.doFringe=False",
         "process DATA --rerun r --id visit=1 -c isr.doFringe=False"),
        ("hscProcessCcd.py DATA --rerun r --id visit=1 ccd=50", "process DATA --rerun r --id visit=1 ccd=50"),
        ("hscIngestImages.py DATA a.fits --mode=move --create -c allowError=True register.ignore=True",
         "ingest DATA a.fits --mode=move --create"),
        ("ingestImagesDecam.py DATA --filetype raw a.fits", "ingest DATA a.fits"),
        ("ingestCuratedCalibs.py DATA data/hsc/defects --calib DATA/CALIB",
         "calibs defects DATA data/hsc/defects --calib DATA/CALIB"),
        ("reduceFlat.py DATA --calib=C --rerun=x --id visit=1..5:2 --detrendId calibVersion=flat calibDate=2014-03-28",
         "calibs build flat DATA --calib=C --id visit=1..5:2 --calibId calibDate=2014-03-28"),
        ("mosaic.py DATA --calib C --rerun x --id tract=3 visit=1 ccd=0..8^10..103 --diagnostics --diagDir d",
         "calibrate-visits DATA --rerun x --id visit=1 ccd=0..8^10..103 --tract 3"),
        ("jointcal.py DATA --rerun a:b --id visit=1^2 tract=9813 -j 4",
         "calibrate-visits DATA --rerun a:b --id visit=1^2 --tract 9813"),
        ("forcedPhotCcd.py DATA --rerun x --id tract=0 visit=1 --clobber-config",
         "forced DATA --rerun x --id visit=1 --tract 0"),
        ("imageDifference.py OUT --id filter=u visit=3 --output OUT --longlog",
         "difference OUT --id filter=u visit=3 --output OUT --longlog"),
        ("coaddDriver.py DATA --calib C --rerun x --id tract=0 --reuse-outputs-from all --mpiexec x",
         "coadd DATA --rerun x --id tract=0 --skip-existing"),
        ("assembleCoadd.py DATA --rerun x --id tract=0 --warpCompareCoadd", "coadd DATA --rerun x --id tract=0"),
        ("stack.py DATA --rerun=x --id tract=0 filter=I --selectId visit=1..5 --nodes 2 --procs 6",
         "coadd DATA --rerun=x --id tract=0 filter=I --selectId visit=1..5 -j 12"),
        ("multiBand.py DATA --rerun x --id tract=0", "coadd-catalog DATA --rerun x --id tract=0"),
        ("ingestReferenceCatalog.py DATA s.csv --output o -c dataset_config.ref_dataset_name=gaia ra_name=ra",
         "ingest-refcat DATA gaia s.csv -c ra_name=ra"),
        ("ingestReferenceCatalog.py DATA s.csv", "ingest-refcat DATA cal_ref_cat s.csv"),
        ("ingestDriver.py DATA a.fits --batch-type none --cores 1 --mode link --output DATA -c allowError=True",
         "ingest DATA a.fits --mode link -j 1"),
        ("ingestCalibs.py DATA --calib . --mode=skip --calibType defect --validity 999 a.fits",
         "calibs ingest DATA --calib . --mode=skip --validity 999 a.fits"),
        ("reduceBias.py DATA --rerun all --queue small --detrendId calibVersion=all --nodes=3 --id field=BIAS",
         "calibs build bias DATA --id field=BIAS -j 3"),
        ("assembleCoadd.py --warpCompare DATA --rerun c --selectId filter=r --id tract=0 filter=r patch=0,0^0,1 -j 4",
         "coadd DATA --rerun c --selectId filter=r --id tract=0 filter=r patch=0,0^0,1 -j 4"),
        ("pipetask run -b R/butler.yaml -i H/raw/all,H/calib -o u/me/a -p D.yaml#processCcd -j4 "
         "-d 'visit IN (1,2) AND detector IN (0..9)' --register-dataset-types",
         "process R --rerun a --id visit=1^2 ccd=0..9 -j 4"),
        ("pipetask run -b R -i u/me/a,skymaps -o u/me/b -p D.yaml#isr --skip-existing-in b -c isr:doFlat=False "
         "-d \"instrument='X' and (exposure=3)\"", "process R --rerun a:b --id visit=3 -c do_characterize=False "
         "-c isr.doFlat=False --skip-existing"),
        ("pipetask run -b R -o b -p c/cpFlat.yaml -d \"exposure.observation_type='flat' AND day_obs=20230926\"",
         "calibs build flat R --id dateObs=2023-09-26"),
        ("pipetask run -b R -o c -t lsst.pipe.tasks.assembleCoadd.AssembleCoaddTask -C x:y.py "
         "-d \"tract=0 AND patch IN ('1,0', '2,0') AND visit=5\"",
         "coadd R --rerun c --id tract=0 patch=1,0^2,0 --selectId visit=5 -C y.py"),
        ("pipetask qgraph -b R -o c -p D.yaml#measure -d 'tract=0 and band=r' --show graph",
         "coadd-catalog R --rerun c --id tract=0 filter=r --dry-run"),
        ("pipetask run -b R -p D.yaml#processCcd --show config=isr::doFlat", "process R --id --show config=doFlat"),
        ("pipetask run -b R -p cpBias.yaml --show graph", "calibs build bias R --show data"),
        ("coaddDriver.py D --id tract=0 -c assembleCoadd.doNImage=True makeCoaddTempExp.doApplyUberCal=False kernel=x",
         "coadd D --id tract=0 -c kernel=x -c use_common_calibration=false"),
        ("pipetask --long-log --log-level=DEBUG run -b R -o b -p D.yaml#processCcd -d visit=1 --pdb --no-versions -q g",
         "process R --rerun b --id visit=1 --log-level DEBUG --longlog --doraise --no-versions"),
        ("pipetask run -b R -o b -p D.yaml#jointcal -d visit=1 --profile p -j 8",
         "calibrate-visits R --rerun b --id visit=1"),
        ("pipetask run -b R -o b -p D.yaml#isr -c isr:connections.bias=x -c isr:doBias=False -d visit=1 --profile p",
         "process R --rerun b --id visit=1 -c do_characterize=False -c isr.doBias=False --profile p"),
        ("butler register-instrument R lsst.obs.subaru.HyperSuprimeCam", "init R --camera hsc"),
        ("butler ingest-raws -t direct R a.fits b.fits -j 4", "ingest R a.fits b.fits --mode link -j 4"),
        ("butler convert --gen2root DATA --config-file c.py R", "export-gen3 DATA R"),
        ("butler query-datasets R src --collections u/me --where visit=1", "ls R src --id visit=1"),
        ("butler query-dataset-types R", "ls R"),
    ],
)  # fmt: skip
def test_lines(line, words):
    assert translate_line(shlex.split(line)).words == words.split()


def test_settings_without_a_counterpart_are_left_out_and_said():
    line = "processCcd.py D --id visit=1 -c charImage.measurePsf.starSelector[objectSize].fluxMin=3 isr.doBias=False -c"
    found = translate_line([*line.split(), "calibrate.checkUnitsParseStrict=raise", "-j", "2"])
    assert found.words == ["process", "D", "--id", "visit=1", "-c", "isr.doBias=False", "-j", "2"]
    assert [note.partition(" is left out: ")[2][:18] for note in found.notes] == [
        "stars of the PSF a",
        "units are always c",
    ]


def test_what_has_no_effect_is_said():
    notes = translate_line(
        ["constructBias.py", "DATA", "--rerun", "r", "--id", "--batch-type", "smp", "--noExit"]
    ).notes
    assert [note.split(":")[0] for note in notes] == [
        "--batch-type is left out",
        "--noExit is left out",
        "--rerun is left out",
    ]


def test_previews_never_do_what_they_would_show():
    line = ["constructBias.py", "DATA", "--id", "visit=1", "--dry-run"]
    assert translate_line(line).words == shlex.split("calibs build bias DATA --id visit=1 --show data")
    assert translate_line(["ingestImages.py", "D", "a.fits", "--show", "run"]).words == ["ingest", "D", "a.fits"]
    for text, message in (
        ("ingestImages.py D a.fits --show config", "obs ingest shows no settings; .* --dry-run says what it would do"),
        ("ingestCalibs.py D a.fits --show=data run", "obs calibs ingest shows no settings"),
        ("makeSkyMap.py D --show config", "obs skymap make shows no settings; obs skymap make --help lists"),
        ("makeSkyMap.py D --dry-run", "obs skymap make has no dry run"),
        ("processFile.py a.fits --output o --dry-run", "obs process-file has no dry run"),
    ):
        with pytest.raises(click.UsageError, match=message):
            translate_line(text.split())


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        (
            "D.yaml#step1,step3 -c isr:doFlat=False -c makeWarp:kernel=x",
            [
                "process R --rerun a:b --id visit=1 -c isr.doFlat=False",
                "coadd R --rerun b --id tract=0 --selectId visit=1 -c kernel=x",
                "coadd-catalog R --rerun b --id tract=0",
            ],
        ),
        ("D.yaml#characterizeImage,isr", ["process R --rerun a:b --id visit=1 -c doCalibrate=False"]),
        ("D.yaml#makeWarp,jointcal", ["calibrate-visits R --rerun a:b --id", "coadd R --rerun b --id tract=0"]),
    ],
)
def test_several_steps_of_a_pipeline_are_several_lines(steps, lines, obs):
    query = ["-d", "tract=0 AND visit=1"]
    line = ["pipetask", "run", "-b", "R", "-i", "u/me/a", "-o", "b", "-p", *steps.split(), *query]
    status, _, err = obs("lsst-command", "--dry-run", *line)
    assert status == 0
    printed = [text for text in err.splitlines() if text.startswith("$")]
    assert len(printed) == len(lines)
    assert all(text.startswith(f"$ obs {start}") for text, start in zip(printed, lines, strict=True))


def test_a_step_that_fails_ends_the_line(tmp_path, obs):
    line = f"pipetask run -b {tmp_path}/R -o b -p D.yaml#isr,makeWarp,measure"
    status, _, err = obs("lsst-command", *line.split())
    assert status == 1
    assert err.count("$ obs") == 1
    assert f"not run, because this line failed:\n  obs coadd {tmp_path}/R --rerun b\n  obs coadd-catalog" in err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("procesCcd.py DATA", "did you mean 'processCcd.py'"),
        (
            "measureCoaddSources.py DATA --rerun x --id filter=g -c a=1 -C b.py --clobber-config",
            "a step of obs coadd-catalog, which does all of them at once: obs coadd-catalog DATA --rerun x "
            "--id filter=g --clobber-config",
        ),
        (
            "makeCoaddTempExp.py DATA --selectId visit=1 --id tract=0",
            "once: obs coadd DATA --selectId visit=1 --id tract=0",
        ),
        (
            "imageDifference.py OUT --templateId visit=1 --id visit=2",
            "obs difference subtracts coadds; make one of the",
        ),
        ("jointcal.py DATA --id tract=0^1", "run the line once for each tract"),
        ("skyCorrection.py DATA --id", "continue with the line of coaddDriver.py"),
        ("reportPatches.py DATA --id", "obs skymap show OUT prints the patches"),
        ("reportImages.py DATA --id", "obs coadd OUT --dry-run prints how many exposures"),
        (
            "ingestCuratedCalibs.py DATA data/hsc/qe_curve",
            "obs takes curated defects, and nothing like data/hsc/qe_curve",
        ),
        ("processCcd.py DATA --cores two", "--cores: expected a number, got 'two'"),
        ("runEimage.py DATA", "use the line of processEimage.py"),
        ("butler define-visits R HSC", "butler define-visits: nothing is to be done: obs ingest registers visits"),
        ("butler register-instrument R lsst.obs.x.X", "use obs init REPO --camera NAME; NAME is one of .*hsc"),
        ("butler frobnicate R", "butler frobnicate cannot be translated; register-instrument, ingest-raws"),
        ("pipetask build -p D.yaml", "obs has one command for each step"),
        (
            "pipetask run -b R -p D.yaml",
            "does not know d: name its steps behind '#', as in DRP.yaml#processCcd,makeWarp",
        ),
        ("pipetask run -b R -p D.yaml#isr,makeWarp -c a:b=1", "'a' is none of the steps that are run"),
        ("pipetask run -b R -p D.yaml#isr -g a.qgraph", r"with a graph \(-g\): obs has one command"),
        ("pipetask run -p D.yaml#isr", "name the repository with -b"),
        (
            "pipetask run -b R -p D.yaml#isr -d 'visit=1 OR visit>5'",
            "'OR visit>5' cannot be translated: write data IDs",
        ),
        (
            "pipetask run -b R -p D.yaml#makeWarp -d 'tract=0 AND patch = 5'",
            r"-d: patch 5: R has no sky map .*; name column and row, as in patch='3,1'",
        ),
        (
            "pipetask run -b R -p D.yaml#isr -d 'airmass=1.2'",
            "data IDs do not have the key airmass",
        ),
        ("pipetask run -b R -p D.yaml#isr -d 'band > 3'", "band > 3: values of band have no order; name them"),
        (
            "pipetask run -b R -p D.yaml#isr -d 'visit > 3'",
            "visit > 3: write both ends, as in visit > 10 AND visit < 20",
        ),
        ("pipetask run -b R -p D.yaml#isr -d 'visit > 3 AND visit<4'", "nothing is in the range visit > 3 AND visit<4"),
    ],
)
def test_lines_that_cannot_be_translated(line, message):
    with pytest.raises(click.UsageError, match=message):
        translate_line(shlex.split(line))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("visit > 10 AND 20 > visit and detector>=3 AND detector <=5", "visit=11..19 ccd=3..5"),
        ("(exposure.id >= 1) AND (visit < 3) AND detector=0", "ccd=0 visit=1..2"),
        ("visit > 1", "visit=2^3"),
        ("1 >= detector AND visit=1", "visit=1 ccd=0^1"),
    ],
)
def test_ranges_of_a_query(repository, query, words):
    line = translate_line(["pipetask", "run", "-b", str(repository), "-p", "D.yaml#isr", "-d", query])
    assert line.words[line.words.index("--id") + 1 : line.words.index("-c")] == words.split()


def test_numbers_of_patches_are_those_of_the_sky_map(repository):
    settings = {"ra": [10.0, 20.0], "dec": [0.0, 0.0], "radius": [0.1, 0.3], "pixel_scale": 2.0, "patch_width": 100}
    Butler(repository, rerun="a").put(make_sky_map("discrete", settings | {"patch_height": 100}), "deepCoadd_skyMap")

    def ids(query, outputs="-i u/me/a -o u/me/b"):
        line = f'pipetask run -b {repository} {outputs} -p D.yaml#makeWarp -d "{query}"'
        words = translate_line(shlex.split(line)).words
        return " ".join(words[words.index("--id") + 1 :])

    assert ids("tract=0 AND patch = 5") == "tract=0 patch=1,1"
    assert ids("patch IN (0..4:2, 5) AND tract=0", "-o a") == "patch=0,0^2,0^0,1^1,1 tract=0"
    assert ids("tract=1 AND patch=5 AND visit IN (1, 2)") == "tract=1 patch=5,0 --selectId visit=1^2"
    assert ids("tract IN (0, 1) AND patch='0,1'") == "tract=0^1 patch=0,1"
    for query, message in {
        "patch=5": "each tract numbers its own patches; name it too",
        "tract IN (0..1) AND patch=5": "number their patches differently; write a line for each tract",
        "tract=0 AND patch=99": r"-d: patch 99: patch=3,24: tract 0 has the patches 0,0 to 3,3",
        "tract=7 AND patch=0": "this sky map has the tracts 0 to 1",
        "tract=0 AND patch IN ('1,1', 3)": "'1,1' is not a number, as all others have to be",
    }.items():
        with pytest.raises(click.UsageError, match=message):
            ids(query)


def test_settings_in_files_of_the_stack_are_read(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("config.dataset_config.ref_dataset_name='my'\nconfig.ra_name='ra'\n")
    assert translate_line(["ingestReferenceCatalog.py", "DATA", "s.csv", "--configfile", str(path)]).words == [
        *("ingest-refcat", "DATA", "my", "s.csv", "-c", "ra_name=ra")
    ]
    path.write_text("config.skyMap.projection='TAN'\nconfig.borderSize=0.1\n")
    assert translate_line(["makeDiscreteSkyMap.py", "OUT", "--id", "-C", str(path)]).words == [
        *("skymap", "make", "OUT", "--discrete", "--id", "-c", "projection=TAN", "--border", "0.1")
    ]


def test_every_program_has_a_command():
    for program in PROGRAMS.values():
        assert {"--doraise", "--show-config"} & _known_options(program.words)


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
