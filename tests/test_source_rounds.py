"""Devices beyond SNMP in the loops of an agent: each at its turn, and one in trouble disturbs no other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from parts import free_port

from ayni_agent import config
from ayni_agent.command_run import prepare
from ayni_agent.polling import Polling
from ayni_core.readings import Poll, Series
from ayni_core.schema import Faults, Fields
from ayni_io.profiles import Profiles


def agent_config(devices: dict[str, Any]) -> config.AgentConfig:
    faults = Faults("agent.yaml")
    given = {"node": "pi", "broker": {"host": "127.0.0.1"}, "poll_s": 5, "devices": devices}
    found = config.parse(Fields(given, "", faults))
    faults.stop()
    return found


@contextlib.asynccontextmanager
async def polling(polls: list[Poll]) -> AsyncIterator[Polling]:
    made = Polling(Profiles(), polls.append, {})
    running = asyncio.create_task(made.run())
    try:
        async with asyncio.timeout(30):
            yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_sources_are_polled_in_turn_and_troubles_stay_where_they_are(tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nsleep 60\n")
    sleeper.chmod(0o755)
    probes = {
        "stuck": {"what": "plugin", "command": [str(sleeper)], "timeout_s": 20},
        "quick": {"what": "plugin", "command": ["/bin/echo", "fine"]},
    }
    given = agent_config(
        {
            "itself": {"source": {"kind": "host"}},
            "way-out": {"source": {"kind": "probes", "probes": probes}},
            "page": {"source": {"kind": "openmetrics", "url": f"http://127.0.0.1:{free_port()}/"}},
        }
    )

    async def run() -> None:
        polls: list[Poll] = []
        async with polling(polls) as made:
            made.use(given.devices, prepare(given, Profiles(), "agent.yaml"), given.poll_s)
            while {poll.device for poll in polls} != set(given.devices):
                await asyncio.sleep(0.01)
            by_name = {poll.device: poll for poll in polls}
            assert Series("system", "", "uptime_s") in by_name["itself"].values
            assert by_name["itself"].values[Series("system", "", "profile")] == "host"
            assert "Connection refused" in str(by_name["page"].error)
            reached = by_name["way-out"]
            assert reached.error is None, (
                "a probe that hangs is a finding, within the time for the whole read"
            )
            assert reached.values[Series("ping", "quick", "probe_state")] == 0
            assert reached.values[Series("ping", "stuck", "probe_state")] == 3
            again = await made.now("itself")
            assert isinstance(again.values[Series("system", "", "cpu_pct")], float), "the eye stayed open"

    asyncio.run(run())
