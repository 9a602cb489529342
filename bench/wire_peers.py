"""The same readings as others send them: messages of one round of polls.

*Telegraf*: one message of line protocol per metric and host, as its MQTT output sends them without batching
(topic `telegraf/HOST/PLUGIN`). *JSON*: one object per poll of a device, names as keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ayni_core.readings import Series, Value

Round = Mapping[str, tuple[float, Mapping[Series, Value]]]
"""Device -> (seconds since 1970, values)."""
Messages = Iterator[tuple[str, bytes]]
_PLUGINS = {"interface": "interface", "radio": "wireless", "station": "wireless_station"}


def telegraf(host: str, polls: Round) -> Messages:
    """Line protocol; a table's row is a metric of its own, with its name as a tag."""
    for index, (device, (at, values)) in enumerate(polls.items()):
        rows: dict[tuple[str, str], dict[str, Value]] = {}
        for (group, item, metric), value in values.items():
            plugin = _PLUGINS.get(group, "snmp")
            row = (plugin, item if plugin != "snmp" else "")
            name = metric if plugin != "snmp" or not item else f"{metric}_{item}"
            rows.setdefault(row, {})[name] = value
        for (plugin, item), fields in rows.items():
            tags = {"agent_host": f"10.20.3.{10 + index}", "host": host, "sysName": device}
            if item:
                tags["ifName"] = item
            told = ",".join(
                f"{_escaped(key)}={_field(value)}" for key, value in fields.items() if value is not None
            )
            named = ",".join(f"{key}={_escaped(value)}" for key, value in sorted(tags.items()))
            line = f"{plugin},{named} {told} {int(at * 1e9)}\n"
            yield f"telegraf/{host}/{plugin}", line.encode()


def plain_json(host: str, polls: Round) -> Messages:
    """One object a poll."""
    for device, (at, values) in polls.items():
        readings = {"/".join(part for part in series if part): value for series, value in values.items()}
        body = {"host": host, "device": device, "time": round(at, 2), "readings": readings}
        yield f"readings/{host}/{device}", json.dumps(body, separators=(",", ":")).encode()


def _field(value: Value) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    return f"{value}i" if isinstance(value, int) else repr(value)


def _escaped(text: str) -> str:
    return text.replace(" ", "\\ ").replace(",", "\\,").replace("=", "\\=")
