"""`ayni hub migrate` brings samples to a server and back, counts both sides, and may be interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from parts import VictoriaMetrics
from test_store_contract import DAY, MODEL, OCTETS, START, busy_device, report

from ayni_core.schema import ConfigError
from ayni_hub import command_migrate, command_store, lock, migrating
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.remote import RemoteStore
from ayni_hub.store import StoreError


@pytest.fixture
def victoria(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VictoriaMetrics]:
    """One that shows at once what it was given; else each count waits for seconds."""
    with VictoriaMetrics.running(tmp_path) as server:
        plain = RemoteStore.count

        def shown(store: RemoteStore, device: str, start: float, end: float) -> int:
            server.show()
            return plain(store, device, start, end)

        monkeypatch.setattr(RemoteStore, "count", shown)
        yield server


@pytest.fixture
def config(tmp_path: Path, victoria: VictoriaMetrics) -> Path:
    """A hub.yaml with a server, and an embedded store full of samples beside it."""
    path = tmp_path / "hub.yaml"
    path.write_text(
        f"broker: {{}}\nnetwork: {tmp_path}/network.yaml\ndata_dir: {tmp_path}\n"
        f"store: {{kind: victoriametrics, url: '{victoria.url}'}}\n"
    )
    with closing(EmbeddedStore(tmp_path / "store.db")) as store:
        store.keep(busy_device("cpe", 4))
        store.keep([report(seq, "ap") for seq in range(400)])
        while store.upkeep(START + 10 * DAY):
            pass
    return path


def there(config: Path) -> list[str]:
    return ["--from", "embedded", "--to", "victoriametrics", "--config", str(config)]


def everything(store: EmbeddedStore) -> dict[tuple[str, object], list[object]]:
    return {
        (device, series): list(store.values(device, series, 0, 4e9))
        for device in store.devices()
        for series in sorted(store.names(device))
    }


def test_there_and_back_again_is_what_it_was(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(EmbeddedStore(tmp_path / "store.db")) as store:
        before = everything(store)
    total = sum(map(len, before.values()))
    assert command_migrate.main(there(config)) == 0
    out = capsys.readouterr().out
    assert f"{total} samples brought over" in out
    assert "ap: 8000 read, 8000 there" in out
    assert command_migrate.main(there(config)) == 0, "again: there is nothing more to do"
    assert "\n0 samples brought over" in capsys.readouterr().out
    (tmp_path / "store.db").rename(tmp_path / "store.old")
    back = ["--from", "victoriametrics", "--to", "embedded", "--config", str(config)]
    assert command_migrate.main(back) == 0
    assert f"{total} samples brought over" in capsys.readouterr().out
    with closing(EmbeddedStore(tmp_path / "store.db")) as store:
        assert everything(store) == before
        newest = {series: value for series, _at, value in store.latest("ap")}
        assert newest[MODEL] == "hAP ac²"
        assert newest[OCTETS] == 1_999_000


def test_what_lies_on_a_server_is_exported_too(config: Path, tmp_path: Path) -> None:
    assert command_migrate.main(there(config)) == 0
    (tmp_path / "store.db").unlink()
    out = tmp_path / "samples.csv"
    assert command_store.export_main(["ap", "--config", str(config), "-o", str(out)]) == 0
    lines = out.read_text().splitlines()
    assert len(lines) == 8001
    assert "2024-10-04T00:00:00.000Z,ap,system,,model,hAP ac²" in lines


def test_what_was_interrupted_goes_on_where_it_was(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "_AT_ONCE", 1000)
    arguments = there(config)
    written: list[int] = []
    plain = RemoteStore.write

    def failing(store: RemoteStore, samples: object) -> int:
        if len(written) == 3:
            raise StoreError("the lights went out")
        written.append(plain(store, samples))  # type: ignore[arg-type]
        return written[-1]

    with monkeypatch.context() as patch:
        patch.setattr(RemoteStore, "write", failing)
        assert command_migrate.main(arguments) == 1
    done = json.loads((tmp_path / "migrate.json").read_text())["done"]
    assert [day for day, _count in done.values()] == [20_002], "two days of ap were done"
    days: list[int] = []

    def counting(store: RemoteStore, samples: object) -> int:
        days.append(1)
        return plain(store, samples)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(RemoteStore, "write", counting)
        assert command_migrate.main(arguments) == 0
    assert len(days) == 4, "those of cpe; the first was written, and not counted"


def test_what_the_server_does_not_keep_is_told(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(migrating, "_SHOWN_S", 0.5)
    monkeypatch.setattr(RemoteStore, "write", lambda _store, samples: len(list(samples)))
    assert command_migrate.main(there(config)) == 1
    assert "samples of 2024-10-04 were written, and 0 of them can be read back" in capsys.readouterr().err


def test_while_the_hub_runs_it_refuses(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock.held(tmp_path):
        assert command_migrate.main(there(config)) == 1
    assert "a hub runs on it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "target", "fault"),
    [
        ("embedded", "embedded", "one of them must be embedded"),
        ("influxdb", "victoriametrics", "one of them must be embedded"),
        ("embedded", "influxdb", "store.kind: expected influxdb, got victoriametrics"),
    ],
)
def test_stores_that_do_not_fit_are_told(config: Path, source: str, target: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        command_migrate.main(["--from", source, "--to", target, "--config", str(config)])
