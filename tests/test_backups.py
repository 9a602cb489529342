"""What the central remembers is kept elsewhere, encrypted, and put back: with the real `age` and SFTP
server."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import parts
import pytest
from test_store_kept import everything, filled, hub_yaml

from ayni_core.keeping import Keep
from ayni_core.schema import ConfigError
from ayni_hub import command_backup
from ayni_hub import config as hub_config
from ayni_hub.backups import archive, layout, machine, nightly, restoring, snapshot, status, stick
from ayni_hub.backups.config import BackupConfig, Folder, Machine, Stick
from ayni_hub.backups.errors import BackupError
from ayni_hub.backups.layout import Layout
from ayni_hub.backups.places import FolderPlace, digest
from ayni_hub.backups.sftp import SftpPlace
from ayni_hub.pins import FILE as PINS

NOW = 1_795_300_000.0
DAY = 86_400.0


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A private key of age, and its public one."""
    program = parts.need("age-keygen")
    parts.need("age")
    path = tmp_path_factory.mktemp("keys") / "key.txt"
    subprocess.run([program, "-o", str(path)], check=True, capture_output=True)
    public = next(line for line in path.read_text().splitlines() if "public key" in line)
    return path, public.rpartition(" ")[2]


def a_machine(root: Path) -> Layout:
    """A deployed central below a root."""
    where = layout.of_machine(root)
    assert where.config_dir and where.accounts and where.certificates and where.broker_config
    for path in (where.data_dir, where.config_dir / "secrets", where.accounts.parent, where.certificates,
                 where.broker_config.parent, where.data_dir / "secrets"):  # fmt: skip
        path.mkdir(parents=True, exist_ok=True)
    filled(where.data_dir)
    (where.data_dir / PINS).write_text('{"pins": {"ana": "scrypt"}}')
    (where.data_dir / "secrets" / "h-hub").write_text("renewed\n")
    where.network.write_text(
        "network: {title: Red}\nhub: {address: hub.lan}\nsites: {s: {}}\nnodes: {pi: {site: s}}\n"
    )
    (where.config_dir / "hub.yaml").write_text("name: hub\n")
    (where.config_dir / "ca.crt").write_text("CA\n")
    (where.config_dir / "ca.key").write_text("never here\n")
    (where.config_dir / "secrets" / "h-hub").write_text("seed\n")
    where.accounts.write_text('{"clients": []}')
    (where.certificates / "server.crt").write_text("crt\n")
    (where.certificates / "server.key").write_text("key\n")
    where.broker_config.write_text("listener 8883\n")
    return where


def config_of(public: str, *to: Folder | Stick | Machine, keep: Keep | None = None) -> BackupConfig:
    return BackupConfig(recipients=(public,), to=to, keep=keep or Keep())


# ---- made and put back


def test_a_whole_machine_is_put_back_on_another_one_for_who_has_the_private_key(
    tmp_path: Path, keys: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = keys
    old, new = a_machine(tmp_path / "old"), layout.of_machine(tmp_path / "new")
    (tmp_path / "disk").mkdir()
    result = nightly.run("hub", old, config_of(public, Folder(path=tmp_path / "disk")), NOW)
    assert result.fault == ""
    assert result.good_at == NOW
    made = next((tmp_path / "disk").iterdir())
    assert made.name == "ayni-hub-20261121T222640Z.tar.gz.age"
    assert made.stat().st_mode & 0o777 == 0o600
    for secret in (b"renewed", b"seed", b"scrypt", b"never here", b"SQLite format"):
        assert secret not in made.read_bytes()
    argv = [str(made), "--identity", str(private), "--root", str(tmp_path / "new")]
    assert command_backup.restore_main(argv) == 0
    said = capsys.readouterr().out
    assert "hub.lan" in said
    assert "restart mosquitto" in said
    assert everything(new.data_dir / "store.db") == everything(old.data_dir / "store.db")
    before = {path.relative_to(tmp_path / "old") for path in (tmp_path / "old").rglob("*") if path.is_file()}
    after = {path.relative_to(tmp_path / "new") for path in (tmp_path / "new").rglob("*") if path.is_file()}
    kept = Path("var/lib/ayni/hub")
    assert before - after == {Path("etc/ayni/ca.key"), kept / "backup.json"}
    assert after - before == {kept / "restored.json"}
    for path in after - {kept / "store.db", kept / "ledger.db", kept / "restored.json"}:
        assert (tmp_path / "new" / path).read_bytes() == (tmp_path / "old" / path).read_bytes()
    assert (new.data_dir / "secrets/h-hub").stat().st_mode & 0o777 == 0o600
    modes = {
        "etc/ayni": 0o750,
        "etc/ayni/secrets": 0o700,
        "var/lib/ayni/hub": 0o750,
        "etc/mosquitto/ayni": 0o750,
    }
    for name, mode in modes.items():
        assert (tmp_path / "new" / name).stat().st_mode & 0o777 == mode
    assert json.loads((new.data_dir / layout.MARK).read_text())["as_of"] == NOW


def test_without_a_key_there_are_no_secrets_in_it_and_a_running_central_is_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    filled(old)
    (old / PINS).write_text('{"pins": {"ana": "scrypt"}}')
    (tmp_path / "network.yaml").write_text("network: {title: Red}\n")
    path = tmp_path / "b.tar.gz"
    assert command_backup.main(["--config", hub_yaml(tmp_path, old), str(path)]) == 0
    assert "not encrypted" in capsys.readouterr().out
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as found:
        names = found.getnames()
    assert set(names) == {"backup.json", "hub/ledger.db", "hub/store.db", "network.yaml", "digests.json"}
    config = hub_yaml(tmp_path, new)
    assert command_backup.restore_main(["--config", config, str(path)]) == 0
    assert everything(new / "store.db") == everything(old / "store.db")
    assert command_backup.restore_main(["--config", config, str(path)]) == 1
    assert "stands there already" in capsys.readouterr().err


def test_a_home_is_put_back_where_its_backup_says(tmp_path: Path, keys: tuple[Path, str]) -> None:
    private, public = keys
    home = layout.of_home(tmp_path / "old")
    home.data_dir.mkdir(parents=True)
    filled(home.data_dir)
    home.network.write_text("network: {title: Red}\n")
    for name in ("start.yaml", "accounts.json"):
        (tmp_path / "old" / name).write_text(name)
    (tmp_path / "old/secrets").mkdir()
    (tmp_path / "old/secrets/h-hub").write_text("seed\n")
    path = tmp_path / "b.age"
    argv = ["--dir", str(tmp_path / "old"), str(path), "--recipient", public]
    assert command_backup.main(argv) == 0
    assert restoring.kind_of(path, private) == "home"
    argv = [str(path), "--identity", str(private), "--dir", str(tmp_path / "new")]
    assert command_backup.restore_main(argv) == 0
    for name in ("start.yaml", "accounts.json", "secrets/h-hub", "network.yaml"):
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "old" / name).read_bytes()


def test_what_stands_on_a_machine_that_was_just_set_up_stays_beside(
    tmp_path: Path, keys: tuple[Path, str]
) -> None:
    private, public = keys
    old, new = a_machine(tmp_path / "old"), layout.of_machine(tmp_path / "new")
    nightly.to_file(old, tmp_path / "b.age", (public,), NOW, lambda _share: None)
    assert new.accounts and new.config_dir
    new.accounts.parent.mkdir(parents=True)
    new.accounts.write_text("{}")
    new.config_dir.mkdir(parents=True)
    (new.config_dir / "ca.crt").write_text("CA\n")
    done = restoring.restore(tmp_path / "b.age", new, private, NOW)
    beside = new.accounts.with_name("ayni-accounts.json.before-restore")
    assert done.beside == [beside]
    assert beside.read_text() == "{}"
    assert new.accounts.read_text() == '{"clients": []}'


def test_a_store_is_copied_whole_while_another_process_writes_and_checkpoints(tmp_path: Path) -> None:
    """Every row has the sum of all rows before it: a copy that mixes two moments cannot have it right."""
    source = tmp_path / "store.db"
    writer = """if True:
        import sqlite3, sys
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA wal_autocheckpoint=50")
        db.execute("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, total INTEGER, fill BLOB)")
        db.execute("CREATE TABLE IF NOT EXISTS now(id INTEGER PRIMARY KEY, rows INTEGER, total INTEGER)")
        db.execute("INSERT INTO now VALUES(1,0,0)")
        n = total = 0
        while True:
            db.execute("BEGIN")
            for _ in range(7):
                n += 1
                total += n
                db.execute("INSERT INTO t VALUES(?,?,randomblob(3000))", (n, total))
            if n > 700:
                some = "SELECT id FROM t ORDER BY random() LIMIT 9"
                db.execute(f"UPDATE t SET fill=randomblob(2500) WHERE id IN ({some})")
            db.execute("UPDATE now SET rows=?, total=?", (n, total))
            db.execute("COMMIT")
            if n == 700:
                print("begun", flush=True)
        """
    with subprocess.Popen([sys.executable, "-c", writer, str(source)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            for turn in range(6):
                copy = tmp_path / f"copy-{turn}.db"

                def add(name: str, file: object, size: int, copy: Path = copy) -> None:
                    target = copy.with_name(copy.name + name.removeprefix("store.db"))
                    body = file.read(size)  # type: ignore[attr-defined]
                    target.write_bytes(body + bytes(size - len(body)))

                snapshot.hand_out(source, "store.db", add)
                with contextlib.closing(sqlite3.connect(copy)) as db:
                    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                    rows, total = db.execute("SELECT rows, total FROM now").fetchone()
                    assert db.execute("SELECT count(*), max(total) FROM t").fetchone() == (rows, total)
                    assert rows >= 700
        finally:
            process.kill()


# ---- what is not sound


def spoiled(whole: bytes, how: str) -> bytes:
    match how:
        case "cut":
            return whole[: len(whole) // 2]
        case "cut at its very end":
            return whole[:-1]
        case "flipped":
            return whole[:3000] + bytes([whole[3000] ^ 255]) + whole[3001:]
        case "foreign":
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w:gz") as made:
                made.addfile(tarfile.TarInfo("../evil"), io.BytesIO())
            return out.getvalue()
        case "evil":
            out = io.BytesIO()
            writer = archive.Writer(out, {"at": NOW})
            writer.add("etc/secrets/../../evil", io.BytesIO(b"x"), 1)
            writer.close()
            return out.getvalue()
        case "half a digest":
            out = io.BytesIO()
            writer = archive.Writer(out, {"at": NOW})
            writer.add("hub/ledger.db", io.BytesIO(b"not a database" * 100), 1400)
            writer.close()
            return out.getvalue()
    return b"" if how == "empty" else b"hello" * 1000


@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "plain"])
@pytest.mark.parametrize(
    "how",
    ["cut", "cut at its very end", "flipped", "no backup", "foreign", "evil", "half a digest", "empty"],
)  # fmt: skip
def test_what_is_no_sound_backup_is_told_and_nothing_is_left_behind(
    how: str, encrypted: bool, tmp_path: Path, keys: tuple[Path, str]
) -> None:
    private, public = keys
    (tmp_path / "old").mkdir()
    filled(tmp_path / "old")
    where = Layout(kind="own", data_dir=tmp_path / "old", network=tmp_path / "none.yaml")
    path = tmp_path / "b"
    nightly.to_file(where, path, (public,) if encrypted else (), NOW, lambda _share: None)
    path.write_bytes(spoiled(path.read_bytes(), how))
    new = replace(where, data_dir=tmp_path / "new")
    with pytest.raises(BackupError, match=str(path)):
        restoring.restore(path, new, private, NOW)
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "evil").exists()


def test_the_wrong_private_key_and_none_are_said_so(tmp_path: Path, keys: tuple[Path, str]) -> None:
    _private, public = keys
    where = a_machine(tmp_path / "old")
    path, other = tmp_path / "b.age", tmp_path / "other.txt"
    nightly.to_file(where, path, (public,), NOW, lambda _share: None)
    subprocess.run([parts.need("age-keygen"), "-o", str(other)], check=True, capture_output=True)
    new = layout.of_machine(tmp_path / "new")
    with pytest.raises(BackupError, match="not one of those that it was encrypted for"):
        restoring.restore(path, new, other, NOW)
    with pytest.raises(BackupError, match="say --identity"):
        restoring.restore(path, new, None, NOW)
    with pytest.raises(BackupError, match="there is no such private key"):
        restoring.restore(path, new, tmp_path / "nowhere", NOW)
    assert not new.data_dir.exists()


def test_a_central_that_runs_there_is_not_disturbed(tmp_path: Path, keys: tuple[Path, str]) -> None:
    private, public = keys
    where = a_machine(tmp_path / "old")
    nightly.to_file(where, tmp_path / "b.age", (public,), NOW, lambda _share: None)
    new = layout.of_machine(tmp_path / "new")
    new.data_dir.mkdir(parents=True)
    from ayni_hub import lock

    with lock.held(new.data_dir), pytest.raises(BackupError, match="a hub runs on it; stop it first"):
        restoring.restore(tmp_path / "b.age", new, private, NOW)
    assert [path.name for path in new.data_dir.iterdir()] == [lock.NAME]


# ---- places


def test_what_the_rule_does_not_keep_goes_and_what_others_keep_there_stays(
    tmp_path: Path, keys: tuple[Path, str]
) -> None:
    where = a_machine(tmp_path / "old")
    disk = tmp_path / "disk"
    disk.mkdir()
    foreign = {"ayni-valle-20200101T000000Z.tar.gz.age", "photo.jpg", "ayni-hub-not-a-date.tar.gz.age"}
    for name in foreign:
        (disk / name).write_text("x")
    (disk / ".ayni-hub-20200101T000000Z.tar.gz.age.part").write_text("a night without power")
    config = config_of(keys[1], Folder(path=disk), keep=Keep(days=2, weeks=0, months=0))
    for night in range(4):
        nightly.run("hub", where, config, NOW + night * DAY)
    mine = {path.name for path in disk.iterdir()} - foreign
    assert mine == {"ayni-hub-20261123T222640Z.tar.gz.age", "ayni-hub-20261124T222640Z.tar.gz.age"}


@pytest.mark.parametrize(
    ("broken", "said"),
    [("no folder", "there is no such folder"), ("no stick", "no stick with the label AYNI"),
     ("wrong recipient", "age could not encrypt"), ("full", "there is no room"),
     ("no age", "age is not installed")],
)  # fmt: skip
def test_each_fault_is_one_sentence_and_the_newest_good_one_stays_known(
    broken: str, said: str, tmp_path: Path, keys: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = a_machine(tmp_path / "old")
    disk = tmp_path / "disk"
    disk.mkdir()
    target: Folder | Stick = Stick(label="AYNI", folder="ayni") if broken == "no stick" else Folder(path=disk)
    config = config_of(keys[1], target)
    if broken != "no stick":
        nightly.run("hub", where, config, NOW)
    if broken == "no folder":
        for path in disk.iterdir():
            path.unlink()
        disk.rmdir()
    elif broken == "wrong recipient":  # of the right form, with a wrong sum
        config = config_of("age1" + "q" * 58, target)
    elif broken == "full":
        config = config_of(keys[1], Folder(path=Path("/dev/full")))
        monkeypatch.setattr(nightly, "FolderPlace", _Full)
    elif broken == "no age":
        monkeypatch.setattr("ayni_hub.backups.age.find_program", lambda _name: None)
    result = nightly.run("hub", where, config, NOW + DAY)
    assert said in result.fault
    assert "\n" not in result.fault
    assert "Traceback" not in result.fault
    if broken in ("wrong recipient", "no age"):
        assert result.good_at == NOW
        assert [path.name for path in disk.iterdir()] == ["ayni-hub-20261121T222640Z.tar.gz.age"]
    assert status.read(where.data_dir) == result


class _Full(FolderPlace):
    """A disk without room: Linux has a device that is one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.parent

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Callable[[bytes], object]]:
        from ayni_hub.backups import places

        with Path("/dev/full").open("wb", buffering=0) as file:

            def write(piece: bytes) -> None:
                with places._told(self._folder / name):
                    file.write(piece)

            yield write


def test_a_medium_that_gives_back_something_else_is_no_good_backup(
    tmp_path: Path, keys: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = a_machine(tmp_path / "old")
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(nightly, "digest", lambda _place, _name: "another")
    result = nightly.run("hub", where, config_of(keys[1], Folder(path=tmp_path / "disk")), NOW)
    assert "the medium is bad" in result.fault
    assert result.good_at is None
    assert not list((tmp_path / "disk").iterdir())


def test_a_store_larger_than_what_a_backup_takes_of_memory_is_streamed(
    tmp_path: Path, keys: tuple[Path, str]
) -> None:
    """60 MB of random bytes, which nothing can pack: 25 MB more memory at most, and no second copy."""
    where = Layout(kind="own", data_dir=tmp_path, network=tmp_path / "none")
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as db:
        db.execute("CREATE TABLE t(b BLOB)")
        db.executemany("INSERT INTO t VALUES(randomblob(1000000))", [()] * 60)
        db.commit()
    program = """if True:
        import resource, sys, hashlib
        from pathlib import Path
        from ayni_hub.backups import making
        from ayni_hub.backups.layout import Layout
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = [0]
        def take(piece): size[0] += len(piece)
        where = Layout(kind="own", data_dir=Path(sys.argv[1]), network=Path("/none"))
        making.make(where, (sys.argv[2],), take, 0.0)
        print(size[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), keys[1]], check=True, capture_output=True, text=True
    )
    size, more_kb = map(int, done.stdout.split())
    assert size > 60_000_000
    assert more_kb < 25_000
    assert [path.name for path in where.data_dir.iterdir()] == ["store.db"]


@contextlib.contextmanager
def sftp(folder: str) -> Iterator[SftpPlace]:
    """OpenSSH's own server, over pipes."""
    program = next((path for path in (Path("/usr/lib/openssh/sftp-server"),) if path.is_file()), None)
    if program is None:
        parts.need("sftp-server")
    with subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        yield SftpPlace(process.stdin, process.stdout, folder, "there")  # type: ignore[arg-type]
        process.stdin.close()


def test_what_goes_over_sftp_comes_back_as_it_was_and_half_of_it_never_stands_there(tmp_path: Path) -> None:
    body = random.Random(1).randbytes(3_000_017)
    with sftp(str(tmp_path / "ayni")) as place:
        assert place.names() == [".", ".."]
        with place.writing("a") as write:
            for start in range(0, len(body), 65_536):
                write(body[start : start + 65_536])
            assert not (tmp_path / "ayni/a").exists()
        assert (tmp_path / "ayni/a").read_bytes() == body
        assert (tmp_path / "ayni/a").stat().st_mode & 0o777 == 0o600
        assert b"".join(place.reading("a")) == body
        with pytest.raises(RuntimeError), place.writing("b") as write:
            write(body)
            raise RuntimeError
        assert place.names() == [".", "..", "a"]
        with pytest.raises(BackupError, match="is not there"):
            list(place.reading("c"))
        place.remove("a")
        assert place.names() == [".", ".."]


@pytest.mark.parametrize(
    "said", [b"", b"Hello, this is a telnet server\r\n", b"\0\0\0\5\2\0\0\0", b"\xff" * 40]
)
def test_a_server_that_speaks_something_else_is_one_sentence(said: bytes) -> None:
    with pytest.raises(BackupError, match="there: "):
        SftpPlace(io.BytesIO(), io.BytesIO(said), "x", "there")


def test_a_backup_to_another_machine_over_ssh_with_a_key_that_may_do_nothing_else(
    tmp_path: Path, keys: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with sshd(tmp_path) as (port, host_key, user):
        where = a_machine(tmp_path / "old")
        target = Machine(
            user=user, host="127.0.0.1", port=port, folder=str(tmp_path / "there"), host_key=host_key,
            key=f"file:{tmp_path / 'client'}",
        )  # fmt: skip
        result = nightly.run("hub", where, config_of(keys[1], target), NOW)
        assert result.fault == ""
        (name,) = [path.name for path in (tmp_path / "there").iterdir()]
        with machine.opened(target) as place:
            assert digest(place, name) == next(iter(result.places.values())).sha256
        # as our units are given it: a folder of credentials, which systemd calls by its own name
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))
        (tmp_path / "given").mkdir()
        shutil.copy(tmp_path / "client", tmp_path / "given" / "ayni_backup-ssh")
        with machine.opened(replace(target, key="credential:backup-ssh")) as place:
            assert name in place.names()
        for nowhere in ("credential:other", f"file:{tmp_path / 'other'}", "env:HOME"):
            result = nightly.run("hub", where, config_of(keys[1], replace(target, key=nowhere)), NOW + DAY)
            assert f"{nowhere}: there is no such private key" in result.fault
        wrong = replace(target, host_key="ssh-ed25519 " + "A" * 68)
        result = nightly.run("hub", where, config_of(keys[1], wrong), NOW + DAY)
        assert "Host key verification failed" in result.fault
        result = nightly.run("hub", where, config_of(keys[1], replace(target, port=1)), NOW + DAY)
        assert "Connection refused" in result.fault


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[tuple[int, str, str]]:
    """A real server on loopback: its port, its public key, and who may come in."""
    import pwd

    program, keygen = parts.need("sshd"), parts.need("ssh-keygen")
    for name in ("host", "client"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "allowed").write_text('restrict,command="internal-sftp" ' + (folder / "client.pub").read_text())
    port = parts.free_port()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\n"
        f"AuthorizedKeysFile {folder / 'allowed'}\nStrictModes no\nUsePAM no\nPidFile none\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
    command = [program, "-D", "-e", "-f", str(folder / "sshd_config")]
    with parts.running(command, folder / "sshd.log") as process:
        parts.wait_until(
            lambda: "listening" in (folder / "sshd.log").read_text() or process.poll() is not None, "sshd"
        )
        host_key = " ".join((folder / "host.pub").read_text().split()[:2])
        yield port, host_key, pwd.getpwuid(os.geteuid()).pw_name


def test_a_stick_that_is_mounted_already_is_written_to_and_stays_mounted(
    tmp_path: Path, keys: tuple[Path, str]
) -> None:
    labels, mounts, there = tmp_path / "by-label", tmp_path / "mountinfo", tmp_path / "media stick"
    device = tmp_path / "sdz1"
    labels.mkdir()
    there.mkdir()
    device.touch()
    (labels / "AYNI").symlink_to(device)
    place = str(there).replace(" ", "\\040")
    mounts.write_text(f"36 35 98:0 / {place} rw,noatime shared:1 - vfat {device} rw,errors=continue\n")
    with (
        stick.opened(Stick(label="AYNI", folder="ayni"), labels, mounts) as found,
        found.writing("a") as write,
    ):
        write(b"body")
    assert (there / "ayni" / "a").read_bytes() == b"body"
    mounts.write_text(f"36 35 98:0 / {place} ro,noatime shared:1 - vfat {device} ro,errors=continue\n")
    with (
        pytest.raises(BackupError, match="mount failed"),
        stick.opened(Stick(label="AYNI", folder="ayni"), labels, mounts),
    ):
        pass


def test_a_real_stick_is_mounted_for_the_copy_only_and_a_full_one_keeps_nothing_half(tmp_path: Path) -> None:
    mkfs, losetup = shutil.which("mkfs.ext4", path="/usr/sbin"), shutil.which("losetup", path="/usr/sbin")
    if os.geteuid() != 0 or mkfs is None or losetup is None:
        pytest.skip("a real stick needs root, losetup and mkfs.ext4")
    image, labels = tmp_path / "image", tmp_path / "by-label"
    with image.open("wb") as file:
        file.truncate(16_000_000)
    subprocess.run([mkfs, "-q", "-L", "AYNI", str(image)], check=True)
    shown = subprocess.run([losetup, "-f", "--show", str(image)], capture_output=True, text=True, check=False)
    if shown.returncode:
        pytest.skip("this machine has no loop devices")
    device = shown.stdout.strip()
    try:
        labels.mkdir()
        (labels / "AYNI").symlink_to(device)
        wanted = Stick(label="AYNI", folder="ayni")
        with stick.opened(wanted, labels) as place, place.writing("a") as write:
            write(b"body")
            assert f"{device} " in Path("/proc/mounts").read_text()
        assert f"{device} " not in Path("/proc/mounts").read_text()
        with (
            pytest.raises(BackupError, match="there is no room"),
            stick.opened(wanted, labels) as place,
            place.writing("b") as write,
        ):
            for _each in range(40):
                write(bytes(1_000_000))
        with stick.opened(wanted, labels) as place:
            assert place.names() == ["a"]
    finally:
        subprocess.run([losetup, "-d", device], check=True)


# ---- configuration


def test_the_section_of_hub_yaml_and_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    base = "broker: {username: h-hub, password: 'file:/x'}\nnetwork: /n\ndata_dir: /d\n"
    public = "age1" + "q" * 58
    path.write_text(
        base + "backup:\n"
        f"  recipients: [{public}]\n"
        "  to:\n"
        "    - { folder: /srv/backup }\n"
        "    - { stick: AYNI }\n"
        "    - { ssh: ayni@10.20.0.3:2222, key: 'file:/k', host_key: ssh-ed25519 " + "A" * 68 + " }\n"
        "  keep: { days: 3 }\n"
    )
    found = hub_config.load(path).backup
    assert found is not None
    assert found.recipients == (public,)
    assert [each.name for each in found.to] == ["/srv/backup", "stick AYNI", "ayni@10.20.0.3"]
    assert found.keep == Keep(days=3, weeks=4, months=12)
    path.write_text(
        base + "backup:\n"
        "  recipients: [age1xyz]\n"
        "  to: [{folder: srv}, {stick: A, ssh: a@b}, {stick: ../x},\n"
        "       {ssh: -oProxyCommand=x, key: 'file:/k', host_key: x}]\n"
        "  often: 1\n"
    )
    with pytest.raises(ConfigError) as caught:
        hub_config.load(path)
    text = str(caught.value)
    for each in ("public keys such as age1", "begins with /", "one of folder, stick and ssh", "no label",
                 "expected user@host", "host_key", "unknown key"):  # fmt: skip
        assert each in text


# ---- the unit


def test_systemd_takes_the_unit_and_its_timer_and_finds_it_tight_for_a_service_of_root(
    tmp_path: Path,
) -> None:
    analyze = parts.need("systemd-analyze")
    folder = Path(__file__).parent.parent / "hub"
    for name in ("ayni-hub-backup.service", "ayni-hub-backup.timer"):
        text = (folder / name).read_text().replace("/opt/ayni/current/bin/ayni", "/bin/true")
        (tmp_path / name).write_text(text)
    for name in ("ayni-hub-backup.service", "ayni-hub-backup.timer"):
        done = subprocess.run(
            [analyze, "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=30", str(tmp_path / "ayni-hub-backup.service")],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
