"""What the agent does on command: a module a doing, `ALL` by its name in `ayni_core.commands.COMMANDS`.

A doing takes a `Job` and returns an `Outcome`, or raises `Refused` (nothing was done), `Failed`, or one of
the guard's errors. What the device and the network do to it (`SnmpError`, `OSError`) it need not catch.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from ayni_agent.doings import identify, ping, plan, poe, poll, port, reboot, restart, traceroute, walk, watch
from ayni_agent.doings.job import Job, Outcome

ALL: Mapping[str, Callable[[Job], Coroutine[Any, Any, Outcome]]] = {
    "poll": poll.do,
    "ping": ping.do,
    "traceroute": traceroute.do,
    "walk": walk.do,
    "watch": watch.do,
    "identify": identify.do,
    "port": port.do,
    "poe": poe.do,
    "reboot": reboot.do,
    "restart": restart.do,
    "plan": plan.do,
}
