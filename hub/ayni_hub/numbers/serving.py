"""The pages that other programs read: numbers at `/metrics`, the graph at `/netjson`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from ayni_core import netjson
from ayni_core.inventory import Network
from ayni_core.wire.messages import LinkView, SiteView
from ayni_hub.numbers import exposition, health, readings, states
from ayni_hub.numbers.config import NumbersConfig
from ayni_hub.numbers.exposition import Family, Rows
from ayni_hub.numbers.health import Health
from ayni_hub.numbers.snapshot import Snapshot
from ayni_io.http_server import HttpServer, Page, Reply, Request
from ayni_io.http_standing import stand


class Numbers:
    """Serves until cancelled. `look` is called on the hub's loop and tells how the hub is; `pages` are
    further ones by their paths."""

    def __init__(
        self,
        config: NumbersConfig,
        network: Network,
        snapshot: Snapshot,
        look: Callable[[], Health],
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        """Raises `ConfigError` where the password cannot be had."""
        self._config, self._network, self._snapshot, self._look = config, network, snapshot, look
        own = {"/": self._index, "/metrics": self._metrics, "/netjson": self._netjson}
        self._pages = own | dict(pages or {})
        self.server = HttpServer(config.listen, self._pages)

    async def run(self) -> None:
        """Listen as soon as that is possible, until cancelled."""
        self._snapshot.begin()
        await stand(self.server, "numbers are")

    # ---- pages, in threads of the server

    def _index(self, _request: Request) -> Reply:
        text = "".join(f"{path}\n" for path in sorted(self._pages) if path != "/")
        return Reply(kind="text/plain; charset=utf-8", body=text.encode())

    def _metrics(self, request: Request) -> Reply:
        snapshot = self._snapshot
        views = snapshot.views()
        found: list[tuple[Family, Rows]] = health.families(snapshot.on_loop(self._look), views)
        links = [view for view in views if isinstance(view, LinkView)]
        found += states.families(views, snapshot.baselines(links))
        if self._config.readings:
            found += readings.families(snapshot.devices())
        kind = exposition.kind_wanted(request)
        return Reply(kind=kind, body=exposition.written(found, kind), headers={"Vary": "Accept"})

    def _netjson(self, request: Request) -> Reply:
        views = self._snapshot.views()
        made = netjson.graph(
            self._network,
            links={view.id: view for view in views if isinstance(view, LinkView)},
            sites={view.id: view for view in views if isinstance(view, SiteView)},
            devices=request.query.get("nodes") == "devices",
            places=self._config.places,
            only_up=request.query.get("links") == "up",
        )
        return Reply(kind="application/json", body=json.dumps(made, ensure_ascii=False).encode())
