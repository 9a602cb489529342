"""`agent.yaml`: one node's slice of the network. Defaults live here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ayni_core import low_battery, sources
from ayni_core.fault import Fault, UnfitError
from ayni_core.inventory import ENGINES, read_data_cap, split_address
from ayni_core.reference import read_reference
from ayni_core.rules import law
from ayni_core.rules import place as places
from ayni_core.rules.place import NOWHERE, Place
from ayni_core.schema import NAME, Faults, Fields, did_you_mean
from ayni_core.snmpaccess import (
    Protected,
    WriteAccess,
    read_user,
    read_version,
    read_write,
)
from ayni_core.sources import Source
from ayni_core.trapaccess import TrapsConfig, read_traps
from ayni_core.wire.codec import ENCODINGS
from ayni_core.wire.limits import MAX_POLLS
from ayni_io import yamlfile
from ayni_io.mqtt import BrokerReference, read_broker


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """One device to poll. `expected_dbm` is what its radio should hear when all is well; without `write`
    nothing on it can be changed. What has a `source` is not asked over SNMP: `host` is empty then. `rules`
    are the rules that are different for it, at its `place`."""

    name: str
    host: str
    port: int
    version: str
    engine: str
    community: str | None
    user: str | None
    auth: Protected | None
    priv: Protected | None
    profile: str | None
    expected_dbm: float | None
    write: WriteAccess | None = None
    source: Source | None = None
    place: Place = NOWHERE
    rules: law.Section = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is asked, for people."""
        return self.source.where if self.source is not None else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """Everything that an agent is told. Without `state_dir` frames wait in memory only; without `runtime_dir`
    an agent that is killed loses the open frame.
    """

    node: str
    broker: BrokerReference
    poll_s: float
    flush_s: float
    encoding: str
    state_dir: Path | None
    runtime_dir: Path | None
    devices: Mapping[str, DeviceConfig]
    data_cap_mb_per_month: float | None = None
    traps: TrapsConfig | None = None
    shutdown: low_battery.Shutdown | None = None
    rules: law.Section = field(default_factory=dict)


def parse(fields: Fields) -> AgentConfig:
    """Read the top mapping of agent.yaml."""
    config = AgentConfig(
        node=fields.name("node"),
        broker=read_broker(fields.child("broker")),
        poll_s=fields.number("poll_s", 60, at_least=1, at_most=3600),
        flush_s=fields.number("flush_s", 300, at_least=5, at_most=86400),
        encoding=fields.choice("encoding", ENCODINGS, "field"),
        state_dir=_folder(fields, "state_dir"),
        runtime_dir=_folder(fields, "runtime_dir"),
        devices=fields.named("devices", _device),
        data_cap_mb_per_month=read_data_cap(fields),
        traps=read_traps(fields),
        shutdown=low_battery.read(fields),
        rules=law.read(fields),
    )
    if config.flush_s > MAX_POLLS / 2 * config.poll_s:
        most = MAX_POLLS // 2
        span = f"{most * config.poll_s:g}"
        fields.fault("flush_s", "fault.at_most_polls", most=most, span=span, got=config.flush_s)
    if config.shutdown is not None and config.shutdown.device not in config.devices:
        hint = did_you_mean(config.shutdown.device, config.devices)
        fields.fault("shutdown.device", "fault.not_polled", name=config.shutdown.device, hint=hint)
    if config.flush_s < config.poll_s:
        fields.fault(
            "flush_s", "fault.at_least_other", other="poll_s", least=config.poll_s, got=config.flush_s
        )
    return config


def _device(name: str, fields: Fields) -> DeviceConfig:
    if "source" in fields:
        return _beyond_snmp(name, fields)
    host, port = "", 161
    address = fields.text("address")
    if address:
        try:
            host, port = split_address(address)
        except UnfitError as error:
            fields.fault("address", error.what)
    profile = fields.text("profile", "auto")
    if profile != "auto" and not NAME.fullmatch(profile):
        fields.fault("profile", "fault.name", given=profile)
    version = read_version(fields)
    engine = fields.choice("engine", ENGINES, ENGINES[0])
    community = read_reference(fields, "community") if version != "3" else None
    user, auth, priv = read_user(fields, version, engine)
    device = DeviceConfig(
        name=name,
        host=host,
        port=port,
        version=version,
        engine=engine,
        community=community,
        user=user,
        auth=auth,
        priv=priv,
        profile=None if profile == "auto" else profile,
        expected_dbm=fields.number("expected_dbm", None, at_least=-120, at_most=0),
        write=read_write(fields, version),
        place=_place(fields),
        rules=law.read(fields),
    )
    fields.done()
    return device


def _place(fields: Fields) -> Place:
    below = fields.child("place")
    found = places.read(below)
    below.done()
    return found


def _beyond_snmp(name: str, fields: Fields) -> DeviceConfig:
    source = sources.read(fields.child("source"))
    device = DeviceConfig(
        name=name, host="", port=0, version="", engine=ENGINES[0], community=None, user=None, auth=None,
        priv=None, profile=None, expected_dbm=None, source=source, place=_place(fields),
        rules=law.read(fields),
    )  # fmt: skip
    fields.done()
    return device


def unknown_rules(config: AgentConfig, known: Collection[str], source: str) -> list[Fault]:
    """Where a section `rules` speaks of a rule that there is not on this machine."""
    faults = Faults(source)
    law.unknown(config.rules, known, "rules", faults)
    for device in config.devices.values():
        law.unknown(device.rules, known, f"devices.{device.name}.rules", faults)
    return faults.noted


def _folder(fields: Fields, key: str) -> Path | None:
    text = fields.text(key, None)
    return Path(text) if text else None


def load(path: Path) -> AgentConfig:
    """The configuration in a file, or `ConfigError` with every fault of it."""
    return yamlfile.read(path, parse)
