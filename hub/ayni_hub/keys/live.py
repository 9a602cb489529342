"""The accounts of a running broker made what the inventory says: looked at, compared, changed, told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ayni_core import account_plan
from ayni_core.account_plan import Step
from ayni_core.wire.topics import Rights
from ayni_io.control import Control, ControlError, controlling, takes
from ayni_io.mqtt import BrokerConfig
from ayni_io.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted. `passwords` are those that are known here: for new accounts, and for those that are to
    have another one (`reset`)."""

    rights: Mapping[str, Rights]
    passwords: Mapping[str, Secret] = field(default_factory=dict)
    reset: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    enable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done, or would be: changes, accounts given another password, accounts that nobody asked for
    and that stay, and accounts that stay away because no password for them is known."""

    steps: tuple[Step, ...] = ()
    reset: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is different from before."""
        return bool(self.steps or self.reset)


async def apply(broker: BrokerConfig, order: Order, *, check: bool = False) -> Outcome:
    """Carry it out, or with `check` only say what it would be. Raises `ControlError`; a second try goes on
    where the first one ended."""
    async with controlling(broker) as control:
        found = await control.look()
        known = order.rights.keys() | found.accounts.keys()
        _check_known((*order.reset, *order.delete, *order.disable, *order.enable), known)
        steps = account_plan.plan(
            order.rights,
            found,
            delete=order.delete,
            disable=order.disable,
            enable=order.enable,
            myself=broker.username or "",
        )
        missing = [
            step.account for step in steps if step.what == "create" and step.account not in order.passwords
        ]
        steps = tuple(step for step in steps if step.account not in missing)
        gone = {step.account for step in steps if step.what == "delete"}
        reset = [name for name in order.reset if name in found.accounts and name not in gone]
        _check_passwords(reset, order.passwords)
        reset = [name for name in reset if not await takes(broker, name, order.passwords[name])]
        if not check:
            await _do(control, steps, reset, order.passwords, myself=broker.username or "")
    off = {name for name, account in found.accounts.items() if account.disabled} | set(order.disable)
    return Outcome(
        steps=steps,
        reset=tuple(reset),
        left_alone=account_plan.left_alone(order.rights, found, steps),
        disabled=tuple(sorted(off - set(order.enable) - gone)),
        missing=tuple(missing),
    )


async def _do(
    control: Control,
    steps: Sequence[Step],
    reset: Iterable[str],
    passwords: Mapping[str, Secret],
    *,
    myself: str,
) -> None:
    for step in steps:
        secret = passwords.get(step.account)
        await control.ask(*(step.with_password(secret.reveal()) if secret else step.commands))
    for name in sorted(reset, key=lambda each: each == myself):  # our own session ends with it
        try:
            await control.set_password(name, passwords[name])
        except ControlError:
            if name != myself:
                raise


def _check_known(names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise ControlError(f"{name}: neither the inventory nor the broker has this account")


def _check_passwords(names: Iterable[str], passwords: Mapping[str, Secret]) -> None:
    for name in names:
        if name not in passwords:
            raise ControlError(f"{name}: its new password was not given")
