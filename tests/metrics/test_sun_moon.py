"""Sun and Moon against the positions that astropy gives, and the light that the Moon adds to the sky."""

import math

import pytest

from obs.metrics.sun_moon import SkyLights, find_lights, moonlight

MAUNA_KEA = {"longitude": -155.47, "latitude": 19.82}


def test_places_are_those_of_astropy():
    found = find_lights(57200.3, ra=150.0, dec=2.0, **MAUNA_KEA)
    # astropy 7: get_sun, get_body("moon"), AltAz at 4000 m, without refraction
    assert found.sun_altitude == pytest.approx(-26.194, abs=0.05)
    assert found.moon_altitude == pytest.approx(56.083, abs=0.1)
    assert found.altitude == pytest.approx(12.488, abs=0.05)
    assert found.moon_separation == pytest.approx(65.924, abs=0.1)
    assert 74 < found.moon_phase < 78


def test_without_a_place_altitudes_are_not_known():
    found = find_lights(57200.3, ra=150.0, dec=2.0, longitude=math.nan, latitude=math.nan)
    assert math.isnan(found.moon_altitude)
    assert math.isnan(moonlight(found))
    assert 65 < found.moon_separation < 67


def test_the_moon_brightens_the_sky_as_in_the_paper():
    def light(**facts):
        usual = {"sun_altitude": -40.0, "moon_altitude": 60.0, "moon_separation": 60.0, "moon_phase": 100.0}
        return moonlight(SkyLights(**{**usual, "altitude": 60.0} | facts))

    # Krisciunas & Schaefer (1991), table 4: full Moon, 60 degrees away: 3 to 4 mag
    assert 2.5 < light() < 4.5
    assert light(moon_altitude=-1.0) == 0
    assert light(moon_phase=50.0) < light() - 1
    assert light(moon_separation=20.0) > light()
