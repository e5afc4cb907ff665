"""When, where and how an exposure was taken, in the stack's words."""

import erfa

from obs.compat.lsst.absent import SaysWhatInstead
from obs.compat.lsst.afw.coord import Coord, IcrsCoord, Observatory, Weather
from obs.compat.lsst.afw.geom.angle import Angle, degrees
from obs.compat.lsst.daf.base import DateTime
from obs.image.visit_info import VisitInfo as OwnVisitInfo

__all__ = ["VisitInfo"]


class VisitInfo(SaysWhatInstead):
    """Facts about one exposure; what is not known is NaN.

    Parameters
    ----------
    own : obs.image.visit_info.VisitInfo
        The facts.
    """

    def __init__(self, own: OwnVisitInfo) -> None:
        #: The facts as `obs` has them.
        self.own = own

    def getExposureId(self) -> int:
        """Return the number of the exposure, 0 if it is not known."""
        return self.own.exposure_id or 0

    def getExposureTime(self) -> float:
        """Return the exposure time, s."""
        return self.own.exposure_time

    def getDarkTime(self) -> float:
        """Return the time between reset and readout, s."""
        return self.own.dark_time

    def getDate(self) -> DateTime:
        """Return the middle of the exposure."""
        return DateTime(self.own.date_avg, DateTime.UTC) if self.own.date_avg else DateTime()

    def getBoresightRaDec(self) -> IcrsCoord:
        """Return where the telescope pointed."""
        return IcrsCoord(self.own.boresight_ra * degrees, self.own.boresight_dec * degrees)

    def getBoresightAzAlt(self) -> Coord:
        """Return azimuth and altitude of the boresight."""
        return Coord(self.own.boresight_azimuth * degrees, self.own.boresight_altitude * degrees)

    def getBoresightAirmass(self) -> float:
        """Return the airmass of the boresight."""
        return self.own.airmass

    def getBoresightRotAngle(self) -> Angle:
        """Return the rotation angle at the boresight."""
        return self.own.rotation_angle * degrees

    def getEra(self) -> Angle:
        """Return the Earth rotation angle at the middle of the exposure."""
        return self.own.era * degrees

    def getLocalEra(self) -> Angle:
        """Return the Earth rotation angle at the telescope."""
        return Angle(float(self.getEra()) + float(self.getObservatory().getLongitude())).wrap()

    def getBoresightHourAngle(self) -> Angle:
        """Return the hour angle of the boresight."""
        return Angle(float(self.getLocalEra()) - float(self.getBoresightRaDec().getRa())).wrapCtr()

    def getBoresightParAngle(self) -> Angle:
        """Return the angle at the boresight from the direction to the pole to that to the zenith, through east."""
        latitude, declination, hour_angle = map(
            float, (self.own.latitude * degrees, self.getBoresightRaDec().getDec(), self.getBoresightHourAngle())
        )
        return Angle(float(erfa.hd2pa(hour_angle, declination, latitude)))

    def getObservatory(self) -> Observatory:
        """Return where the telescope is."""
        return Observatory(self.own.longitude * degrees, self.own.latitude * degrees, self.own.elevation)

    def getWeather(self) -> Weather:
        """Return the air at the telescope."""
        return Weather(self.own.air_temperature, self.own.air_pressure, self.own.humidity)

    id, exposureTime, darkTime = property(getExposureId), property(getExposureTime), property(getDarkTime)
    date, era, weather = property(getDate), property(getEra), property(getWeather)
    boresightRaDec, boresightAzAlt = property(getBoresightRaDec), property(getBoresightAzAlt)
    boresightAirmass, boresightRotAngle = property(getBoresightAirmass), property(getBoresightRotAngle)
    observatory = property(getObservatory)

    def __repr__(self) -> str:
        return repr(self.own)
