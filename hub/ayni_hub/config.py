"""`hub.yaml`: where the hub finds the broker, the inventory and its own memory. Defaults live here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ayni_core.fault import UnfitError
from ayni_core.home_assistant import Wanted
from ayni_core.message import Phrase
from ayni_core.schema import Fields
from ayni_core.wire.topics import BUCKETS
from ayni_hub.backups import config as backup_config
from ayni_hub.backups.config import BackupConfig
from ayni_hub.keys import config as keys_config
from ayni_hub.keys.config import AccountsConfig
from ayni_hub.numbers import config as numbers_config
from ayni_hub.numbers.config import NumbersConfig
from ayni_hub.phone import config as phone_config
from ayni_hub.phone.config import PhoneConfig
from ayni_hub.retention import Retention, read_retention
from ayni_hub.roles import ROLES
from ayni_hub.store_config import StoreConfig, read_store
from ayni_io import yamlfile
from ayni_io.mqtt import BrokerReference, read_broker

_RUN = re.compile(r"\s*([0-9]{1,2})\s*(?:-\s*([0-9]{1,2})\s*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedConfig:
    """`feed:`: the broker of a server that is to have what this hub has. `keep_mb` and `keep_days` bound what
    waits for it; `mb_per_day` what a backlog may cost, None: as much as the link takes. Views that only moved
    are shown there every `show_s`."""

    broker: BrokerReference
    keep_mb: int
    keep_days: int
    mb_per_day: float | None
    show_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """Everything that a hub is told. `workers` are the folders of a judge's workers on the same machine;
    `certificates` are files of certificates that others show, such as the console in a browser."""

    name: str
    broker: BrokerReference
    network: Path
    data_dir: Path
    retain: Retention
    store: StoreConfig = field(default_factory=StoreConfig)
    role: str = "all"
    buckets: tuple[int, ...] = ()
    workers: tuple[Path, ...] = ()
    feed: FeedConfig | None = None
    numbers: NumbersConfig | None = None
    home_assistant: Wanted | None = None
    phone: PhoneConfig | None = None
    backup: BackupConfig | None = None
    accounts: AccountsConfig | None = None
    certificates: tuple[Path, ...] = ()


def parse(fields: Fields) -> HubConfig:
    """Read the top mapping of hub.yaml."""
    name = fields.name("name", "hub")
    config = HubConfig(
        name=name,
        broker=read_broker(fields.child("broker")),
        network=Path(fields.text("network")),
        data_dir=Path(fields.text("data_dir")),
        retain=read_retention(fields.child("retain")),
        store=read_store(fields.child("store")),
        role=fields.choice("role", ROLES, "all"),
        buckets=_buckets(fields),
        workers=tuple(Path(each) for each in fields.texts("workers")),
        feed=read_feed(fields),
        numbers=numbers_config.read(fields),
        home_assistant=numbers_config.read_home_assistant(fields),
        phone=phone_config.read(fields),
        backup=backup_config.read(fields),
        accounts=keys_config.read(fields, name),
        certificates=tuple(Path(each) for each in fields.texts("certificates")),
    )
    _check_role(fields, config)
    return config


def load(path: Path) -> HubConfig:
    """The configuration in a file, or `ConfigError` with every fault of it."""
    return yamlfile.read(path, parse)


def numbers_of(text: str) -> Iterator[int]:
    """Buckets out of "7" or "0-31". Raises `UnfitError`."""
    match = _RUN.fullmatch(text)
    if match is None:
        raise UnfitError("fault.said_expected", given=text[:40], wanted=Phrase("word.bucket"))
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last < BUCKETS:
        raise UnfitError("fault.bucket_range", given=text, most=BUCKETS - 1)
    yield from range(first, last + 1)


def _buckets(fields: Fields) -> tuple[int, ...]:
    given = fields.raw("buckets", ())
    found: set[int] = set()
    for each in given if isinstance(given, list | tuple) else (given,):
        try:
            if isinstance(each, bool) or not isinstance(each, int | str):
                raise UnfitError("fault.expected_got", wanted=Phrase("word.buckets"), got=f"{each!r:.40}")
            found.update(numbers_of(str(each)))
        except UnfitError as error:
            fields.fault("buckets", error.what)
    return tuple(sorted(found))


def read_feed(fields: Fields) -> FeedConfig | None:
    """The section `feed:`, if there is one."""
    below = fields.child("feed")
    if "feed" not in fields:
        return None
    config = FeedConfig(
        broker=read_broker(below.child("broker")),
        keep_mb=below.number("keep_mb", 256, at_least=1, at_most=100_000, whole=True),
        keep_days=below.number("keep_days", 30, at_least=1, at_most=3650, whole=True),
        mb_per_day=below.number("mb_per_day", None, at_least=0.1, at_most=1e6),
        show_s=below.number("show_s", 900, at_least=0, at_most=86_400),
    )
    below.done()
    return config


def _check_role(fields: Fields, config: HubConfig) -> None:
    """What only some roles are told."""
    worker, judge = config.role == "worker", config.role == "judge"
    if worker and not config.buckets:
        fields.fault("buckets", "fault.no_buckets")
    if config.buckets and not worker:
        fields.fault("buckets", "fault.role_buckets", role=config.role)
    far = config.store.kind != "embedded"
    if judge and not config.workers and not far:
        fields.fault("workers", "fault.no_workers")
    if judge and config.workers and far:
        fields.fault("workers", "fault.either", one="workers", other="store")
    if config.workers and not judge:
        fields.fault("workers", "fault.role_workers", role=config.role)
    if config.feed is not None and config.role != "all":
        fields.fault("feed", "fault.role_feed", role=config.role)
    for name in ("numbers", "home_assistant", "phone"):
        if getattr(config, name) is not None and not ROLES[config.role].judges:
            fields.fault(name, "fault.role_judges", role=config.role)
