"""Eyes beyond SNMP: each reads one kind of source (`ayni_core.sources`) into the same readings.

A kind has a module, imported when a device of that kind is there, which alone knows its library. `prepare`
fetches secrets and looks whether the library is installed, so that what is missing is told at the start; the
`Sight` it gives is what `open_eye` needs.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ayni_core.fault import Fault, fault
from ayni_core.readings import Series, Value
from ayni_core.schema import ConfigError
from ayni_core.sources import Source
from ayni_io import secret
from ayni_io.secret import Secret


class EyeError(Exception):
    """The source did not give what it was asked for; the text is one sentence: what, where, why."""


class Eye(Protocol):
    """One open source. A read that is cancelled leaves nothing behind that could hold up the next."""

    async def read(self) -> Mapping[Series, Value]:
        """Everything it says now. Raises `EyeError`; what it says in part is no error."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """A source with its secrets, by the key that refers to each. An equal one need not be opened anew.

    `patience_s` is how long a read may take, for eyes that can give in part what they have until then.
    """

    source: Source
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    patience_s: float = field(default=30.0, compare=False)


@dataclass(frozen=True, slots=True)
class _Kind:
    """The module with a function `open_eye(Sight) -> Eye`; what must be installed for it; the extra that
    brings it. With `checks` it has a function `check(source, where)` too, which raises `ConfigError`."""

    module: str
    needs: str = ""
    extra: str = ""
    checks: bool = False


_KINDS: Mapping[str, _Kind] = {
    "probes": _Kind("ayni_agent.eyes.probes", checks=True),
    "host": _Kind("ayni_agent.eyes.host"),
    "openmetrics": _Kind("ayni_agent.eyes.web", checks=True),
    "json": _Kind("ayni_agent.eyes.web", checks=True),
    "ve-direct": _Kind("ayni_agent.eyes.vedirect", needs="serial", extra="power"),
    "modbus": _Kind("ayni_agent.eyes.modbus", needs="pymodbus", extra="power", checks=True),
    "ina219": _Kind("ayni_agent.eyes.ina219", needs="smbus2", extra="power"),
    "nut": _Kind("ayni_agent.eyes.nut"),
}


def prepare(source: Source, where: str) -> Sight:
    """Fetch what it takes to open a source. Raises `ConfigError` with all that is missing."""
    kind = _KINDS[source.KIND]
    faults: list[Fault] = []
    secrets: dict[str, Secret] = {}
    if kind.needs and importlib.util.find_spec(kind.needs) is None:
        faults.append(_lacks(kind, source, where, kind.needs))
    elif kind.checks:
        try:
            importlib.import_module(kind.module).check(source, where)
        except ConfigError as error:
            faults += error.noted
        except ModuleNotFoundError as error:  # what the library itself needs
            faults.append(_lacks(kind, source, where, error.name or kind.needs))
    for key, reference in source.secrets.items():
        try:
            secrets[key] = secret.resolve(reference, f"{where}.{key}")
        except ConfigError as error:
            faults += error.noted
    if faults:
        raise ConfigError(faults)
    return Sight(source, secrets)


def _lacks(kind: _Kind, source: Source, where: str, module: str) -> Fault:
    return fault(where, "fault.needs_module", kind=source.KIND, module=module, extra=kind.extra)


def open_eye(sight: Sight) -> Eye:
    """The eye for a source that was prepared. Nothing is sent yet."""
    eye: Eye = importlib.import_module(_KINDS[sight.source.KIND].module).open_eye(sight)
    return eye
