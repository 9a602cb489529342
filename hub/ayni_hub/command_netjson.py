"""`ayni network netjson`: the network as a graph that other programs draw."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from ayni_core import netjson
from ayni_core.fault import fault
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_core.wire.messages import LinkView, SiteView
from ayni_hub.command_found import add_broker_options, broker_of_person
from ayni_hub.home import Home
from ayni_io import files
from ayni_io.i18n import _
from ayni_io.onlooker import Onlooker
from ayni_io.os_errors import os_cause

_WITHIN_S = 10.0
_LINK, _SITE = topics.net("link", ""), topics.net("site", "")
Views = tuple[dict[str, LinkView], dict[str, SiteView]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Its options, besides the folder."""
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help=_("write it there (default: show it)")
    )
    parser.add_argument("--devices", action="store_true", help=_("devices as nodes, instead of sites"))
    parser.add_argument("--places", action="store_true", help=_("tell where sites are"))
    parser.add_argument(
        "--live", action="store_true", help=_("ask the running network how its links are: states and costs")
    )
    add_broker_options(parser)


def run(home: Home, options: argparse.Namespace) -> int:
    """Write or show the graph. Raises `ConfigError`."""
    network = home.network()
    links: dict[str, LinkView] = {}
    sites: dict[str, SiteView] = {}
    if options.live:
        found = asyncio.run(_look(Onlooker(broker_of_person(home, options), f"{_LINK}+", f"{_SITE}+")))
        if found is None:
            print("ayni network netjson: " + _("The central did not answer."), file=sys.stderr)
            return 1
        links, sites = found
    graph = netjson.graph(network, links=links, sites=sites, devices=options.devices, places=options.places)
    text = json.dumps(graph, ensure_ascii=False, indent=1) + "\n"
    if options.output is None:
        print(text, end="")
        return 0
    try:
        files.write_text(options.output, text)
    except OSError as error:
        raise ConfigError([fault(f"{options.output}", "fault.unwritable", cause=os_cause(error))]) from None
    return 0


async def _look(eyes: Onlooker) -> Views | None:
    """What is retained of links and sites: it comes at once, and the hub's own state with it."""
    async with eyes:
        if not await eyes.until(lambda: topics.HUB in eyes.said, _WITHIN_S):
            return None
        count = -1
        while count != len(eyes.said):  # until nothing more comes
            count = len(eyes.said)
            await eyes.until(lambda seen=count: len(eyes.said) != seen, 0.5)  # type: ignore[misc]
        links = {view.id: view for view in eyes.below(_LINK, LinkView)}
        return links, {view.id: view for view in eyes.below(_SITE, SiteView)}
