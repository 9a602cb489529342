"""The `store:` section of hub.yaml: where samples are kept. Defaults live here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ayni_core.message import Phrase
from ayni_core.schema import Fields
from ayni_io import secret
from ayni_io.secret import Secret

KINDS = ("embedded", "victoriametrics", "influxdb")
_HERE = ("127.0.0.1", "::1", "localhost")
_URL = re.compile(r"https?://[^\s/@?#]+(?:/[^\s?#]*)?")
"""No user and password in it: people see where a store is, and logs do."""
_BUCKET = r"[A-Za-z0-9_-]{1,64}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """What a hub is told of its store; secrets are still references. `bucket` is that of InfluxDB, and the
    label `db` of everything that is ours in VictoriaMetrics."""

    kind: str = "embedded"
    url: str = ""
    bucket: str = "ayni"
    org: str = "ayni"
    token: str | None = None
    username: str | None = None
    password: str | None = None
    ca: str | None = None

    def secrets(self, where: str) -> tuple[Secret | None, Secret | None]:
        """Token and password. Raises `ConfigError`."""
        token = secret.resolve(self.token, f"{where}: store.token") if self.token else None
        password = secret.resolve(self.password, f"{where}: store.password") if self.password else None
        return token, password


_DEFAULT = StoreConfig()


def read_store(fields: Fields) -> StoreConfig:
    """Read the section; every fault is noted."""
    kind = fields.choice("kind", KINDS, _DEFAULT.kind)
    config = StoreConfig(
        kind=kind,
        url=fields.text("url", "").rstrip("/"),
        bucket=fields.text("bucket", _DEFAULT.bucket, pattern=_BUCKET),
        org=fields.text("org", _DEFAULT.org),
        token=secret.check_reference(fields, "token", "") or None,
        username=fields.text("username", None),
        password=secret.check_reference(fields, "password", "") or None,
        ca=fields.text("ca", None),
    )
    fields.done()
    if kind == "embedded":
        for key in ("url", "bucket", "org", "token", "username", "password", "ca"):
            if key in fields:
                fields.fault(key, "fault.belongs_to_store")
        return config
    _check_url(fields, config)
    if bool(config.username) != bool(config.password):
        key = "password" if config.username else "username"
        fields.fault(key, "fault.together", one="username", other="password")
    if config.username and ":" in config.username:
        fields.fault("username", "fault.must_not_hold", what=Phrase("word.colon"))
    if config.token and config.password:
        fields.fault("password", "fault.token_or_password")
    if kind == "influxdb" and not config.token:
        fields.fault("token", "fault.missing", wanted=Phrase("word.bucket_token"))
    return config


def _check_url(fields: Fields, config: StoreConfig) -> None:
    if not config.url:
        fields.fault("url", "fault.missing", wanted="http://HOST:PORT, https://HOST")
        return
    if not _URL.fullmatch(config.url):
        # what stands before an @ may be a secret: it is not repeated
        fields.fault("url", "fault.url", given="…" if "@" in config.url else config.url)
        return
    try:
        parts = urlsplit(config.url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        fields.fault("url", "fault.no_host", given=config.url)
        return
    if (config.token or config.password) and parts.scheme == "http" and host not in _HERE:
        fields.fault("url", "fault.https_secrets")
