"""One file a screen: each holds what it was told and which row is selected; what it says is in `view`.

A screen is imported when it is first asked for here, `screens.LinkPage`, or when the console has nothing else
to do (`rest`): all of them together would make the first screen come half a second later.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ayni_console.screens.advice import AdvicePage as AdvicePage
    from ayni_console.screens.command import CommandPage as CommandPage
    from ayni_console.screens.device import DevicePage as DevicePage
    from ayni_console.screens.do import DoPage as DoPage
    from ayni_console.screens.events import EventsPage as EventsPage
    from ayni_console.screens.farewell import FarewellPage as FarewellPage
    from ayni_console.screens.health import HealthPage as HealthPage
    from ayni_console.screens.health import MonitorPage as MonitorPage
    from ayni_console.screens.info import HelpPage as HelpPage
    from ayni_console.screens.info import PalettePage as PalettePage
    from ayni_console.screens.lab import LabPage as LabPage
    from ayni_console.screens.language import LanguagePage as LanguagePage
    from ayni_console.screens.link import LinkPage as LinkPage
    from ayni_console.screens.messages import MessagesPage as MessagesPage
    from ayni_console.screens.metric import MetricPage as MetricPage
    from ayni_console.screens.network import MapPage as MapPage
    from ayni_console.screens.network import MapView as MapView
    from ayni_console.screens.ports import PortsPage as PortsPage
    from ayni_console.screens.replay import ReplayPage as ReplayPage
    from ayni_console.screens.site import SitePage as SitePage
    from ayni_console.screens.who import WhoPage as WhoPage

_MODULES = {
    "AdvicePage": "advice",
    "CommandPage": "command",
    "DevicePage": "device",
    "DoPage": "do",
    "EventsPage": "events",
    "FarewellPage": "farewell",
    "HealthPage": "health",
    "MonitorPage": "health",
    "HelpPage": "info",
    "PalettePage": "info",
    "LabPage": "lab",
    "LanguagePage": "language",
    "LinkPage": "link",
    "MessagesPage": "messages",
    "MetricPage": "metric",
    "MapPage": "network",
    "MapView": "network",
    "PortsPage": "ports",
    "ReplayPage": "replay",
    "SitePage": "site",
    "WhoPage": "who",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"{__name__} has no {name}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


def rest() -> Iterator[None]:
    """Import every screen, one a step."""
    for each in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{each.name}")
        yield
