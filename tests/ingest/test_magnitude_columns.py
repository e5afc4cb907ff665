"""Bands of catalogs by the names of their columns."""

import pytest

from obs.ingest.magnitude_columns import error_column, find_flux_columns, find_magnitude_columns


@pytest.mark.parametrize(
    ("names", "bands"),
    [
        (["V", "R"], {"V": "V", "R": "R"}),
        (["Vmag", "e_Vmag", "Bmag"], {"V": "Vmag", "B": "Bmag"}),
        (["BT", "VT", "e_BT"], {"BT": "BT", "VT": "VT"}),
        (["BTmag", "VTmag"], {"BT": "BTmag", "VT": "VTmag"}),
        (["phot_g_mean_mag", "phot_bp_mean_mag", "bp_rp"], {"G": "phot_g_mean_mag", "BP": "phot_bp_mean_mag"}),
        (["Gmag", "BPmag", "RPmag", "e_Gmag"], {"G": "Gmag", "BP": "BPmag", "RP": "RPmag"}),
        (["g'mag", "e_g'mag", "r'mag"], {"g": "g'mag", "r": "r'mag"}),
        (["g_psf", "e_g_psf", "r_psf"], {"g": "g_psf", "r": "r_psf"}),
        (["uPSF", "gPSF", "e_gPSF"], {"u": "uPSF", "g": "gPSF"}),
        (["psfMag_g", "psfMagErr_g", "modelMag_r"], {"g": "psfMag_g", "r": "modelMag_r"}),
        (["Jmag", "Hmag", "Ksmag"], {"J": "Jmag", "H": "Hmag", "Ks": "Ksmag"}),
        (["Johnson_V (V)", "Sloan_g", "Rc"], {"V": "Johnson_V (V)", "g": "Sloan_g", "R": "Rc"}),
        (["Rc", "Ic"], {"R": "Rc", "I": "Ic"}),
        (["G_mag", "V_mag", "e_V_mag", "g_mag"], {"G": "G_mag", "V": "V_mag", "g": "g_mag"}),
        (["MAG_R", "MAGERR_R"], {"R": "MAG_R"}),
        (["g_mag", "gMeanPSFMag"], {"g": "gMeanPSFMag"}),  # the better of two
        (["z", "y", "x"], {}),  # a redshift, and places
        (["absmag", "magnification", "e_mag", "n_Vmag"], {}),
    ],
)
def test_magnitudes(names, bands):
    assert find_magnitude_columns(names) == bands


@pytest.mark.parametrize(
    ("names", "bands"),
    [
        (["g_flux", "g_fluxErr"], {"g": "g_flux"}),
        (["flux_r", "fluxerr_r"], {"r": "flux_r"}),
        (["phot_g_mean_flux", "phot_g_mean_flux_error"], {}),  # electrons a second
    ],
)
def test_fluxes(names, bands):
    assert find_flux_columns(names) == bands


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Vmag", "e_Vmag"),
        ("g'mag", "e_g'mag"),
        ("V", "V_err"),
        ("gMeanPSFMag", "gMeanPSFMagErr"),
        ("psfMag_g", "psfMagErr_g"),
        ("phot_g_mean_flux", "phot_g_mean_flux_error"),
    ],
)
def test_errors(name, error):
    assert error_column(name, [name, error, "other"]) == error
    assert error_column(name, [name, "other"]) is None
