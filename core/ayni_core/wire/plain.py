"""The *plain* encoding: SenML JSON (RFC 8428), readable with `mosquitto_sub` in a class room.

One record a value: base name `node:`, name `device/group/item/metric`, `v` a number, `vs` a text. What
the hub needs beyond that stands as `ayni` in the first record: a label that other readers pass over
(RFC 8428, 4.4). The name's parts are percent-encoded where they hold a slash.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from ayni_core.metrics import unit_of
from ayni_core.readings import Series
from ayni_core.wire.errors import WireError, dump_json, load_json
from ayni_core.wire.field import (
    MAX_DEVICES,
    MAX_INFLATED,
    MAX_POLLS,
    MAX_SERIES,
    MAX_VALUES,
    check_item,
    check_value,
    check_word,
)
from ayni_core.wire.frame import DevicePolls, Frame, check_header, header

_SENML_UNITS = {
    "bps": "bit/s",
    "°C": "Cel",
    "dBm": "dBm",
    "%": "%",
    "V": "V",
    "A": "A",
    "W": "W",
    "s": "s",
    "m": "m",
}


def encode(frame: Frame) -> bytes:
    """The frame as SenML JSON."""
    records: list[dict[str, Any]] = [
        {"bn": f"urn:ayni:{frame.node}:", "bt": round(frame.wall_s, 2), "ayni": header(frame)}
    ]
    for device, polls in frame.devices.items():
        for i, at_s in enumerate(polls.times_s):
            for series, column in polls.values.items():
                value = column[i]
                if value is None:
                    continue
                record: dict[str, Any] = {"n": _name(device, series)}
                unit = _SENML_UNITS.get(unit_of(series.metric))
                if unit:
                    record["u"] = unit
                record["vs" if isinstance(value, str) else "v"] = value
                record["t"] = round(at_s, 2)
                records.append(record)
    return dump_json(records)


def decode(data: bytes) -> Frame:
    """The frame out of SenML JSON, whole, or `WireError`."""
    if len(data) > MAX_INFLATED:
        raise WireError(f"larger than {MAX_INFLATED} bytes")
    records = load_json(data)
    if not isinstance(records, list) or not records or len(records) > MAX_VALUES:
        raise WireError("expected a list of records")
    if not all(isinstance(record, dict) for record in records):
        raise WireError("expected a list of records")
    node, epoch, seq, boot, mono_s, wall_s, synced, next_by_s = check_header(records[0].get("ayni"))
    polls: dict[str, dict[float, dict[Series, Any]]] = {}
    for record in records[1:]:
        device, series = _split(record.get("n"))
        at_s = record.get("t", 0)
        value = record.get("v", record.get("vs"))
        if isinstance(at_s, bool) or not isinstance(at_s, int | float) or not 0 <= at_s <= 1e8:
            raise WireError("a time is not a time")
        if check_value(value) is None:
            raise WireError("not a value")
        polls.setdefault(device, {}).setdefault(float(at_s), {})[series] = value
    if len(polls) > MAX_DEVICES or any(len(times) > MAX_POLLS for times in polls.values()):
        raise WireError("too many devices or polls")
    devices = {}
    budget = MAX_VALUES
    for device, times in polls.items():
        series_of_device = {series for values in times.values() for series in values}
        budget -= len(times) * len(series_of_device)
        if len(series_of_device) > MAX_SERIES:
            raise WireError(f"more than {MAX_SERIES} series of one device")
        if budget < 0:
            raise WireError("too many values")
        devices[device] = DevicePolls()
        for moment in sorted(times):
            devices[device].add(moment, times[moment])
    return Frame(
        node=node, epoch=epoch, seq=seq, boot=boot, mono_s=mono_s, wall_s=wall_s, synced=synced,
        next_by_s=next_by_s, devices=devices,
    )  # fmt: skip


def _name(device: str, series: Series) -> str:
    return "/".join(quote(part, safe=":-_. ") for part in (device, *series))


def _split(name: object) -> tuple[str, Series]:
    parts = name.split("/") if isinstance(name, str) and len(name) < 2000 else []
    if len(parts) != 4 or not parts[0] or not parts[1] or not parts[3]:
        raise WireError("a name is device/group/item/metric")
    device, group, item, metric = (unquote(part) for part in parts)
    check_word(device, 48)
    check_word(group, 16)
    check_item(item)
    check_word(metric, 48)
    return device, Series(group, item, metric)
