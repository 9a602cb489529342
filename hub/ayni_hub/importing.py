"""`ayni network import FILE`: many devices at once, all of them or, where there is a fault, none."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ayni_core.device_list import COLUMNS, DeviceList, Listed, Places, read_list
from ayni_core.inventory import Network, split_address
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError, did_you_mean
from ayni_core.slug import slug
from ayni_core.snmpaccess import VERSIONS
from ayni_hub import adding
from ayni_hub.adding import Credentials
from ayni_hub.grow import Growing, growing
from ayni_hub.home import Home
from ayni_io import secret, snmp_options, yamlfile
from ayni_io.i18n import _, _n
from ayni_io.profiles import Profiles
from ayni_io.snmp_access import too_short


def add_options(result: argparse.ArgumentParser) -> None:
    """The options of `ayni network import`."""
    result.formatter_class = argparse.RawDescriptionHelpFormatter
    result.epilog = _("Columns of a table, in any order:") + "".join(
        f"\n  {name:<15} {_column(name)}" for name in COLUMNS
    )
    result.add_argument(
        "file", type=Path, metavar="FILE", help=_("a table (CSV), or the devices of a UISP (JSON)")
    )
    result.add_argument("--check", action="store_true", help=_("say what would be added, and write nothing"))
    result.add_argument(
        "--community", metavar="@FILE", help=_("file with the community of those that have none in the list")
    )
    result.add_argument("--version", choices=VERSIONS, default=VERSIONS[0], help=_("of SNMP (default 2c)"))
    snmp_options.add(result)
    result.add_argument("--site", help=_("where those stand that have no site in the list"))
    result.add_argument("--node", help=_("which monitor asks them (default: the only one)"))


def bring(home: Home, options: argparse.Namespace) -> str:
    """Add what a list holds; what to say of it. Raises `ConfigError` with every fault of the list."""
    source = options.file.name
    listed = read_list(yamlfile.read_text(options.file, source), source)
    default = None
    if options.community is not None or options.version == "3":
        default = adding.from_options(options, ask=False)
    with growing(home.network_path) as change:
        plan = _Plan(change, home.folder, options, default, Places(source))
        plan.make(listed)
        if not options.check:
            for name, credentials in plan.credentials.items():
                credentials.keep(home.folder, name)
            change.save()
    return _told(plan, listed, check=options.check)


@dataclass(slots=True)
class _Plan:
    """What a list becomes in network.yaml."""

    change: Growing
    folder: Path
    options: argparse.Namespace
    default: Credentials | None
    places: Places
    sites: dict[str, dict[str, Any]] = field(default_factory=dict)
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    credentials: dict[str, Credentials] = field(default_factory=dict)
    known: int = 0

    def make(self, listed: DeviceList) -> None:
        """Change the network in memory. Raises `ConfigError` with every fault."""
        network = self.change.network
        names: dict[int, str] = {}
        standing = {(device.host, device.port): device.name for device in network.devices.values()}
        profiles = Profiles().names()
        for device in listed.devices:
            place = split_address(device.address)
            if place in standing:
                if standing[place] in network.devices:
                    self.known += 1  # a list may be brought again when it has grown
                else:
                    self.places.add(device.line, "address", "fault.stands_twice", name=device.address)
                names[device.line] = standing[place]
                continue
            name = names[device.line] = standing[place] = self._device(device, network)
            if device.profile and device.profile not in profiles:
                what, hint = Phrase("word.profile"), did_you_mean(device.profile, profiles)
                self.places.add(
                    device.line, "profile", "fault.unknown", what=what, name=device.profile, hint=hint
                )
            elif device.profile:
                self.devices[name]["profile"] = device.profile
        self._link(listed, names, network)
        self.places.stop()
        for section, entries in (("sites", self.sites), ("devices", self.devices), ("links", self.links)):
            self.change.add_all(section, entries)

    def _device(self, device: Listed, network: Network) -> str:
        taken = {**network.devices, **self.devices}
        fallback = "device-" + slug(split_address(device.address)[0], "1")
        name = device.name or slug(device.title or fallback, fallback, taken)
        if name in taken:
            self.places.add(device.line, "name", "fault.taken", name=name)
        credentials = self._credentials(device)
        self.credentials[name] = credentials
        self.devices[name] = {
            "title": device.title or device.address,
            "site": self._site(device, network),
            "node": self._node(device, network),
            "address": device.address,
            **credentials.entry(self.folder, name),
        }
        return name

    def _site(self, device: Listed, network: Network) -> str:
        wanted = device.site or self.options.site
        if not wanted:
            if len(network.sites) == 1:
                return next(iter(network.sites))
            self.places.add(device.line, "site", "fault.fill_in", option="--site")
            return ""
        for name, title in (
            *((site.name, site.title) for site in network.sites.values()),
            *((name, entry["title"]) for name, entry in self.sites.items()),
        ):
            if wanted in (name, title):
                return name
        name = slug(wanted, "site", {**network.sites, **self.sites})
        self.sites[name] = {"title": wanted}
        return name

    def _node(self, device: Listed, network: Network) -> str:
        wanted = device.node or self.options.node
        if not wanted and len(network.nodes) == 1:
            return next(iter(network.nodes))
        if wanted in network.nodes:
            return str(wanted)
        hint = did_you_mean(wanted or "", network.nodes)
        self.places.add(device.line, "node", "fault.which_monitor", name=wanted or "", hint=hint)
        return ""

    def _credentials(self, device: Listed) -> Credentials:
        """Of the list, else those of the options."""
        nobody = Credentials.community("2c", "public")
        given = {key: self._secret(device, f"{key}_file") for key in ("community", "auth", "priv")}
        if device.version == "3":
            if not device.user:
                self.places.add(device.line, "user", "fault.fill_in", option="--user")
                return nobody
            protected = {
                key: (getattr(device, f"{key}_protocol") or {"auth": "SHA", "priv": "AES"}[key], value)
                for key in ("auth", "priv")
                if (value := given[key]) is not None
            }
            for key, (_protocol, value) in protected.items():
                for fault in too_short(value):
                    self.places.add(device.line, f"{key}_file", fault)
                    return nobody
            return Credentials.of_user(device.user, protected.get("auth"), protected.get("priv"))
        community = given["community"]
        if community is not None:
            return Credentials.community(device.version or "2c", community.reveal())
        if device.community_file:
            return nobody
        if self.default is None:
            self.places.add(device.line, "community_file", "fault.fill_in", option="--community @FILE")
            return nobody
        return self.default

    def _secret(self, device: Listed, column: str) -> secret.Secret | None:
        path = getattr(device, column)
        if not path:
            return None
        try:
            return secret.from_file(self.options.file.parent / path, column)
        except ConfigError as error:
            where = error.noted[0].where.removeprefix(f"{column}: ")
            self.places.add(device.line, f"{column}: {where}", error.noted[0].what)
            return None

    def _link(self, listed: DeviceList, names: Mapping[int, str], network: Network) -> None:
        """Links by what people call the other end."""
        called: dict[str, str] = {}
        for known in network.devices.values():
            called |= {known.name: known.name, known.title: known.name, known.host: known.name}
        for name, entry in self.devices.items():
            called |= {name: name, entry["title"]: name, split_address(entry["address"])[0]: name}
        linked = {frozenset((link.a.device, link.b.device)) for link in network.links.values()}
        sites = {device.name: device.site for device in network.devices.values()}
        sites |= {name: entry["site"] for name, entry in self.devices.items()}
        titles = {site.name: site.title for site in network.sites.values()}
        titles |= {name: entry["title"] for name, entry in self.sites.items()}
        for device in listed.devices:
            if not device.link_to:
                continue
            name, other = names[device.line], called.get(device.link_to)
            if other is None:
                hint = did_you_mean(device.link_to, called)
                self.places.add(device.line, "link_to", "fault.no_device", name=device.link_to, hint=hint)
                continue
            if other == name:
                self.places.add(device.line, "link_to", "fault.device_itself")
                continue
            pair = frozenset((name, other))
            if pair in linked:
                continue
            linked.add(pair)
            ends = [sites[other], sites[name]]
            link = slug("-".join(ends), "link", {**network.links, **self.links}, longest=48)
            title = "-".join(titles.get(site, site) for site in ends)
            made: dict[str, Any] = {"title": title}
            if device.frequency_mhz is not None:
                made["frequency_mhz"] = device.frequency_mhz
            for letter, end in (("a", other), ("b", name)):
                made[letter] = {"device": end}
                if device.expected_dbm is not None:
                    made[letter]["expected_dbm"] = device.expected_dbm
            self.links[link] = made


def _told(plan: _Plan, listed: DeviceList, *, check: bool) -> str:
    what = ", ".join(
        (
            _n("{n} device", "{n} devices", len(plan.devices)),
            _n("{n} new site", "{n} new sites", len(plan.sites)),
            _n("{n} link", "{n} links", len(plan.links)),
        )
    )
    lines = [_("All is well: {what} would be added.", what=what) if check else _("Added: {what}.", what=what)]
    if plan.known:
        lines.append(_n("{n} is in your network already.", "{n} are in your network already.", plan.known))
    if listed.without_address:
        names = ", ".join(listed.without_address[:8]) + (" …" if len(listed.without_address) > 8 else "")
        lines.append(
            _n(
                "{n} has no address in the list and is left out: {names}",
                "{n} have no address in the list and are left out: {names}",
                len(listed.without_address),
                names=names,
            )
        )
    return "\n".join(lines)


def _column(name: str) -> str:
    """What a column is for, in the language in use."""
    words = {
        "title": _("what people call it (else its address)"),
        "name": _("its short name (else made from the title)"),
        "site": _("where it stands, by name or title; new ones are added"),
        "node": _("which monitor asks it (else the only one)"),
        "address": _("address or address:port; always needed"),
        "version": _("of SNMP: 2c, 1 or 3 (else 2c)"),
        "community_file": _("file whose first line is the community"),
        "user": _("who asks in version 3"),
        "auth_protocol": _("what authenticates the user (else SHA)"),
        "auth_file": _("file whose first line is that password"),
        "priv_protocol": _("what encrypts (else AES)"),
        "priv_file": _("file whose first line is that password"),
        "profile": _("how to read it (else it is found out)"),
        "link_to": _("the other end of its radio link: title, name or address"),
        "expected_dbm": _("what both ends should hear"),
        "frequency_mhz": _("of that link"),
    }
    return words[name]
