"""What the hub has stored: check and repair, export and import."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest

from ayni_core.readings import Series
from ayni_core.wire import codec
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_hub import command_store, exchange
from ayni_hub.embedded import EmbeddedStore, inspection
from ayni_hub.exchange import ExchangeError
from ayni_hub.ledger import Ledger
from ayni_hub.store import Kept

SIGNAL = Series("radio", "wlan0", "signal_dbm")
MODEL = Series("system", "", "model")
VOLTS = Series("power", "battery 1, old", "voltage_v")
START = 1_760_000_000.0


def filled(folder: Path, frames: int = 60) -> Path:
    """A hub's folder with a day of samples: blocks, and a few frames behind them."""
    Ledger(folder / "ledger.db").close()
    store = EmbeddedStore(folder / "store.db")
    for seq in range(frames):
        times = [60.0 * at for at in range(5)]
        values = {
            SIGNAL: [-60 - at for at in range(5)],
            MODEL: ["hAP"] * 5,
            VOLTS: [12.1, 12.2, None, 12.3, 12.4],
        }
        made = Frame(
            node="pi", epoch="e", seq=seq, boot="b", mono_s=0.0, wall_s=START, synced=True, next_by_s=360,
            devices={name: DevicePolls(times_s=times, values=values) for name in ("ap", "gw")},  # type: ignore[arg-type]
        )  # fmt: skip
        store.keep([Kept(made, START + 300 * seq, codec.encode(made, "field"))])
        if seq == frames - 10:
            while store.upkeep(START + 300 * seq):
                pass
    store.close()
    return folder


def everything(path: Path) -> list[object]:
    store = EmbeddedStore(path)
    try:
        return [
            (device, series, at, value)
            for device in store.devices()
            for series in sorted(store.names(device))
            for at, value in store.values(device, series, 0, 4e9)
        ]
    finally:
        store.close()


def hub_yaml(folder: Path, data_dir: Path) -> str:
    network = folder / "network.yaml"
    path = folder / "hub.yaml"
    path.write_text(f"name: h\nbroker: {{host: localhost}}\nnetwork: {network}\ndata_dir: {data_dir}\n")
    return str(path)


def test_a_sound_store_is_well_and_a_damaged_one_is_told_and_repaired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = filled(tmp_path) / "store.db"
    config = hub_yaml(tmp_path, tmp_path)
    check = command_store.check_main
    assert check(["--config", config]) == 0
    assert "all is well" in capsys.readouterr().out
    before = everything(path)
    with sqlite3.connect(path) as db:
        (number, body) = db.execute("SELECT id, body FROM block ORDER BY id LIMIT 1").fetchone()
        db.execute("UPDATE block SET body=? WHERE id=?", (body[:-1] + b"\xff", number))
    db.close()
    assert check(["--config", config]) == 1
    assert "damaged" in capsys.readouterr().out
    assert check(["--config", config, "--repair"]) == 0
    assert check(["--config", config]) == 0
    after = everything(path)
    assert len(before) / 3 < len(after) < len(before)
    assert set(map(str, after)) <= set(map(str, before))
    assert path.with_suffix(".damaged").exists()


def test_what_stands_around_a_destroyed_page_is_saved(tmp_path: Path) -> None:
    path = filled(tmp_path, 200) / "store.db"
    before = len(everything(path))
    data = bytearray(path.read_bytes())
    place = data.find(b"hAP")  # inside a frame or a block, wherever that is
    place -= place % 4096
    data[place : place + 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    assert inspection.look(path).faults
    kept, _lost = inspection.repair(path)
    assert kept > 0
    assert not inspection.look(path).faults
    assert 0 < len(everything(path)) <= before


@pytest.mark.parametrize("form", exchange.FORMATS)
def test_samples_go_out_and_come_back_as_they_were(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    filled(old)
    EmbeddedStore(new / "store.db").close()
    out = str(tmp_path / "out")
    export = command_store.export_main
    assert export(["--config", hub_yaml(tmp_path, old), "--format", form, "-o", out]) == 0
    config = hub_yaml(tmp_path, new)
    for _twice in range(2):
        assert command_store.import_main(["--config", config, out]) == 0
    assert everything(new / "store.db") == everything(old / "store.db")
    assert export(["--config", config, "--to", "1999-01-01"]) == 0
    assert capsys.readouterr().out.count("\n") <= 3


BAD_LINES = [
    ("time,device,group,item,metric,value\nx,ap,radio,w,signal_dbm,-60\n", ':2: "x" is no time'),
    ("time,device,group,item,metric,value\n2026-01-01T00:00:00,ap,radio,w,signal_dbm,-60\n", "time zone"),
    ("time,device,group,item,metric,value\n2026-01-01T00:00:00Z,ap,radio,w\n", "expected 6 columns"),
    ("time,device,group,item,metric,value\n2026-01-01T00:00:00Z,ap,radio,w,signal_dbm,loud\n", "no number"),
    ("radio,device=ap signal_dbm=-60i\n", ":1: expected GROUP"),
    ("radio,device=ap loudness=-60i 1\n", 'unknown metric "loudness"'),
    ("moon,device=ap signal_dbm=-60i 1\n", 'unknown group "moon"'),
    ('radio,device=ap signal_dbm="x" 1\n', "signal_dbm is no text"),
    ("radio,device=ap signal_dbm=1e999 1\n", "must be finite"),
]


@pytest.mark.parametrize(("text", "told"), BAD_LINES, ids=[told for _text, told in BAD_LINES])
def test_a_line_that_says_no_sample_is_named_and_nothing_is_taken(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ExchangeError, match=None) as caught:
        list(exchange.read(io.StringIO(text), "in"))
    assert told in str(caught.value)
    EmbeddedStore(tmp_path / "store.db").close()
    (tmp_path / "in").write_text(text)
    config = hub_yaml(tmp_path, tmp_path)
    assert command_store.import_main(["--config", config, str(tmp_path / "in")]) == 1
    assert told in capsys.readouterr().err
    assert everything(tmp_path / "store.db") == []
