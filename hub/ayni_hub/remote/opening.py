"""Open the store on a server that a `store:` section describes."""

from __future__ import annotations

import logging
from pathlib import Path

from ayni_hub.remote.influx import Influx
from ayni_hub.remote.server import Server
from ayni_hub.remote.store import RemoteStore
from ayni_hub.remote.victoria import Victoria
from ayni_hub.store_config import StoreConfig

log = logging.getLogger("store")
SPOOL = "spool.db"


def open_remote(
    config: StoreConfig, data_dir: Path, *, gap_s: float, oldest_s: float, writes: bool = True
) -> RemoteStore:
    """The store of a hub on a server. Raises `StoreError`, and `ConfigError` for what secrets refer to. A
    server that is away is no error: `probe` tells."""
    server = open_server(config)
    if writes and (data_dir / "store.db").exists() and not (data_dir / SPOOL).exists():
        log.warning("store.db has samples that are not at the server yet: ayni hub migrate brings them there")
    return RemoteStore(data_dir / SPOOL, server, gap_s=gap_s, oldest_s=oldest_s, writes=writes)


def open_server(config: StoreConfig) -> Server:
    """The server of a `store:` section. Nothing is sent yet."""
    # influxdb-client takes a second and 30 MB: imported by those who have such a server only
    from ayni_hub.remote.line_client import Access, LineClient

    token, password = config.secrets("hub.yaml")
    access = Access(
        kind=config.kind,
        url=config.url,
        bucket=config.bucket,
        org=config.org,
        token=token,
        username=config.username,
        password=password,
        ca=Path(config.ca) if config.ca else None,
    )
    client = LineClient(access)
    if config.kind == "influxdb":
        return Influx(client, config.url, config.bucket)
    return Victoria(client, config.url, config.bucket)
