"""`ayni agent poll --config FILE --device NAME`: read a device beyond SNMP once, and show what it says."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ayni_agent import eyes
from ayni_agent.eyes import EyeError, Sight
from ayni_agent.poll_report import heading, label, shown
from ayni_core import sources
from ayni_core.fault import fault
from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS, Series, Value
from ayni_core.schema import ConfigError, Faults, Fields, did_you_mean
from ayni_io import yamlfile
from ayni_io.i18n import _, reason

_PATIENCE_S = 30.0
States = Mapping[Series, Mapping[int, str]]
"""Names of numbers that only this source knows."""


def main(config: Path | None, device: str | None, host: str | None, *, as_json: bool) -> int:
    """0 when the source answered; 1 when it did not; 2 when the question was wrong."""
    try:
        if config is None or device is None:
            raise ConfigError([_("--config FILE and --device NAME belong together")])
        if host is not None:
            raise ConfigError([_("give a host or a device of a file, not both")])
        found, states = asyncio.run(_read(_sight(config, device)))
    except ConfigError as error:
        print(f"ayni agent poll: {reason(error)}", file=sys.stderr)
        return 2
    except EyeError as error:
        print(f"ayni agent poll: {error}", file=sys.stderr)
        return 1
    except TimeoutError:
        text = _("nothing came within {within} s", within=f"{_PATIENCE_S:.0f}")
        print(f"ayni agent poll: {text}", file=sys.stderr)
        return 1
    if as_json:
        json.dump({"readings": [_reading(*each) for each in found.items()]}, sys.stdout, ensure_ascii=False)
        print()
    else:
        print("\n".join(_lines(found, states)))
    return 0


def _sight(config: Path, device: str) -> Sight:
    """What the file says of one device; the others' faults are not looked for."""
    value, lines = yamlfile.load(yamlfile.read_text(config, str(config)), str(config))
    devices = value.get("devices") if isinstance(value, dict) else None
    known = {
        str(name): section["source"]
        for name, section in (devices if isinstance(devices, dict) else {}).items()
        if isinstance(section, dict) and "source" in section
    }
    if device not in known:
        hint = did_you_mean(device, known)
        raise ConfigError([fault(f"{config}", "fault.no_source", name=device, hint=hint)])
    path = f"devices.{device}.source"
    faults = Faults(str(config), lines)
    source = sources.read(Fields(known[device], path, faults))
    faults.stop()
    return eyes.prepare(source, f"{config}: {path}")


async def _read(sight: Sight) -> tuple[Mapping[Series, Value], States]:
    eye = eyes.open_eye(sight)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await eye.read(), getattr(eye, "states", {})
    finally:
        eye.close()


def _reading(series: Series, value: Value) -> dict[str, Any]:
    return {**series._asdict(), "value": value, "unit": METRICS[series.metric].unit}


def _lines(found: Mapping[Series, Value], states: States) -> list[str]:
    lines: list[str] = []
    for group in GROUPS:
        rows = sorted(
            ((series, value) for series, value in found.items() if series.group == group),
            key=lambda row: row[0],
        )
        if rows:
            lines += ["", heading(group)] if lines else [heading(group)]
        before = None
        for series, value in rows:
            item = "" if series.item == before else series.item
            before = series.item
            names = states.get(series) or METRICS[series.metric].states
            state = names.get(value) if isinstance(value, int) else None
            lines.append(f"  {item:<24} {label(series.metric):<26} {state or shown(series.metric, value)}")
    return lines
