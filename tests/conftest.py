"""Fixtures that more than one test file uses; the real programs behind them are in parts.py."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator

import parts
import pytest

# Whatever language is spoken here, by locale or by choice: tests read English unless they say otherwise.
os.environ["AYNI_LANG"] = "en"

# Thousands of tests are made before the first one runs, and none of them is ever rubbish: to look through
# them again and again would cost each process several seconds.
gc.disable()

# A shell starts what runs behind it with SIGINT ignored, and every program below would inherit that (sh(1)).
signal.signal(signal.SIGINT, signal.default_int_handler)


WAITING = (
    "console_slow", "snapshots", "demo", "backups", "snmp_v3", "terminals", "start", "walk_operator",
    "walk_newcomer", "walk", "lost_broker", "wheel", "web_console", "command_plain", "deploy_plays",
    "connecting", "console_tmux", "campaign", "chain", "agent_outage", "hub_workers", "alert_killed",
    "store_killed", "people_killed", "people_hub", "hub_far_store", "store_away", "guard_process",
    "command_tap", "phone_page", "rights_matrix", "agent_reload", "screen_do", "links_found",
    "translations", "store_contract", "alert_storm", "clock_time", "wire", "snmp_walks", "store_embedded",
    "malicious", "restore_drill", "full_disk",
)  # fmt: skip
"""Files that take long, most of them by waiting for programs: others fill the time when these begin first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those first."""
    places = {f"test_{name}": place for place, name in enumerate(WAITING)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_collection_finish() -> None:
    """What there is now stays to the end; rubbish is looked for in what the tests make."""
    gc.freeze()
    gc.enable()
    if "textual.css.stylesheet" in sys.modules:
        import sheets_once

        sheets_once.parse_sheets_once()


@pytest.fixture(scope="session")
def snmpd_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A running net-snmp agent; its community is `parts.SNMPD_COMMUNITY`."""
    with parts.snmpd(tmp_path_factory.mktemp("snmpd")) as port:
        yield port
