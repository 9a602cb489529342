"""What stands beside a hub by its configuration: pages for other programs and for phones, Home Assistant."""

from __future__ import annotations

from collections.abc import Callable

from ayni_core import __version__
from ayni_core.fault import fault
from ayni_core.home_assistant import Wanted
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError, did_you_mean
from ayni_hub.config import HubConfig
from ayni_hub.inside import Companion, Inside
from ayni_hub.numbers.health import Health
from ayni_hub.numbers.home_assistant import HomeAssistant, earlier_prefix
from ayni_hub.numbers.serving import Numbers
from ayni_hub.numbers.snapshot import Snapshot
from ayni_hub.phone.serving import Phone
from ayni_hub.phone.watching import Watching
from ayni_io import clock, timezones
from ayni_io.mqtt import BrokerConfig


def of(config: HubConfig, inside: Inside, broker: BrokerConfig) -> list[Companion]:
    """Those that are configured. Raises `ConfigError` where a secret cannot be had, or a site is unknown."""
    found: list[Companion] = []
    snapshot = Snapshot(inside.judge, inside.picture)
    if config.numbers is not None:
        found.append(Numbers(config.numbers, inside.network, snapshot, looking(config, inside)).run)
    if config.phone is not None:
        zone = timezones.find(inside.network.timezone, "network.timezone")
        found.append(Phone(config.phone, Watching(inside, snapshot), zone).run)
    wanted = config.home_assistant
    if wanted is not None:
        _check_sites(wanted, inside)
    if wanted is not None or earlier_prefix(config.data_dir) is not None:
        name = f"h-{config.name}-home-assistant"
        home = HomeAssistant(wanted, inside.network, snapshot, broker, name, config.data_dir)
        found.append(home.run)
    return found


def _check_sites(wanted: Wanted, inside: Inside) -> None:
    sites = inside.network.sites
    where, what = "hub.yaml: home_assistant.sites", Phrase("word.site")
    faults = [
        fault(where, "fault.unknown", what=what, name=name, hint=did_you_mean(name, sites))
        for name in wanted.sites
        if name not in sites
    ]
    if faults:
        raise ConfigError(faults)


def looking(config: HubConfig, inside: Inside) -> Callable[[], Health]:
    """A look at the hub, to be taken on its loop."""
    started_at = clock.wall_s()

    def look() -> Health:
        intake, totals = inside.intake, inside.intake.ingest.totals
        heard = [news.as_of for news in inside.judge.nodes.values() if news.as_of is not None]
        return Health(
            version=__version__,
            state=intake.state,
            started_at=started_at,
            connected=inside.voice.connected,
            frames=totals.frames,
            samples=totals.samples,
            repeated=totals.repeated,
            refused=totals.refused,
            inbox_frames=len(intake.inbox),
            inbox_bytes=intake.inbox.size_bytes,
            newest=max(heard, default=None),
            alerts=tuple(inside.judge.alerts.values()),
            folder=config.data_dir,
        )

    return look
