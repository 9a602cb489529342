"""What has to change at a broker so that its accounts are those of the inventory: pure comparison.

Commands and answers are those of Mosquitto's dynamic-security plugin (its README.md). Each account has one
role of its own name. `Broker` is what the broker has, `plan` what is to be done, in an order in which a cut
in the middle leaves nobody with more rights than before or after: first whoever goes, then rights, then
whoever is new. The password of an account that is there is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ayni_core.schema import NAME
from ayni_core.wire.topics import Rights

Command = dict[str, Any]
Acl = tuple[str, str, int, bool]
"""Kind, topic, priority, whether it is allowed."""
DEFAULTS: Mapping[str, bool] = {
    "publishClientSend": False,
    "publishClientReceive": False,
    "subscribe": False,
    "unsubscribe": True,
}
"""What happens where no right says anything."""
OURS = re.compile(f"[abehklnprw]-{NAME.pattern}")
"""Accounts of these names are ours; any other is somebody else's, and left alone."""
_INVENTORY = ("n-", "p-")
"""Kinds that the inventory names all of: one of these that it does not name goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A client that the broker has."""

    name: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """What a broker has: clients, the rights of each role, and what holds where no right does."""

    accounts: Mapping[str, Account]
    roles: Mapping[str, frozenset[Acl]]
    defaults: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change. `what` is `delete`, `rights`, `create`, `disable`, `enable` or `defaults`; of `create` the
    password is still missing in its command."""

    what: str
    account: str
    commands: tuple[Command, ...]

    def with_password(self, password: str) -> tuple[Command, ...]:
        """The commands, with the password of a new account."""
        return tuple(
            {**each, "password": password} if each["command"] == "createClient" else each
            for each in self.commands
        )


def acls(allowed: Rights) -> list[Command]:
    """Rights as the plugin writes them. What is heard needs both: to ask for it, and to be given it."""
    rows = [("publishClientSend", topic) for topic in allowed.publish]
    for topic in allowed.subscribe:
        rows += [("subscribePattern", topic), ("publishClientReceive", topic)]
    return [{"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind, topic in rows]


def read_broker(
    clients: Iterable[Mapping[str, Any]], roles: Iterable[Mapping[str, Any]], defaults: Mapping[str, Any]
) -> Broker:
    """What `listClients`, `listRoles` (both verbose) and `getDefaultACLAccess` answered. Raises `KeyError`,
    `TypeError` or `ValueError` for what is none of it."""
    accounts = [
        Account(
            name=str(each["username"]),
            roles=tuple(str(role["rolename"]) for role in each.get("roles", ())),
            groups=tuple(str(group["groupname"]) for group in each.get("groups", ())),
            disabled=bool(each.get("disabled", False)),
        )
        for each in clients
    ]
    return Broker(
        accounts={each.name: each for each in accounts},
        roles={str(each["rolename"]): _set(each.get("acls", ())) for each in roles},
        defaults={str(each["acltype"]): bool(each["allow"]) for each in defaults["acls"]},
    )


def plan(
    wanted: Mapping[str, Rights],
    broker: Broker,
    *,
    delete: Iterable[str] = (),
    disable: Iterable[str] = (),
    enable: Iterable[str] = (),
    myself: str = "",
) -> tuple[Step, ...]:
    """Every change that is needed; none means that all is as it should be.

    `delete`, `disable` and `enable` name accounts beyond what the inventory says. Accounts that the inventory
    does not know all of, such as those of workers, go only when they are named. `myself` is the account that
    does it, whose session has to last.
    """
    going = set(delete)
    off, on = set(disable) - going, set(enable) - going
    steps: list[Step] = []
    for name in sorted(broker.accounts):
        if name in going or (OURS.fullmatch(name) and name[:2] in _INVENTORY and name not in wanted):
            steps.append(Step(what="delete", account=name, commands=removal(name, broker)))
    for name in sorted(broker.roles):
        if name in going | wanted.keys() or name in broker.accounts or not OURS.fullmatch(name):
            continue
        # left behind by a cut
        steps.append(Step(what="delete", account=name, commands=removal(name, broker)))
    if any(broker.defaults.get(kind) != allowed for kind, allowed in DEFAULTS.items()):
        rows = [{"acltype": kind, "allow": allowed} for kind, allowed in DEFAULTS.items()]
        steps.append(
            Step(what="defaults", account="", commands=({"command": "setDefaultACLAccess", "acls": rows},))
        )
    for name in sorted(off & broker.accounts.keys()):
        if not broker.accounts[name].disabled:
            command = {"command": "disableClient", "username": name}
            steps.append(Step(what="disable", account=name, commands=(command,)))
    kept = [name for name in wanted if name not in going]
    steps += [step for name in kept if (step := _rights(name, wanted[name], broker, name == myself))]
    for name in sorted(on & broker.accounts.keys()):
        if broker.accounts[name].disabled:
            command = {"command": "enableClient", "username": name}
            steps.append(Step(what="enable", account=name, commands=(command,)))
    steps += [
        creation(name, wanted[name], known=name in broker.roles)
        for name in kept
        if name not in broker.accounts
    ]
    return tuple(steps)


def creation(name: str, allowed: Rights, *, known: bool = False) -> Step:
    """A new account; `known`: its role is there already, with the rights it should have."""
    role = {"command": "createRole", "rolename": name, "acls": acls(allowed)}
    client = {"command": "createClient", "username": name, "roles": [{"rolename": name}]}
    return Step(what="create", account=name, commands=(client,) if known else (role, client))


def left_alone(wanted: Mapping[str, Rights], broker: Broker, steps: Iterable[Step]) -> tuple[str, ...]:
    """Accounts that the broker has, nobody asked for, and this leaves as they are. Those of invitations end
    by themselves."""
    going = {step.account for step in steps if step.what == "delete"}
    left = broker.accounts.keys() - wanted.keys() - going
    return tuple(sorted(name for name in left if not name.startswith("e-")))


def removal(name: str, broker: Broker) -> tuple[Command, ...]:
    """The commands that take away an account and its role, as far as they are there."""
    commands: list[Command] = []
    if name in broker.accounts:
        commands.append({"command": "deleteClient", "username": name})
    if name in broker.roles:
        commands.append({"command": "deleteRole", "rolename": name})
    return tuple(commands)


def _rights(name: str, allowed: Rights, broker: Broker, myself: bool) -> Step | None:
    """Rights of an account that is there, or of a role that was left without one."""
    account, rows = broker.accounts.get(name), acls(allowed)
    has, should = broker.roles.get(name), _set(rows)
    commands: list[Command] = []
    if has is None and account is not None:
        commands.append({"command": "createRole", "rolename": name, "acls": rows})
    elif has is not None and has != should:
        commands.append({"command": "modifyRole", "rolename": name, "acls": rows})
    if account is not None:
        strayed = account.roles != (name,) or bool(account.groups)
        # what it was refused it asks for only at its next connection: this ends the present one
        more = bool(commands) and not account.disabled and bool(_hears(should) - _hears(has or ()))
        if strayed or (more and not myself):
            commands.append(_alone(name))
    return Step(what="rights", account=name, commands=tuple(commands)) if commands else None


def _alone(name: str) -> Command:
    return {"command": "modifyClient", "username": name, "roles": [{"rolename": name}], "groups": []}


def _hears(rows: Iterable[Acl]) -> set[str]:
    return {topic for kind, topic, _priority, allow in rows if kind.startswith("subscribe") and allow}


def _set(rows: Iterable[Mapping[str, Any]]) -> frozenset[Acl]:
    return frozenset(
        (str(row["acltype"]), str(row["topic"]), int(row.get("priority", 0)), bool(row["allow"]))
        for row in rows
    )
