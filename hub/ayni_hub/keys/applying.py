"""`ayni hub accounts --apply`: what is wanted of a running broker, out of options and files, and in words."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ayni_core.fault import UnfitError, fault
from ayni_core.schema import ConfigError
from ayni_core.wire.topics import Rights, rights
from ayni_hub.config import HubConfig
from ayni_hub.keys import live
from ayni_hub.keys.at_hub import keeper_of
from ayni_hub.keys.live import Order, Outcome
from ayni_io import accounts
from ayni_io.i18n import _, _n
from ayni_io.mqtt import DEFAULT_PORT, DEFAULT_TLS_PORT, BrokerConfig, broker_address
from ayni_io.secret import Secret

WOULD_CHANGE = 3
_TO_BE_MADE = Secret("")


def run(
    options: argparse.Namespace,
    config: HubConfig | None,
    roles: dict[str, str],
    extra: dict[str, Rights],
    given: dict[str, Secret],
) -> int:
    """Change the broker's accounts, or only say how. Raises `ConfigError` and `ControlError`."""
    allowed = {name: rights(name, role) for name, role in roles.items()} | extra
    names = {**allowed, **dict.fromkeys(options.reset)}
    passwords = passwords_of(options.folder, names, given, make=not options.check)
    order = Order(
        rights=allowed,
        passwords=passwords,
        reset=tuple(options.reset),
        delete=tuple(options.delete),
        disable=tuple(options.disable),
        enable=tuple(options.enable),
    )
    broker = _broker(options, config, passwords)
    outcome = asyncio.run(live.apply(broker, order, check=options.check))
    print(_as_json(outcome) if options.json else "\n".join(_lines(outcome, check=options.check)))
    if not options.json:
        say_missing(outcome.missing)
    return WOULD_CHANGE if options.check and outcome.changed else 0


def _broker(
    options: argparse.Namespace, config: HubConfig | None, passwords: Mapping[str, Secret]
) -> BrokerConfig:
    """The broker as the account that may change accounts. Raises `ConfigError`."""
    if config is not None and options.broker is None:
        if config.accounts is not None:
            return keeper_of(config, options.config)
        where = BrokerConfig(
            host=config.broker.host,
            port=config.broker.port,
            protocol=config.broker.protocol,
            ca=Path(config.broker.ca) if config.broker.ca else None,
        )
    else:
        port = DEFAULT_TLS_PORT if options.ca else DEFAULT_PORT
        try:
            host, port = broker_address(options.broker or "127.0.0.1", port)
        except UnfitError as error:
            raise ConfigError([fault("--broker", error.what)]) from None
        if options.ca is None and host not in ("127.0.0.1", "::1", "localhost"):
            raise ConfigError([fault("--ca", "fault.missing_tls")])
        where = BrokerConfig(host=host, port=port, ca=options.ca)
    keeper = f"k-{options.hub}"
    if keeper not in passwords:
        raise ConfigError([fault(keeper, "fault.keeper_unknown")])
    return replace(where, username=keeper, password=passwords[keeper])


def _lines(outcome: Outcome, *, check: bool) -> list[str]:
    lines = [f"{_WORDS[step.what]()} {step.account}".rstrip() for step in outcome.steps]
    lines += [_("other password: {account}", account=name) for name in outcome.reset]
    lines += [
        _("left alone, because nothing tells of it: {account}", account=name) for name in outcome.left_alone
    ]
    lines += [_("disabled: {account}", account=name) for name in outcome.disabled]
    changes = len(outcome.steps) + len(outcome.reset)
    if not changes:
        return [*lines, _("nothing changed") if not check else _("nothing would change")]
    if check:
        return [*lines, _n("{n} change would be made", "{n} changes would be made", changes)]
    return [*lines, _n("{n} change made", "{n} changes made", changes)]


_WORDS = {
    "delete": lambda: _("delete"),
    "defaults": lambda: _("refuse what no right names"),
    "disable": lambda: _("disable"),
    "rights": lambda: _("rights"),
    "enable": lambda: _("enable"),
    "create": lambda: _("create"),
}


def _as_json(outcome: Outcome) -> str:
    return json.dumps(
        {
            "changed": outcome.changed,
            "steps": [{"what": step.what, "account": step.account} for step in outcome.steps],
            "reset": outcome.reset,
            "left_alone": outcome.left_alone,
            "disabled": outcome.disabled,
            "missing": outcome.missing,
        }
    )


def say_missing(names: Sequence[str]) -> None:
    """Name accounts that could not be made."""
    if names:
        text = _(
            "left out, because their passwords are not known here: {accounts}", accounts=", ".join(names)
        )
        print(text)


def passwords_of(
    folder: Path | None, names: Mapping[str, object], given: Mapping[str, Secret], *, make: bool
) -> dict[str, Secret]:
    """Those that are given, and those of the folder. New ones are made there; without `make` it is only said
    that there would be one."""
    found = dict(given)
    for name in names:
        if name in found or folder is None:
            continue
        if make or (folder / "secrets" / name).is_file():
            found[name] = Secret(accounts.prepare([name], folder / "secrets")[name])
        else:
            found[name] = _TO_BE_MADE
    return found
