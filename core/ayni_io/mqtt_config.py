"""Where a broker is and who we are there: the `broker:` section of config files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ayni_core.address import split_address
from ayni_core.fault import UnfitError
from ayni_core.schema import ConfigError, Fields
from ayni_io import keyring, secret
from ayni_io.secret import Secret

PROTOCOLS = ("5", "3.1.1")
DEFAULT_PORT, DEFAULT_TLS_PORT = 1883, 8883
_HERE = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """Where the broker is and who we are there. TLS is used when `ca` is set."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    username: str | None = None
    password: Secret | None = None
    ca: Path | None = None
    exact: bool = False
    """`ca` is the broker's own certificate, which a person has compared: its names do not count."""
    protocol: str = "5"
    also: tuple[tuple[str, int], ...] = ()
    """Further addresses where the same account is taken, to be tried in this order."""
    also_ca: Path | None = None
    """What vouches for them, where that is not `ca`."""
    others: tuple[Secret, ...] = ()
    """Passwords to be tried where `password` is refused: of an account whose password is being renewed."""

    def ca_of(self, host: str, port: int) -> Path | None:
        """What vouches for an address; None: no TLS there."""
        return self.ca if (host, port) == (self.host, self.port) else self.also_ca or self.ca

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """All of them, the preferred one first."""
        return ((self.host, self.port), *self.also)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerReference:
    """The `broker:` section of a config file; the password is still a reference."""

    host: str
    port: int
    username: str | None
    password: str | None
    ca: str | None
    protocol: str
    also: tuple[str, ...] = ()
    also_ca: str | None = None

    def resolve(self, where: str, state: Path | None = None) -> BrokerConfig:
        """Fetch the password. One that was renewed, kept in the part's folder `state`, wins over the one that
        is referred to. Raises `ConfigError`."""
        passwords = self._renewed(state)
        try:
            seed = secret.resolve(self.password, f"{where}: broker.password") if self.password else None
        except ConfigError:
            if not passwords:
                raise
            seed = None
        if seed is not None and seed not in passwords:
            passwords = (*passwords, seed)
        return BrokerConfig(
            host=self.host,
            port=self.port,
            username=self.username,
            password=passwords[0] if passwords else None,
            others=passwords[1:],
            ca=Path(self.ca) if self.ca else None,
            protocol=self.protocol,
            also=tuple(
                broker_address(each, DEFAULT_TLS_PORT if self.also_ca else self.port) for each in self.also
            ),
            also_ca=Path(self.also_ca) if self.also_ca else None,
        )

    def keyring(self, state: Path | None) -> Path | None:
        """Where renewed passwords of this account are kept; None: nowhere."""
        return state / keyring.FOLDER / self.username if state and self.username else None

    def _renewed(self, state: Path | None) -> tuple[Secret, ...]:
        path = self.keyring(state)
        return keyring.read(path) if path is not None else ()


def read_broker(fields: Fields) -> BrokerReference:
    """Read the `broker:` section of agent.yaml and hub.yaml."""
    ca = fields.text("ca", None)
    reference = BrokerReference(
        host=fields.text("host", "127.0.0.1"),
        port=fields.number(
            "port", DEFAULT_TLS_PORT if ca else DEFAULT_PORT, at_least=1, at_most=65535, whole=True
        ),
        username=fields.text("username", None),
        password=secret.check_reference(fields, "password", "") or None,
        ca=ca,
        protocol=fields.choice("protocol", PROTOCOLS, "5"),
        also=fields.texts("also"),
        also_ca=fields.text("also_ca", None),
    )
    hosts = []
    for each in reference.also:
        try:
            hosts.append(broker_address(each)[0])
        except UnfitError as error:
            fields.fault("also", error.what)
    for key, found in (("ca", [reference.host]), ("also_ca", [] if reference.also_ca else hosts)):
        if not ca and not _HERE.issuperset(found):
            fields.fault(key, "fault.missing_tls")
    fields.done()
    return reference


def broker_address(text: str, default_port: int = DEFAULT_PORT) -> tuple[str, int]:
    """`HOST[:PORT]` -> (host, port). Raises `UnfitError`."""
    host, port = split_address(text)
    has_port = text.strip().endswith(f":{port}") and (not text.strip().startswith("[") or "]:" in text)
    return host, port if has_port else default_port
