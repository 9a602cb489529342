"""Signs: numbers that rules look at and no device gives, computed from polls. A closed list, as of metrics.

`scope` says where one belongs: to a device, a port of it, an end of a link, a link, a monitor, a way out, the
central itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One entry; `unit` is "" for counts and for what is 0 or 1."""

    name: str
    unit: str
    scope: str
    meaning: str


def _s(name: str, unit: str, scope: str, meaning: str) -> tuple[str, str, str, str]:
    """One row; the name also marks the meaning for translators as its context."""
    return name, unit, scope, meaning


_TABLE = (
    _s("restarted", "", "device", "1 at the poll that finds a device started anew, else 0"),
    _s("cpu_busy_pct", "%", "device", "share of processor time in use, all cores together"),
    _s("memory_busy_pct", "%", "device", "share of memory in use, without what is given back when needed"),
    _s("storage_used_pct", "%", "device", "share of a disk or card in use"),
    _s("battery_12v", "V", "device", "voltage of a battery, counted for one of 12 V"),
    _s("battery_left_pct", "%", "device", "charge of a battery whose voltage says little"),
    _s("discharging", "", "device", "1 while a battery gives more than it gets, else 0"),
    _s("in_errors_per_s", "1/s", "interface", "damaged packets received a second"),
    _s("utilisation_pct", "%", "interface", "share of a port's speed in use, the busier direction"),
    _s("went_down", "", "interface", "1 at the poll that finds a port down that was up, else 0"),
    _s("link_snr_db", "dB", "end", "signal over noise, as given or as signal less noise"),
    _s("chain_imbalance_db", "dB", "end", "difference between the loudest and the faintest chain"),
    _s("gap_s", "s", "end", "how long a short outage can have lasted that ended before this poll, else 0"),
    _s("link_up", "", "link", "1 while the ends hear each other, else 0"),
    _s("rates_differ_pct", "%", "link", "how much slower one end sends than the other"),
    _s("node_reports", "", "node", "1 while reports of a monitor are not late, else 0"),
    _s("node_clock", "", "node", "1 while a monitor knows the time, else 0"),
    _s("upstream_up", "", "upstream", "1 while the port of a way out works, else 0"),
    _s("data_used_pct", "%", "upstream", "share of the month's data that a way out has carried"),
    _s("certificate_days", "d", "central", "days for which a certificate is still good"),
    _s("backup_days", "d", "central", "days since the newest good backup of the central"),
)

SIGNS: dict[str, Sign] = {
    name: Sign(name=name, unit=unit, scope=scope, meaning=meaning) for name, unit, scope, meaning in _TABLE
}
