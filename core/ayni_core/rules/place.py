"""What rules have to know of the place where a device stands: the sun above it, its power, its way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ayni_core.rules.sun import is_day
from ayni_core.schema import Fields

POWER = ("mains", "solar", "none")
BATTERIES = ("lead-acid", "lifepo4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`battery_v` is the nominal voltage of its battery; degrees north and east."""

    latitude: float | None = None
    longitude: float | None = None
    power: str = POWER[0]
    battery: str = BATTERIES[0]
    battery_v: float | None = None
    satellite: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        """The words of `rule.CONDITIONS` that are true of it."""
        return frozenset((self.power, self.battery, *(("satellite",) if self.satellite else ())))

    def is_day(self, at_s: float) -> bool | None:
        """Whether the sun stands high at a time in seconds since 1970; None where nobody knows."""
        if self.latitude is None or self.longitude is None:
            return None
        return is_day(self.latitude, self.longitude, at_s)


NOWHERE = Place()


class _Site(Protocol):
    @property
    def latitude(self) -> float | None: ...
    @property
    def longitude(self) -> float | None: ...
    @property
    def power(self) -> str: ...
    @property
    def battery(self) -> str: ...
    @property
    def battery_v(self) -> float | None: ...
    @property
    def satellite(self) -> bool: ...


def of_site(site: _Site) -> Place:
    """The same of a site of the inventory."""
    return Place(
        latitude=site.latitude, longitude=site.longitude, power=site.power, battery=site.battery,
        battery_v=site.battery_v, satellite=site.satellite,
    )  # fmt: skip


def read(fields: Fields) -> Place:
    """The keys of a place, the same in all files."""
    return Place(
        latitude=fields.number("latitude", None, at_least=-90, at_most=90),
        longitude=fields.number("longitude", None, at_least=-180, at_most=180),
        power=fields.choice("power", POWER, POWER[0]),
        battery=fields.choice("battery", BATTERIES, BATTERIES[0]),
        battery_v=fields.number("battery_v", None, at_least=1, at_most=1000),
        satellite=fields.boolean("satellite", False),
    )


def written(place: Place) -> dict[str, Any]:
    """What `read` reads again: only what is not as it is everywhere, and nothing where that is only where it
    lies: the sun matters to batteries alone."""
    found = {
        key: getattr(place, key)
        for key in ("power", "battery", "battery_v", "satellite")
        if getattr(place, key) != getattr(NOWHERE, key)
    }
    if found and place.latitude is not None and place.longitude is not None:
        found |= {"latitude": place.latitude, "longitude": place.longitude}
    return found
