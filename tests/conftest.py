"""Fixtures that more than one test file uses; the real programs behind them are in parts.py."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import parts
import pytest

# Whatever language is spoken here, by locale or by choice: tests read English unless they say otherwise.
os.environ["AYNI_LANG"] = "en"

# A shell starts what runs behind it with SIGINT ignored, and every program below would inherit that (sh(1)).
signal.signal(signal.SIGINT, signal.default_int_handler)


WAITING = (
    "walk_operator", "walk_newcomer", "walk", "lost_broker", "start", "wheel", "demo", "web_console",
    "connecting", "console_tmux", "campaign", "chain", "agent_outage", "hub_workers", "alert_killed",
    "store_killed", "people_killed", "people_hub", "hub_far_store", "store_away", "guard_process",
    "command_tap", "phone_page", "terminals", "snapshots", "console_slow", "screen_do", "links_found",
    "translations", "store_contract", "alert_storm", "clock_time", "wire", "snmp_walks", "store_embedded",
    "malicious", "restore_drill", "full_disk",
)  # fmt: skip
"""Files that take long, most of them by waiting for programs: others fill the time when these begin first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those first."""
    places = {f"test_{name}": place for place, name in enumerate(WAITING)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session")
def snmpd_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A running net-snmp agent; its community is `parts.SNMPD_COMMUNITY`."""
    with parts.snmpd(tmp_path_factory.mktemp("snmpd")) as port:
        yield port
