"""`accounts:` of hub.yaml: the account with which this hub looks after the accounts of its broker."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ayni_core.schema import Fields
from ayni_io import secret
from ayni_io.mqtt import BrokerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsConfig:
    """`password` is a reference. Passwords of nodes that are older than `renew_days` are renewed; None: only
    when somebody asks for it."""

    username: str
    password: str
    renew_days: float | None = None

    def broker(self, hub: BrokerConfig, where: str) -> BrokerConfig:
        """The hub's own broker, as the keeper of accounts. Raises `ConfigError`."""
        password = secret.resolve(self.password, f"{where}: accounts.password")
        return replace(hub, username=self.username, password=password, others=())


def read(fields: Fields, hub: str) -> AccountsConfig | None:
    """The section `accounts:`, if there is one."""
    below = fields.child("accounts")
    if "accounts" not in fields:
        return None
    config = AccountsConfig(
        username=below.text("username", f"k-{hub}"),
        password=secret.check_reference(below, "password"),
        renew_days=below.number("renew_days", None, at_least=1, at_most=3650),
    )
    below.done()
    return config
