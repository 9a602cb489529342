"""What each part needs of the inventory: the mappings behind agent.yaml and hub.yaml.

An agent is given its own devices only: a node that is stolen knows nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ayni_core.inventory import ENGINES, Device, Network
from ayni_core.rules import law, place
from ayni_core.snmpaccess import Protected

Mapping = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFacts:
    """Where the broker is as a part sees it; `secrets` is the folder that holds a password per account.
    `also` are further addresses; they speak TLS by `also_ca` even where the first, on this machine, has none.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    protocol: str = "5"
    ca: str | None = None
    secrets: str
    also: tuple[str, ...] = ()
    also_ca: str | None = None


def broker_section(facts: BrokerFacts, account: str) -> Mapping:
    """The `broker:` section of a config file for one account."""
    section: Mapping = {
        "host": facts.host,
        "port": facts.port,
        "username": account,
        "password": f"file:{password_path(facts, account)}",
        "protocol": facts.protocol,
    }
    if facts.ca:
        section["ca"] = facts.ca
    if facts.also:
        section |= {"also": list(facts.also)} | ({"also_ca": facts.also_ca} if facts.also_ca else {})
    return section


def password_path(facts: BrokerFacts, account: str) -> str:
    """The file that holds the password of an account."""
    return f"{facts.secrets}/{account}"


def agent(
    network: Network,
    node: str,
    facts: BrokerFacts,
    *,
    state_dir: str | None = None,
    runtime_dir: str | None = None,
    metered: bool = False,
) -> Mapping:
    """The agent.yaml of one node; `metered`: with the cap on what its link may carry. Raises `KeyError` for a
    node that the network does not have."""
    name = network.nodes[node].name
    folders = {"state_dir": state_dir, "runtime_dir": runtime_dir}
    cap = network.data_cap_mb_per_month(name) if metered else None
    return {
        "node": name,
        "broker": broker_section(facts, f"n-{name}"),
        "poll_s": network.poll_s,
        "flush_s": network.flush_s,
        "encoding": "field",
        **({"data_cap_mb_per_month": cap} if cap is not None else {}),
        **{key: folder for key, folder in folders.items() if folder},
        **({"rules": law.written(network.rules)} if network.rules else {}),
        **({"traps": dict(traps)} if (traps := network.nodes[name].traps) is not None else {}),
        **({"shutdown": dict(off)} if (off := network.nodes[name].shutdown) is not None else {}),
        "devices": {device.name: _device(network, device) for device in network.devices_of(name)},
    }


def hub(name: str, facts: BrokerFacts, *, network_path: str, data_dir: str) -> Mapping:
    """The hub.yaml of a hub."""
    return {
        "name": name,
        "broker": broker_section(facts, f"h-{name}"),
        "network": network_path,
        "data_dir": data_dir,
    }


def accounts(
    network: Network,
    hub_name: str,
    *,
    lab: bool = False,
    keeper: bool = False,
    workers: Iterable[str] = (),
    villages: Iterable[str] = (),
    regions: Iterable[str] = (),
) -> dict[str, str]:
    """Every account that the community needs, with its role ("" where a role means nothing); `keeper`: also
    the one that changes accounts while the broker runs."""
    result = {f"h-{hub_name}": "", **({f"k-{hub_name}": ""} if keeper else {})}
    result |= {f"w-{worker}": "" for worker in workers}
    result |= {f"b-{village}": "" for village in villages}
    result |= {f"r-{region}": "" for region in regions}
    result |= {f"n-{node}": "" for node in network.nodes}
    result |= {f"p-{person.name}": person.role for person in network.people.values()}
    if lab:
        result["l-lab"] = ""
    return result


def _device(network: Network, device: Device) -> Mapping:
    if device.source is not None:
        return {"source": dict(device.source), **_judged(network, device)}
    host = f"[{device.host}]" if ":" in device.host else device.host
    fields: Mapping = {"address": f"{host}:{device.port}", "version": device.version}
    if device.engine != ENGINES[0]:
        fields["engine"] = device.engine
    if device.community:
        fields["community"] = device.community
    if device.user:
        fields["user"] = device.user
    fields |= _protections(device.auth, device.priv)
    if device.write is not None:
        who = {"community": device.write.community, "user": device.write.user}
        fields["write"] = {
            "version": device.write.version,
            **{key: each for key, each in who.items() if each},
            **_protections(device.write.auth, device.write.priv),
        }
    if device.profile:
        fields["profile"] = device.profile
    expected = _expected_dbm(network, device.name)
    if expected is not None:
        fields["expected_dbm"] = expected
    return fields | _judged(network, device)


def _judged(network: Network, device: Device) -> Mapping:
    """What a monitor has to know to judge as the hub does: the rules that are different there, and the place.
    A device that is an end of one link alone has what is different for that link, too."""
    site = network.sites[device.site]
    links = [link for link in network.links.values() for _side, end in link.ends if end.device == device.name]
    changes = law.together(site.rules, device.rules, links[0].rules if len(links) == 1 else {})
    where = place.written(place.of_site(site))
    return {
        **({"place": where} if where else {}),
        **({"rules": law.written(changes)} if changes else {}),
    }


def _protections(auth: Protected | None, priv: Protected | None) -> Mapping:
    given = (("auth", auth), ("priv", priv))
    return {key: {"protocol": each.protocol, "password": each.password} for key, each in given if each}


def _expected_dbm(network: Network, device: str) -> float | None:
    """What the device should hear, where that is one number: a sector with several peers has none."""
    ends = [end for link in network.links.values() for _letter, end in link.ends if end.device == device]
    return ends[0].expected_dbm if len(ends) == 1 else None
