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


@pytest.fixture(scope="session")
def snmpd_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A running net-snmp agent; its community is `parts.SNMPD_COMMUNITY`."""
    with parts.snmpd(tmp_path_factory.mktemp("snmpd")) as port:
        yield port
