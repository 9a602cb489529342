"""The devices of this node for those who do something with one: a session to read, a session to change."""

from __future__ import annotations

from collections.abc import Mapping

from ayni_agent.config import DeviceConfig
from ayni_agent.eyes import Sight
from ayni_core.fault import Fault
from ayni_core.schema import ConfigError
from ayni_io import snmp_access
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_access import Access
from ayni_io.snmp_set import SnmpWriter, open_writer

TIMEOUT_S, TRIES = 2.0, 3


def write_access(devices: Mapping[str, DeviceConfig], source: str) -> dict[str, Access]:
    """Who may change each device that has a section `write`. Raises `ConfigError` with every missing
    secret."""
    faults: list[Fault] = []
    found: dict[str, Access] = {}
    for name, device in devices.items():
        if device.write is None:
            continue
        try:
            found[name] = snmp_access.resolve(
                f"{source}: devices.{name}.write",
                version=device.write.version,
                community=device.write.community,
                user=device.write.user,
                auth=device.write.auth,
                priv=device.write.priv,
            )
        except ConfigError as error:
            faults += error.noted
    if faults:
        raise ConfigError(faults)
    return found


class Devices:
    """What this node polls. `use` takes a configuration that was read anew."""

    def __init__(
        self,
        configs: Mapping[str, DeviceConfig],
        read: Mapping[str, Access | Sight],
        write: Mapping[str, Access],
    ) -> None:
        self.use(configs, read, write)

    def use(
        self,
        configs: Mapping[str, DeviceConfig],
        read: Mapping[str, Access | Sight],
        write: Mapping[str, Access],
    ) -> None:
        """From now on these."""
        self._configs = dict(configs)
        self._read = {name: access for name, access in read.items() if not isinstance(access, Sight)}
        self._write = dict(write)

    def names(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._configs)

    def config(self, name: str) -> DeviceConfig | None:
        """What is known of one."""
        return self._configs.get(name)

    def reader(self, name: str) -> SnmpReader:
        """A session of its own to read; the caller closes it. Raises `KeyError`, also where the device is not
        asked over SNMP, and `ModuleNotFoundError`."""
        device, access = self._configs[name], self._read[name]
        return open_session(
            device.host,
            device.port,
            version=access.version,
            community=access.community,
            user=access.user,
            timeout_s=TIMEOUT_S,
            tries=TRIES,
            engine=device.engine,
        )

    def writer(self, name: str) -> SnmpWriter | None:
        """A session to change the device, which the caller closes; None where nobody may.

        Raises `KeyError`, and `ModuleNotFoundError` where pysnmp is not installed.
        """
        device, access = self._configs[name], self._write.get(name)
        if access is None:
            return None
        return open_writer(device.host, device.port, access, timeout_s=TIMEOUT_S, tries=TRIES)
