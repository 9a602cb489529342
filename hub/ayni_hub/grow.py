"""Growing a network.yaml entry by entry: each change is checked as a whole before the file is replaced."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.schema import ConfigError, Faults, Fields, did_you_mean
from ayni_core.slug import slug
from ayni_io import files, yamledit, yamlfile
from ayni_io.i18n import _


class Growing:
    """One network.yaml under change: `add` entries, then `save` all of them or none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = yamlfile.read_text(path)
        self.network = _parse(self._text, str(path))

    def add(self, section: str, name: str, entry: dict[str, Any]) -> None:
        """Add one entry. Raises `ConfigError` with every fault that the file would then have."""
        text = yamledit.insert(self._text, section, name, entry)
        self.network = _parse(text, str(self.path))
        self._text = text

    def add_all(self, section: str, entries: Mapping[str, dict[str, Any]]) -> None:
        """Add many entries of one section at once, however many. Raises `ConfigError` as `add` does."""
        if entries:
            text = yamledit.insert_all(self._text, section, entries)
            self.network = _parse(text, str(self.path))
            self._text = text

    def put(self, path: Sequence[str], key: str, value: Any) -> None:
        """Set a key of an entry at a path such as `("people", "ana")`. Raises `ConfigError` as `add`."""
        text = yamledit.put(self._text, path, key, value)
        self.network = _parse(text, str(self.path))
        self._text = text

    def save(self) -> None:
        """Replace the file."""
        files.write_text(self.path, self._text)

    def site(self, wanted: str | None) -> str:
        """The name of a site given by name or title; an unknown one is added. None: the only one."""
        sites = self.network.sites
        if wanted is None:
            if len(sites) == 1:
                return next(iter(sites))
            raise ConfigError([_("--site: which one? Known are {names}", names=", ".join(sites))])
        for site in sites.values():
            if wanted in (site.name, site.title):
                return site.name
        name = slug(wanted, "site", sites)
        self.add("sites", name, {"title": wanted})
        return name

    def node(self, wanted: str | None) -> str:
        """The name of the node that shall poll. None: the only node there is."""
        nodes = self.network.nodes
        if wanted is None and len(nodes) == 1:
            return next(iter(nodes))
        if wanted in nodes:
            return str(wanted)
        hint = did_you_mean(wanted or "", nodes)
        raise ConfigError([_("--node: which monitor shall ask the device{hint}", hint=hint)])

    def device(self, wanted: str) -> str:
        """The name of a device given by name or title."""
        for device in self.network.devices.values():
            if wanted in (device.name, device.title):
                return device.name
        hint = did_you_mean(wanted, self.network.devices)
        raise ConfigError([_('no device "{name}"{hint}', name=wanted, hint=hint)])


def must_exist(path: Path) -> None:
    """Raise `ConfigError` unless there is a network.yaml."""
    if not path.is_file():
        raise ConfigError([_("{path}: there is no network yet; begin with ayni start", path=path)])


@contextlib.contextmanager
def growing(path: Path) -> Iterator[Growing]:
    """Change a network.yaml; two who do so at once wait for each other. Raises `ConfigError`."""
    must_exist(path)
    with (path.parent / ".network.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Growing(path)


def _parse(text: str, source: str) -> Network:
    value, lines = yamlfile.load(text, source)
    faults = Faults(source, lines)
    fields = Fields(value if value is not None else {}, "", faults)
    network = inventory.parse(fields)
    fields.done()
    faults.stop()
    return network
