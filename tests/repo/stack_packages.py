"""Packages of cameras of the LSST stack as folders, and repositories of them, laid out as the real ones."""

import sqlite3
from pathlib import Path

from astropy.io import fits

from obs.camera.fits_table import write_amplifiers

_CALIBRATION = """\
  {name}:
    template: '{template}'
    python: lsst.afw.image.{python}
    storage: FitsStorage
    tables: {name}
    columns: {columns}
    reference: raw_visit
    refCols: [visit, filter]
    {more}
    validRange: true
"""
_EXPOSURE = "  {name}:\n    template: '{template}'\n    python: lsst.afw.image.{python}\n    storage: FitsStorage\n"
#: One detector that no key names, calibrations compressed and by a column of their own for the day.
CTIO = (
    "needCalibRegistry: true\nlevels: {tract: patch}\ndefaultLevel: visit\nexposures:\n"
    + _EXPOSURE.format(name="raw", template="raw/raw-%(visit)06d.fits", python="DecoratedImageU")
    + _EXPOSURE.format(name="calexp", template="calexp/calexp_v%(visit)d_f%(filter)s.fits", python="ExposureF")
    + "calibrations:\n"
    + _CALIBRATION.format(
        name="bias",
        template="bias/%(calibDate)s/bias-%(calibDate)s.fits.gz",
        python="DecoratedImageF",
        columns="date",
        more="obsTimeName: date",
    )
    + _CALIBRATION.format(
        name="flat",
        template="flat/%(filter)s/%(calibDate)s/flat_%(filter)s_%(calibDate)s.fits.gz",
        python="DecoratedImageF",
        columns="[filter, date]",
        more="obsTimeName: date\n    filter: true",
    )
    + "datasets:\n  src: {template: 'src/v%(visit)d_f%(filter)s.fits'}\n"
    "  calexpBackground: {template: 'calexp/v%(visit)d/bkgd.fits'}\n"
    "  processCcd_metadata: {template: 'processCcd_metadata/v%(visit)d_f%(filter)s.yaml'}\n"
)
CTIO_CAMERA = """\
name: ctio0m9
plateScale: 16.0
radialCoeffs: [0.0, 1.0, 0.0, 1.0]
AMP: &AMP
  hdu: 1
  flipXY: [false, false]
  perAmpData: false
  rawBBox: [[0, 0], [{raw_width}, {height}]]
  rawDataBBox: [[10, 0], [{width}, {height}]]
  rawSerialPrescanBBox: [[0, 0], [10, {height}]]
  rawSerialOverscanBBox: [[{over}, 0], [20, {height}]]
  rawParallelPrescanBBox: [[0, 0], [0, 0]]
  rawParallelOverscanBBox: [[0, 0], [0, 0]]
  saturation: 65535
  linearityType: PROPORTIONAL
  linearityThreshold: 0
  linearityMax: 65535
  linearityCoeffs: [0, 65535]
CCDs:
  SITE2K:
    detectorType: 0
    id: 0
    serial: Tek2K_3
    refpos: [{middle}, {middle}]
    offset: [0, 0]
    bbox: [[0, 0], [{last_x}, {last_y}]]
    pixelSize: [0.024, 0.024]
    transformDict: {{nativeSys: Pixels, transforms: null}}
    transposeDetector: false
    pitch: 0.0
    yaw: 0.0
    roll: 0.0
    amplifiers:
      "11": &A11 {{<<: *AMP, ixy: [0, 0], readCorner: LL, gain: 2.0, readNoise: 10.0}}
      "12": {{<<: *A11, ixy: [0, 1], readCorner: UL}}
      "21": &A21
        <<: *AMP
        ixy: [1, 0]
        readCorner: LR
        rawDataBBox: [[20, 0], [{width}, {height}]]
        rawSerialPrescanBBox: [[{over}, 0], [10, {height}]]
        rawSerialOverscanBBox: [[0, 0], [20, {height}]]
        gain: 2.0
        readNoise: 10.0
      "22": {{<<: *A21, ixy: [1, 1], readCorner: UR}}
"""
CTIO_MAPPER = """\
import lsst.afw.image.utils as afwImageUtils
from lsst.obs.base import CameraMapper
print("this is never run")

class Ctio0m9Mapper(CameraMapper):
    packageName = 'obs_ctio0m9'
    def __init__(self, **kwargs):
        afwImageUtils.defineFilter('NONE', 0.0, alias=['no_filter', "OPEN"])
        afwImageUtils.defineFilter('R', lambdaEff=640, alias=['NONE+R'])
"""
CTIO_INGEST = """\
from lsst.obs.ctio0m9.ingest import Ctio0m9ParseTask
config.parse.retarget(Ctio0m9ParseTask)
config.parse.translation = {'expTime': 'EXPTIME', 'object': 'OBJECT'}
config.parse.translators = {'visit': 'translate_visit', 'filter': 'translate_filter', 'date': 'translate_dateobs'}
config.parse.defaults = {'object': "UNKNOWN"}
config.register.unique = ['visit']
config.register.columns = {'visit': 'int', 'filter': 'text', 'date': 'text', 'expTime': 'double', 'object': 'text'}
config.register.visit = list(config.register.columns.keys())
"""
_SUBARU_DETECTOR = """\
config.detectorList[{id}]=lsst.afw.cameraGeom.cameraConfig.DetectorConfig()
config.detectorList[{id}].name='{name}'
config.detectorList[{id}].id={id}
config.detectorList[{id}].serial='{id}'
config.detectorList[{id}].detectorType=0
config.detectorList[{id}].bbox_x0=0
config.detectorList[{id}].bbox_y0=0
config.detectorList[{id}].bbox_x1={last_x}
config.detectorList[{id}].bbox_y1={last_y}
config.detectorList[{id}].pixelSize_x=0.015
config.detectorList[{id}].pixelSize_y=0.015
config.detectorList[{id}].refpos_x=0.0
config.detectorList[{id}].refpos_y=0.0
config.detectorList[{id}].offset_x={offset}
config.detectorList[{id}].offset_y=0.0
config.detectorList[{id}].yawDeg=0.0
config.detectorList[{id}].transposeDetector=False
config.detectorList[{id}].transformDict.nativeSys='Pixels'
config.detectorList[{id}].transformDict.transforms=None
"""
_SUBARU_CAMERA = """\
import lsst.afw.cameraGeom.cameraConfig
assert type(config)==lsst.afw.cameraGeom.cameraConfig.CameraConfig, 'another type'
config.name='SuprimeCam'
config.plateScale=13.45
config.transformDict.nativeSys='FocalPlane'
config.transformDict.transforms={}
config.transformDict.transforms['FieldAngle']=lsst.afw.geom.transformConfig.TransformConfig()
config.transformDict.transforms['FieldAngle'].transform.name='identity'
config.detectorList={}
"""
#: Ten chips by name; a camera folder and defects beside the policy of another camera.
SUPRIMECAM = (
    "needCalibRegistry: true\ncamera: ../suprimecam/camera\ndefects: ../suprimecam/defects\n"
    "levels:\n  skyTile: [visit, ccd]\n  tract: patch\n  visit: ccd\n  sensor: none\ndefaultLevel: sensor\n"
    "defaultSubLevels: {skyTile: sensor, visit: sensor, sensor: none}\nexposures:\n"
    "  raw: {template: '%(field)s/%(dateObs)s/%(pointing)05d/%(filter)s/SUPA%(visit)07d%(ccd)1d.fits'}\n"
    "  calexp: {template: '%(pointing)05d/%(filter)s/corr/CORR%(visit)07d%(ccd)1d.fits'}\n"
    "  wcs:\n    columns: [pointing, filter, visit, ccd]\n"
    "    template: jointcal-results/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits\n"
    "calibrations:\n"
    + _CALIBRATION.format(
        name="bias",
        template="BIAS/%(calibDate)s/NONE/BIAS-%(calibDate)s-%(ccd)1d.fits",
        python="ExposureF",
        columns="[ccd, taiObs]",
        more="level: Ccd",
    )
    + "datasets:\n"
    "  src: {template: '%(pointing)05d/%(filter)s/output/SRC%(visit)07d%(ccd)1d.fits'}\n"
    "  forced_src: {template: '%(pointing)05d/%(filter)s/tract%(tract)d/FORCEDSRC%(visit)07d%(ccd)1d.fits'}\n"
    "  calexpBackground: {template: '%(pointing)05d/%(filter)s/corr/BKGD%(visit)07d%(ccd)1d.fits'}\n"
    "  processCcd_metadata: {template: '%(pointing)05d/%(filter)s/processCcd_metadata/%(visit)07d%(ccd)1d.yaml'}\n"
)
SUBARU_FILTERS = """\
SUPRIMECAM_FILTER_DEFINITIONS = FilterDefinitionCollection(
    FilterDefinition(physical_filter="NONE", lambdaEff=0),
    FilterDefinition(physical_filter="W-S-R+", band="r", lambdaEff=600, alias={"R_SLOAN"}),
    FilterDefinition(physical_filter=f"W-{X}", lambdaEff=1),
)
"""


def write(path, text):
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def ctio_package(folder, size=(100, 80)):
    """Write ``obs_ctio0m9``, whose amplifiers have this width and height."""
    width, height = size
    sizes = {"width": width, "height": height, "raw_width": width + 30, "over": width + 10, "middle": width - 0.5}
    camera = CTIO_CAMERA.format(**sizes, last_x=2 * width, last_y=2 * height)
    # a first line that says that it is of the older format, which it is not
    write(folder / "policy/ctio0m9Mapper.yaml", "#<?cfg paf policy ?>\n\n" + CTIO)
    write(folder / "policy/camera.yaml", camera)
    write(folder / "python/lsst/obs/ctio0m9/ctio0m9Mapper.py", CTIO_MAPPER)
    write(folder / "config/ingest.py", CTIO_INGEST)
    return folder


def subaru_package(folder, detector):
    """Write ``obs_subaru`` with two cameras; all chips are like a detector that is given."""
    write(folder / "policy/SuprimecamMapper.yaml", SUPRIMECAM)
    write(folder / "policy/HscMapper.yaml", SUPRIMECAM)
    names = ("Nausicaa", "Kiki", "Fio")
    corners = {"last_x": detector.bbox.width - 1, "last_y": detector.bbox.height - 1}
    chips = (_SUBARU_DETECTOR.format(id=i, name=name, offset=40.0 * i, **corners) for i, name in enumerate(names))
    write(folder / "suprimecam/camera/camera.py", _SUBARU_CAMERA + "".join(chips))
    for name in names:
        write_amplifiers(detector.amplifiers, folder / f"suprimecam/camera/{name}.fits")
    write(folder / "python/lsst/obs/suprimecam/suprimecamFilters.py", SUBARU_FILTERS)
    return folder


def register(path, **tables):
    """Write a registry: a list of rows, each a mapping, for each table."""
    kinds = {int: "int", float: "double", str: "text"}
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path)
    with database:
        for table, rows in tables.items():
            columns = ", ".join(f"{name} {kinds[type(value)]}" for name, value in rows[0].items())
            database.execute(f"create table {table} (id integer primary key, {columns})")
            for row in rows:
                marks = ", ".join("?" * len(row))
                insert = f"insert into {table} ({', '.join(row)}) values ({marks})"  # noqa: S608 - names of this file
                database.execute(insert, list(row.values()))
    database.close()


def image_file(path: Path, pixels, **cards):
    """Write an image as a FITS file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.PrimaryHDU(pixels, header=fits.Header(cards)).writeto(path)


_LSST_FILE = "%(raftName)s/%({number})08d-%(detectorName)s-det%(detector)03d.fits"
#: The policy that all of LSST's cameras have: a raw frame is put together from amplifiers, which nothing numbers.
LSST_COMMON = """\
needCalibRegistry: true
levels: {tract: patch}
defaultLevel: visit
exposures:
  _raw: {python: lsst.daf.base.PropertyList, storage: FitsStorage, tables: raw, template: 'raw/FILE[0]'}
  raw:
    assembler: lsst.obs.lsst.lsstCamMapper.assemble_raw
    composite: {raw_amp: {datasetType: raw_amp, subset: true}, raw_hdu: {datasetType: raw_hdu}}
    inputOnly: true
  raw_amp:
    python: lsst.afw.image.DecoratedImageF
    storage: FitsStorage
    tables: raw
    template: 'raw/FILE[%(channel)d]'
  calexp: {template: calexp/FILE}
datasets:
  src: {template: src/FILE}
  raw_hdu: {python: lsst.daf.base.propertyList, storage: FitsStorage, tables: raw, template: 'raw/FILE[0]'}
""".replace("FILE", _LSST_FILE.format(number="visit"))
#: What one of them has otherwise.
LSST_IMSIM = """\
exposures:
  _raw: {template: 'raw/FILE[0]'}
  raw_amp: {template: 'raw/FILE[%(channel)d]'}
  calexp: {template: calexp/FILE}
datasets:
  raw_hdu: {template: 'raw/FILE[0]'}
""".replace("FILE", _LSST_FILE.format(number="expId"))
LSST_MAPPERS = """\
class LsstCamBaseMapper(CameraMapper):
    _cameraName = "lsstCam"
    yamlFileList = ("lsstCamMapper.yaml",)  # the first to have a key wins

class LsstCamMapper(LsstCamBaseMapper):
    pass

class ImsimMapper(LsstCamMapper):
    _cameraName = "imsim"
    yamlFileList = ["imsim/imsimMapper.yaml"] + list(LsstCamMapper.yamlFileList)

class PhosimMapper(LsstCamMapper):
    _cameraName = "phosim"
"""
_LSST_AMPLIFIER = """\
      {name}: {{<<: *AMP, hdu: {hdu}, perAmpData: true, ixy: [{column}, 0], readCorner: LL, gain: 2.0, readNoise: 10.0}}
"""


#: Several detectors in one file, which the registry alone tells apart.
MEGACAM = (
    "needCalibRegistry: true\nlevels: {tract: patch, visit: ccd}\ndefaultLevel: ccd\nexposures:\n"
    "  raw: {template: 'raw/%(runId)s/%(date)s/%(filter)s/%(visit)d%(state)s.fits[%(extension)d]'}\n"
    + _EXPOSURE.format(name="calexp", template="calexp/%(date)s/%(visit)d-%(ccd)02d.fits", python="ExposureF")
    + "datasets:\n  src: {template: 'src/%(runId)s/%(date)s/SRC-%(visit)d-%(ccd)02d.fits'}\n"
)
MEGACAM_INGEST = """\
config.parse.translation = {'filter': 'FILTER', 'expTime': 'EXPTIME'}
config.register.unique = ['visit', 'ccd']
config.register.columns = {'visit': 'int', 'ccd': 'int', 'extension': 'int', 'filter': 'text', 'expTime': 'double'}
"""


def megacam_package(folder, *, ingest=MEGACAM_INGEST):
    """Write ``obs_cfht``, whose camera has three detectors in one file."""
    write(folder / "policy/MegacamMapper.yaml", MEGACAM)
    if ingest:
        write(folder / "config/ingest.py", ingest)
    write(folder / "python/lsst/obs/cfht/megacamMapper.py", "defineFilter('r', lambdaEff=600, alias=['r.MP9601'])\n")
    text = CTIO_CAMERA.format(width=30, height=20, raw_width=60, over=40, middle=29.5, last_x=59, last_y=19)
    head, _, detector = text.replace("ctio0m9", "megacam").partition('      "11"')[0].partition("  SITE2K:")
    amplifiers = "".join(_LSST_AMPLIFIER.format(name=f"C1{n}", hdu=0, column=n) for n in (0, 1))
    detectors = (f"  ccd{n:02d}:{detector.replace('id: 0', f'id: {n}')}{amplifiers}" for n in range(3))
    write(folder / "policy/camera.yaml", head + "".join(detectors))
    return folder


def lsst_package(folder, size=(30, 20)):
    """Write ``obs_lsst`` with its cameras imsim and phosim; the amplifiers of imsim have this width and height."""
    write(folder / "policy/lsstCamMapper.yaml", LSST_COMMON)
    write(folder / "policy/imsim/imsimMapper.yaml", LSST_IMSIM)
    write(folder / "python/lsst/obs/lsst/mappers.py", LSST_MAPPERS)
    write(folder / "python/lsst/obs/lsst/filters.py", "FilterDefinition(physical_filter='i_sim_1.4', band='i')\n")
    write(folder / "config/ingest.py", CTIO_INGEST)
    width, height = size
    sizes = {"width": width, "height": height, "raw_width": width + 30, "over": width + 10, "middle": width - 0.5}
    text = CTIO_CAMERA.format(**sizes, last_x=2 * width - 1, last_y=height - 1).replace("SITE2K", "R11_S20")
    text = text.replace("ctio0m9", "imsim").replace("id: 0", "id: 42").partition('      "11"')[0]
    amplifiers = (_LSST_AMPLIFIER.format(name=f"C1{n}", hdu=n + 1, column=n) for n in (0, 1))
    write(folder / "policy/imsim.yaml", text + "".join(amplifiers))
    return folder
