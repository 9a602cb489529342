"""The *plain* encoding: SenML JSON (RFC 8428), readable with `mosquitto_sub` in a class room.

One record a value: base name `node:`, name `device/group/item/metric`, `v` a number, `vs` a text. What
the hub needs beyond that stands as `ayni` in the first record: a label that other readers pass over
(RFC 8428, 4.4), `notes` beside it. The name's parts are percent-encoded where they hold a slash.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from ayni_core.metrics import unit_of
from ayni_core.readings import Series
from ayni_core.wire.errors import WireError, dump_json, load_json
from ayni_core.wire.frame import DevicePolls, Frame, check_header, header
from ayni_core.wire.limits import (
    MAX_DEVICE,
    MAX_GROUP,
    MAX_INFLATED,
    MAX_VALUES,
    check_frame,
    check_item,
    check_metric,
    check_value,
    check_word,
    too_large,
)
from ayni_core.wire.note import decode_notes, encode_notes

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
    """The frame as SenML JSON. Raises `WireError` for what `decode` would refuse."""
    check_frame(frame)
    first: dict[str, Any] = {"bn": f"urn:ayni:{frame.node}:", "bt": round(frame.wall_s, 2)}
    first["ayni"] = header(frame)
    if frame.notes:
        first["notes"] = encode_notes(frame.notes)
    records = [first]
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
    data = dump_json(records)
    if len(data) > MAX_INFLATED:
        raise WireError("too large for one frame", kind="size")
    return data


def decode(data: bytes) -> Frame:
    """The frame out of SenML JSON, whole, or `WireError`."""
    if len(data) > MAX_INFLATED:
        raise WireError(f"larger than {MAX_INFLATED} bytes", kind="size")
    records = load_json(data, checked=True)
    if not isinstance(records, list) or not records or len(records) > MAX_VALUES:
        raise WireError("expected a list of records")
    if not all(isinstance(record, dict) for record in records):
        raise WireError("expected a list of records")
    named = check_header(records[0].get("ayni"))
    notes = decode_notes(records[0].get("notes", []))
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
    frame = Frame(**named, devices={device: _polls(times) for device, times in polls.items()}, notes=notes)
    if too_large(frame):
        raise WireError("too large for one frame", kind="size")
    return frame


def _polls(times: dict[float, dict[Series, Any]]) -> DevicePolls:
    """Polls in the order of their times; a column is made once its length is known to be small."""
    names = {series for values in times.values() for series in values}
    if len(names) * len(times) > MAX_VALUES:
        raise WireError("too large for one frame", kind="size")
    polls = DevicePolls()
    for moment in sorted(times):
        polls.add(moment, times[moment])
    return polls


def _name(device: str, series: Series) -> str:
    return "/".join(quote(part, safe=":-_. ") for part in (device, *series))


def _split(name: object) -> tuple[str, Series]:
    parts = name.split("/") if isinstance(name, str) and len(name) < 2000 else []
    if len(parts) != 4 or not parts[0] or not parts[1] or not parts[3]:
        raise WireError("a name is device/group/item/metric")
    device, group, item, metric = (unquote(part) for part in parts)
    check_word(device, MAX_DEVICE)
    check_word(group, MAX_GROUP)
    check_item(item)
    check_metric(metric)
    return device, Series(group, item, metric)
