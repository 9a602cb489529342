"""A web server beside something more important: broken here means broken here only.

A port that is taken is told once and tried again, and the rest of the program goes on.
"""

from __future__ import annotations

import asyncio
import logging

from ayni_io.http_server import HttpServer, HttpServerError

log = logging.getLogger("http")
_AGAIN_S = 60.0


async def stand(server: HttpServer, what: str) -> None:
    """Listen as soon as that is possible, until cancelled. `what` is for the log: `numbers are`."""
    told = ""
    try:
        while True:
            try:
                server.start()
            except HttpServerError as error:
                if f"{error}" != told:
                    told = f"{error}"
                    log.error("%s not served cause=%s", what, error)
                await asyncio.sleep(_AGAIN_S)
                continue
            log.info("%s served at=%s:%d", what, server.host, server.port)
            await asyncio.Event().wait()
    finally:
        server.close()
