"""One thing at the central from the command line: connect, take the picture in, ask, and leave."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_core.schema import ConfigError
from ayni_io.i18n import _, reason
from ayni_io.mqtt import BrokerConfig

SETTLES_WITHIN_S = 15.0
_CALM_S = 0.3


def run(
    name: str, where: Callable[[], tuple[str, BrokerConfig]], do: Callable[[ConsoleClient], Awaitable[int]]
) -> int:
    """The exit status of `do`, which sees the whole picture; 2 where there is no way to the central, or no
    answer. `name` is the command; `where` gives the person and the broker, or raises `ConfigError`."""
    try:
        user, broker = where()
    except ConfigError as error:
        print(reason(error), file=sys.stderr)
        return 2
    try:
        return asyncio.run(_run(ConsoleClient(broker, user), do))
    except NoAnswer as error:
        print(f"{name}: {error}", file=sys.stderr)
    except TimeoutError:
        print(f"{name}: " + _("There is no way to the central just now."), file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 2


async def _run(client: ConsoleClient, do: Callable[[ConsoleClient], Awaitable[int]]) -> int:
    running = asyncio.create_task(client.run())
    try:
        async with asyncio.timeout(SETTLES_WITHIN_S):
            await client.settled.wait()
            if not client.model.connected:
                raise NoAnswer(client.model.trouble or _("There is no way to the central just now."))
            version = -1
            while version != client.model.version:
                version = client.model.version
                await asyncio.sleep(_CALM_S)
        return await do(client)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def now(client: ConsoleClient) -> float:
    """The central's time."""
    return client.model.now(time.time())
