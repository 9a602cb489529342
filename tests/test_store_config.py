"""The section `store:` of hub.yaml is read strictly; no secret leaves the machine in the clear."""

from __future__ import annotations

import pytest

from ayni_core.schema import ConfigError, Faults, Fields
from ayni_hub.store_config import StoreConfig, read_store
from ayni_io import yamlfile


def read(text: str) -> StoreConfig:
    value, lines = yamlfile.load(text, "hub.yaml")
    faults = Faults("hub.yaml", lines)
    config = read_store(Fields(value, "store", faults))
    faults.stop()
    return config


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", StoreConfig()),
        ("kind: embedded", StoreConfig()),
        (
            "{kind: victoriametrics, url: 'http://vm.lan:8428/'}",
            StoreConfig(kind="victoriametrics", url="http://vm.lan:8428"),
        ),
        (
            "{kind: victoriametrics, url: 'https://vm.example.org/valle', token: 'env:T', ca: /ca.pem}",
            StoreConfig(
                kind="victoriametrics", url="https://vm.example.org/valle", token="env:T", ca="/ca.pem"
            ),
        ),
        (
            "{kind: influxdb, url: 'http://[::1]:8086', token: 'file:/t', org: a b, bucket: b}",
            StoreConfig(kind="influxdb", url="http://[::1]:8086", token="file:/t", org="a b", bucket="b"),
        ),
        (
            "{kind: victoriametrics, url: 'http://localhost:1', username: u, password: 'credential:p'}",
            StoreConfig(
                kind="victoriametrics", url="http://localhost:1", username="u", password="credential:p"
            ),
        ),
    ],
)
def test_what_can_be_said(text: str, expected: StoreConfig) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kind: influx", 'unknown value "influx"; did you mean "influxdb"?'),
        ("{kind: embedded, url: 'http://x'}", "store.url: belongs to kind: victoriametrics or influxdb"),
        ("kind: victoriametrics", "store.url: is missing"),
        ("{kind: victoriametrics, url: vm.lan}", '"vm.lan" must be http://HOST:PORT or https://HOST'),
        ("{kind: victoriametrics, url: 'http://x?y=1'}", "without user, password and query"),
        ("{kind: victoriametrics, url: 'http://x:99999'}", "has no host and port that can be"),
        ("{kind: victoriametrics, url: 'http://x', bucket: 'a b'}", "store.bucket"),
        ("{kind: victoriametrics, url: 'http://x', buckets: a}", 'unknown key; did you mean "bucket"?'),
        ("{kind: influxdb, url: 'http://localhost'}", "store.token: is missing"),
        ("{kind: influxdb, url: 'http://x.org', token: 'env:T'}", "store.url: must begin with https"),
        (
            "{kind: victoriametrics, url: 'http://x.org', username: u, password: 'env:P'}",
            "secrets travel over TLS only",
        ),
        ("{kind: victoriametrics, url: 'http://x', username: u}", "username and password belong together"),
        (
            "{kind: victoriametrics, url: 'https://x', username: 'u:v', password: 'env:P'}",
            "must not hold a colon",
        ),
        (
            "{kind: victoriametrics, url: 'https://x', username: u, password: 'env:P', token: 'env:T'}",
            "a token or a password, not both",
        ),
    ],
)
def test_what_cannot_be_said_is_a_fault(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert fault in str(caught.value)


def test_a_secret_in_the_wrong_place_is_not_repeated() -> None:
    for text in (
        "{kind: victoriametrics, url: 'http://u:hunter2@x'}",
        "{kind: influxdb, url: 'https://x', token: hunter2}",
    ):
        with pytest.raises(ConfigError) as caught:
            read(text)
        assert "hunter2" not in str(caught.value)


def test_what_a_secret_refers_to_is_told_by_its_place() -> None:
    config = StoreConfig(kind="influxdb", url="http://localhost", token="env:AYNI_NO_SUCH_TOKEN")
    with pytest.raises(ConfigError, match=r"hub.yaml: store.token: the environment variable AYNI_NO_SUCH"):
        config.secrets("hub.yaml")
