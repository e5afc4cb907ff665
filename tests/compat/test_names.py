"""Names of columns in three generations of the stack."""

import pytest

from obs.compat.lsst.afw.table.names import find_column

NEW = {
    "id",
    "coord_ra",
    "base_SdssCentroid_x",
    "base_SdssCentroid_xErr",
    "base_SdssShape_xx",
    "base_SdssShape_xxErr",
    "base_SdssShape_psf_xx",
    "base_PsfFlux_instFlux",
    "base_PsfFlux_instFluxErr",
    "base_PsfFlux_flag",
    "base_PsfFlux_apCorr",
    "base_GaussianFlux_instFlux",
    "base_CircularApertureFlux_12_0_instFlux",
    "base_CircularApertureFlux_12_0_instFluxErr",
    "ext_photometryKron_KronFlux_instFlux",
    "base_PixelFlags_flag_edge",
    "base_PixelFlags_flag_saturated",
    "base_PixelFlags_flag_saturatedCenter",
    "base_PixelFlags_flag_interpolated",
    "base_PixelFlags_flag_crCenter",
    "base_ClassificationExtendedness_value",
    "calib_psf_used",
    "deblend_nChild",
    "detect_isPrimary",
}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("flux.psf", "base_PsfFlux_instFlux"),
        ("flux.psf.err", "base_PsfFlux_instFluxErr"),
        ("flux.psf.flags", "base_PsfFlux_flag"),
        ("flux.psf.apcorr", "base_PsfFlux_apCorr"),
        ("base_PsfFlux_flux", "base_PsfFlux_instFlux"),
        ("base_PsfFlux_fluxSigma", "base_PsfFlux_instFluxErr"),
        ("base_PsfFlux_instFlux", "base_PsfFlux_instFlux"),
        ("slot_PsfFlux_instFlux", "base_PsfFlux_instFlux"),
        ("slot_PsfFlux_flux", "base_PsfFlux_instFlux"),
        ("flux.sinc", "base_CircularApertureFlux_12_0_instFlux"),
        ("flux.sinc.err", "base_CircularApertureFlux_12_0_instFluxErr"),
        ("flux.gaussian", "base_GaussianFlux_instFlux"),
        ("flux.kron", "ext_photometryKron_KronFlux_instFlux"),
        ("centroid.sdss.x", "base_SdssCentroid_x"),
        ("base_SdssCentroid_xSigma", "base_SdssCentroid_xErr"),
        ("shape.sdss.xx", "base_SdssShape_xx"),
        ("shape.sdss.err.xxErr", "base_SdssShape_xxErr"),
        ("shape.sdss.psf.xx", "base_SdssShape_psf_xx"),
        ("flags.pixel.edge", "base_PixelFlags_flag_edge"),
        ("flags.pixel.saturated.any", "base_PixelFlags_flag_saturated"),
        ("flags.pixel.saturated.center", "base_PixelFlags_flag_saturatedCenter"),
        ("flags.pixel.interpolated.any", "base_PixelFlags_flag_interpolated"),
        ("flags.pixel.cr.center", "base_PixelFlags_flag_crCenter"),
        ("classification.extendedness", "base_ClassificationExtendedness_value"),
        ("calib.psf.used", "calib_psf_used"),
        ("calib_psfUsed", "calib_psf_used"),
        ("deblend.nchild", "deblend_nChild"),
        ("detect.is-primary", "detect_isPrimary"),
        ("coord.ra", "coord_ra"),
        ("id", "id"),
    ],
)
def test_names_of_three_generations(name, column):
    assert find_column(name, NEW) == column


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("base_PsfFlux_instFlux", "flux_psf"),
        ("flux.psf", "flux_psf"),
        ("base_PsfFlux_instFluxErr", "flux_psf_err"),
        ("base_ClassificationExtendedness_value", "classification_extendedness"),
        ("slot_Centroid_x", "centroid_sdss_x"),
        ("base_PixelFlags_flag_saturatedCenter", "flags_pixel_saturated_center"),
        ("base_PixelFlags_flag_saturated", "flags_pixel_saturated_any"),
    ],
)
def test_names_of_today_find_columns_of_old_files(name, column):
    old = {
        "flux_psf",
        "flux_psf_err",
        "classification_extendedness",
        "centroid_sdss_x",
        "flags_pixel_saturated_center",
        "flags_pixel_saturated_any",
    }
    assert find_column(name, old) == column


@pytest.mark.parametrize("name", ["flux", "flux.psff", "base_PsfFlux", "base_ClassificationExtendedness_flag", ""])
def test_names_that_mean_nothing(name):
    assert find_column(name, NEW - {"base_PsfFlux_instFlux"}) is None
