"""How high the sun stands, by the short formula of NOAA's solar calculator: good to half a degree.

https://gml.noaa.gov/grad/solcalc/solareqns.PDF; angles in radians inside, degrees outside.
"""

from __future__ import annotations

import math

DAYLIGHT_DEG = 10.0
"""Above this a solar panel that is not shaded gives something."""
_DAY_S = 86_400.0
_YEAR_DAYS = 365.2425


def elevation_deg(latitude: float, longitude: float, at_s: float) -> float:
    """Degrees above the horizon (negative: below) at a place and a time in seconds since 1970, without
    refraction. North and east are positive."""
    days = at_s / _DAY_S
    year = 2 * math.pi / _YEAR_DAYS * (days % _YEAR_DAYS)  # 1970 began with a year
    minutes = 229.18 * (
        0.000075
        + 0.001868 * math.cos(year)
        - 0.032077 * math.sin(year)
        - 0.014615 * math.cos(2 * year)
        - 0.040849 * math.sin(2 * year)
    )
    declination = (
        0.006918
        - 0.399912 * math.cos(year)
        + 0.070257 * math.sin(year)
        - 0.006758 * math.cos(2 * year)
        + 0.000907 * math.sin(2 * year)
        - 0.002697 * math.cos(3 * year)
        + 0.00148 * math.sin(3 * year)
    )
    solar_minutes = (days % 1.0) * 1440 + minutes + 4 * longitude
    hour_angle = math.radians(solar_minutes / 4 - 180)
    north = math.radians(latitude)
    sine = math.sin(north) * math.sin(declination) + math.cos(north) * math.cos(declination) * math.cos(
        hour_angle
    )
    return math.degrees(math.asin(min(max(sine, -1.0), 1.0)))


def is_day(latitude: float, longitude: float, at_s: float) -> bool:
    """Whether a solar panel there should give something."""
    return elevation_deg(latitude, longitude, at_s) > DAYLIGHT_DEG
