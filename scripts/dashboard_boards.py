"""What the dashboards show, whatever the store: panels and what each asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard_queries import Ask

RED, ORANGE, GREY, GREEN = "red", "orange", "#808080", "green"
STATES = ((0, "DOWN", RED), (1, "WEAK", ORANGE), (2, "no news", GREY), (3, "unknown", GREY), (4, "ok", GREEN))
"""The numbers of `ayni_net_…_state`; the words are those of the console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`kind` is Grafana's name of it, `size` (columns of 24, rows), `limits` which colour from where on."""

    title: str
    kind: str
    asks: tuple[Ask, ...]
    size: tuple[int, int] = (12, 8)
    unit: str = "short"
    limits: tuple[tuple[float | None, str], ...] = ((None, GREEN),)
    states: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A variable that people choose: the values of a label."""

    name: str
    title: str
    family: str
    label: str
    several: bool = True
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    choices: tuple[Choice, ...] = ()
    hours: int = 24


def net(kind: str, what: str, legend: str = "", **where: str) -> Ask:
    """What the judge says of links, sites, devices …"""
    return Ask(name=f"ayni_net_{kind}_{what}", where=where, legend=legend)


def count(kind: str, state: str, legend: str = "") -> Ask:
    """How many of a kind are in a state."""
    return Ask(name="ayni_hub_things", where={"kind": kind, "state": state}, legend=legend or state)


def power(metric: str, legend: str = "{{device}} {{item}}", group: str = "power") -> Ask:
    """A reading of the devices that are chosen."""
    return Ask(name=metric, group=group, where={"device": "$device"}, legend=legend)


_BAD = ((None, GREEN), (1, RED))
_ODD = ((None, GREEN), (1, ORANGE))

OVERVIEW = Board(
    name="network",
    title="Network",
    panels=(
        Panel(title="Links down", kind="stat", size=(3, 4), limits=_BAD, asks=(count("link", "down"),)),
        Panel(title="Links weak", kind="stat", size=(3, 4), limits=_ODD, asks=(count("link", "weak"),)),
        Panel(
            title="Devices silent", kind="stat", size=(3, 4), limits=_BAD, asks=(count("device", "silent"),)
        ),
        Panel(
            title="Monitors silent", kind="stat", size=(3, 4), limits=_BAD, asks=(count("node", "no_news"),)
        ),
        Panel(
            title="Homes cut off",
            kind="stat",
            size=(4, 4),
            limits=_BAD,
            asks=(Ask(name="ayni_hub_homes_cut"),),
        ),
        Panel(
            title="Alerts nobody has taken on",
            kind="stat",
            size=(4, 4),
            limits=_BAD,
            asks=(Ask(name="ayni_hub_alerts", where={"state": "firing"}, by=("level",), legend="{{level}}"),),
        ),
        Panel(
            title="Ways out",
            kind="stat",
            size=(4, 4),
            states=True,
            asks=(net("upstream", "state", "{{title}}"),),
        ),
        Panel(
            title="Links",
            kind="state-timeline",
            size=(24, 12),
            states=True,
            asks=(net("link", "state", "{{title}}"),),
        ),
        Panel(
            title="Sites",
            kind="state-timeline",
            size=(12, 9),
            states=True,
            asks=(net("site", "state", "{{title}}"),),
        ),
        Panel(
            title="Signal at the ends of links",
            kind="timeseries",
            size=(12, 9),
            unit="dBm",
            asks=(net("link", "signal_dbm", "{{link}} at {{site}}"),),
        ),
    ),
)

_LINK = {"link": "$link"}
_ENDS = "at {{site}}"
LINK = Board(
    name="link",
    title="A link",
    hours=7 * 24,
    choices=(
        Choice(name="link", title="Link", family="ayni_net_link_state", label="link", several=False),
        Choice(
            name="device",
            title="Devices",
            family="ayni_net_link_normal_dbm",
            label="device",
            where=_LINK,
        ),
    ),
    panels=(
        Panel(
            title="State",
            kind="state-timeline",
            size=(18, 4),
            states=True,
            asks=(net("link", "state", "{{title}}", **_LINK),),
        ),
        Panel(title="Homes behind it", kind="stat", size=(6, 4), asks=(net("link", "homes", **_LINK),)),
        Panel(
            title="Signal, normal, and a week ago",
            kind="timeseries",
            size=(24, 10),
            unit="dBm",
            about="Normal is what network.yaml expects: measured, or computed by the link budget."
            " Reference: the median of the link's first good week.",
            asks=(
                net("link", "signal_dbm", _ENDS, **_LINK),
                net("link", "normal_dbm", "normal at {{site}}", **_LINK),
                net("link", "baseline_dbm", "reference at {{site}}", baseline="reference", **_LINK),
                Ask(
                    name="ayni_net_link_signal_dbm",
                    where=_LINK,
                    week_ago=True,
                    legend="a week ago at {{site}}",
                ),
            ),
        ),
        Panel(
            title="Rate towards the other end",
            kind="timeseries",
            unit="bps",
            asks=(net("link", "tx_rate_bps", _ENDS, **_LINK),),
        ),
        Panel(
            title="Noise", kind="timeseries", unit="dBm", asks=(net("link", "noise_dbm", _ENDS, **_LINK),)
        ),
        Panel(
            title="Quality (CCQ)",
            kind="timeseries",
            unit="percent",
            asks=(net("link", "ccq_pct", _ENDS, **_LINK),),
        ),
        Panel(
            title="Traffic in",
            kind="timeseries",
            unit="bps",
            asks=(
                Ask(
                    name="in_octets", group="interface", where={"device": "$device"}, rate=True, times=8,
                    legend="{{device}} {{item}}",
                ),
            ),
        ),
        Panel(
            title="Damaged packets received",
            kind="timeseries",
            unit="pps",
            asks=(
                Ask(
                    name="in_errors", group="interface", where={"device": "$device"}, rate=True,
                    legend="{{device}} {{item}}",
                ),
            ),
        ),
        Panel(
            title="Speed of cables",
            kind="timeseries",
            unit="bps",
            asks=(power("speed_bps", group="interface"),),
        ),
    ),
)  # fmt: skip

POWER = Board(
    name="power",
    title="Power of a site",
    hours=7 * 24,
    choices=(
        Choice(name="site", title="Site", family="ayni_net_site_state", label="site", several=False),
        Choice(
            name="device",
            title="Devices",
            family="ayni_net_device_info",
            label="device",
            where={"site": "$site"},
        ),
    ),
    panels=(
        Panel(
            title="Site",
            kind="state-timeline",
            size=(24, 4),
            states=True,
            asks=(net("site", "state", "{{title}}", site="$site"),),
        ),
        Panel(
            title="Voltage",
            kind="timeseries",
            unit="volt",
            asks=(power("voltage_v"), power("voltage_v", "{{device}} {{item}} (sensor)", "sensor")),
        ),
        Panel(title="Battery charge", kind="timeseries", unit="percent", asks=(power("charge_pct"),)),
        Panel(title="Current", kind="timeseries", unit="amp", asks=(power("current_a"),)),
        Panel(title="Power", kind="timeseries", unit="watt", asks=(power("power_w"),)),
        Panel(title="Energy today", kind="timeseries", unit="kwatth", asks=(power("energy_today_kwh"),)),
        Panel(title="Load", kind="timeseries", unit="percent", asks=(power("load_pct"),)),
        Panel(title="Time the battery lasts", kind="timeseries", unit="m", asks=(power("runtime_min"),)),
        Panel(
            title="Temperature",
            kind="timeseries",
            unit="celsius",
            asks=(
                power("temperature_c", "{{device}} {{item}}", "sensor"),
                power("temperature_c", "{{device}} {{item}} (power)"),
                power("temperature_c", "{{device}} {{item}} (monitor)", "node"),
            ),
        ),
    ),
)


def hub(name: str, legend: str = "", **more: Any) -> Ask:
    """How the hub itself is."""
    return Ask(name=f"ayni_hub_{name}", legend=legend, **more)


CENTRAL = Board(
    name="central",
    title="The central",
    panels=(
        Panel(
            title="State",
            kind="stat",
            size=(6, 4),
            limits=((None, RED), (1, GREEN)),
            about="1: it takes everything in.",
            asks=(hub("state", "ready", where={"state": "ready"}), hub("broker_connected", "broker")),
        ),
        Panel(
            title="Runs since",
            kind="stat",
            size=(6, 4),
            unit="s",
            asks=(hub("start_time_seconds", age=True),),
        ),
        Panel(
            title="Age of the newest reading",
            kind="stat",
            size=(6, 4),
            unit="s",
            limits=((None, GREEN), (900, ORANGE), (3600, RED)),
            asks=(hub("newest_sample_timestamp_seconds", age=True),),
        ),
        Panel(
            title="Alerts",
            kind="stat",
            size=(6, 4),
            limits=_ODD,
            asks=(hub("alerts", "{{state}}", by=("state",)),),
        ),
        Panel(
            title="Samples a second",
            kind="timeseries",
            asks=(hub("samples_total", "stored", rate=True),),
        ),
        Panel(
            title="Frames a second",
            kind="timeseries",
            asks=(
                hub("frames_total", "stored", rate=True),
                hub("repeated_frames_total", "came again", rate=True),
                hub("refused_frames_total", "refused", rate=True),
            ),
        ),
        Panel(title="Frames that wait", kind="timeseries", asks=(hub("inbox_frames", "wait"),)),
        Panel(title="Files", kind="timeseries", unit="bytes", asks=(hub("file_bytes", "{{file}}"),)),
        Panel(
            title="Processor",
            kind="timeseries",
            unit="percentunit",
            asks=(hub("cpu_seconds_total", "share of a core", rate=True),),
        ),
        Panel(
            title="Memory",
            kind="timeseries",
            unit="bytes",
            asks=(hub("resident_memory_bytes", "in use"),),
        ),
        Panel(
            title="Monitors",
            kind="timeseries",
            asks=tuple(count("node", state) for state in ("ok", "no_news", "unknown")),
        ),
    ),
)

BOARDS = (OVERVIEW, LINK, POWER, CENTRAL)
