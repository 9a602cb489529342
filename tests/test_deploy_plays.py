"""The plays of deploy/ansible without a machine: they parse, variables are documented, secrets stay secret.

What they do on machines is proved by scripts/deploy-test.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import parts
import pytest
import yaml

from ayni_io import yamlwrite

ROOT = Path(__file__).parent.parent
PLAYS = ROOT / "deploy/ansible"
BESIDE = str(Path(sys.executable).parent)
VALLEY: dict[str, Any] = {
    "network": {"title": "Valle"},
    "hub": {"address": "hub.lan", "ssh": "ana@10.20.0.2"},
    "people": {"ana": {}},
    "sites": {"torre": {}},
    "nodes": {"torre-pi": {"site": "torre", "ssh": "pi@10.20.2.2"}},
    "devices": {
        "router": {
            "site": "torre",
            "address": "10.20.2.1",
            "ssh": "root@10.20.2.1",
            "version": "3",
            "user": "monitor",
            "auth": {"protocol": "SHA", "password": "file:secrets/router-auth"},
            "priv": {"protocol": "AES", "password": "file:secrets/router-priv"},
        }
    },
}
UCI = """#!/bin/sh
# Stands in for OpenWrt's uci: sections are files.
case $1 in
    -q) [ -e "$AYNI_ROOT/uci/$3" ] ;;
    delete) rm "$AYNI_ROOT/uci/$2" ;;
    commit) echo commit >>"$AYNI_ROOT/log" ;;
esac
"""


@pytest.fixture
def valley(tmp_path: Path) -> Path:
    folder = tmp_path / "valley"
    folder.mkdir()
    yamlwrite.write(folder / "network.yaml", VALLEY)
    return folder


def surroundings(valley: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "AYNI_"))}
    path = f"{BESIDE}:{os.environ['PATH']}"
    home = str(valley.parent / "ansible")
    ours = {"PATH": path, "AYNI_NETWORK": str(valley / "network.yaml"), "ANSIBLE_HOME": home}
    return {**kept, **ours, "LC_ALL": "C.UTF-8", **more}


def run(
    valley: Path, *command: str | Path, stdin: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=PLAYS, env=surroundings(valley, **more), input=stdin,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def ansible(name: str) -> str:
    beside = Path(BESIDE) / name
    return str(beside) if beside.exists() else parts.need(name)


def test_the_table_of_variables_is_the_one_of_the_plays() -> None:
    defaults = yaml.safe_load((PLAYS / "group_vars/all.yml").read_text(encoding="utf-8"))
    rows = re.findall(
        r"^\| `(ayni_\w+)` \| `(.*?)` \|", (PLAYS / "README.md").read_text(encoding="utf-8"), re.M
    )
    shown = {
        name: yaml.safe_load(value.replace("\\|", "|")) if "{{" not in value else value
        for name, value in rows
    }
    assert {
        name: value.replace("\\|", "|") if isinstance(value, str) else value for name, value in shown.items()
    } == defaults


def test_every_variable_is_used_and_none_is_used_that_is_not_known() -> None:
    known = set(yaml.safe_load((PLAYS / "group_vars/all.yml").read_text(encoding="utf-8")))
    known |= set(
        re.findall(r'"(ayni_\w+)"', (ROOT / "core/ayni_core/ansible_hosts.py").read_text(encoding="utf-8"))
    )
    files = [*PLAYS.glob("*.yml"), *PLAYS.glob("roles/**/*.yml"), *PLAYS.glob("roles/**/*.j2")]
    used = {name for path in files for name in re.findall(r"\bayni_\w+", path.read_text(encoding="utf-8"))}
    assert used - known == {"ayni_serial"}, "by -e alone"
    facts = {"ayni_title", "ayni_machine", "ayni_device", "ayni_people"}
    assert known - used <= facts, "told by the inventory for whoever wants them; defaults are used"


def test_only_modules_that_come_with_ansible_and_ours_are_used() -> None:
    for path in PLAYS.glob("roles/**/*.yml"):
        for module in re.findall(r"^ +(\w+\.\w+\.\w+):", path.read_text(encoding="utf-8"), re.M):
            assert module.startswith("ansible.builtin."), f"{path}: {module}"
    assert [path.name for path in (PLAYS / "library").glob("*.py")] == ["put_files.py"]


def test_what_touches_a_secret_says_nothing() -> None:
    """Every task that brings or sends a password has `no_log`, and shows no difference."""
    found = 0
    for path in PLAYS.glob("roles/*/tasks/*.yml"):
        for task in re.split(r"^ *- name: ", path.read_text(encoding="utf-8"), flags=re.M):
            if re.search(r"ayni_secrets|broker_passwords|'\.key'|openwrt_auth", task) and re.search(
                r"^ +(ansible\.builtin\.(copy|command|set_fact)|put_files):", task, re.M
            ):
                found += 1
                says = f"{path}: {task.splitlines()[0]}"
                assert "no_log: true" in task, says
                assert not re.search(r"builtin\.copy|put_files", task) or "diff: false" in task, says
    assert found >= 7


def test_the_plays_parse_with_the_inventory_of_a_network(valley: Path) -> None:
    done = run(valley, ansible("ansible-playbook"), "site.yml", "uninstall.yml", "--syntax-check")
    assert done.returncode == 0, done.stderr
    assert [book in done.stdout for book in ("site.yml", "uninstall.yml")] == [True, True]
    listed = run(valley, ansible("ansible-playbook"), "site.yml", "--list-hosts", "-l", "torre")
    assert "torre-pi" in listed.stdout
    assert "router" in listed.stdout
    assert re.search(r"hosts \(0\):", listed.stdout), "the central is not touched by -l torre"


def test_a_network_that_is_not_named_or_faulty_is_told_in_a_sentence(valley: Path) -> None:
    script = PLAYS / "inventory/network"
    unset = run(valley, script, "--list", AYNI_NETWORK="")
    assert unset.returncode == 1
    assert "AYNI_NETWORK is not set" in unset.stderr
    (valley / "network.yaml").write_text("network: {title: X}\nsites: {a: {}}\nhub: {addres: x}\n")
    faulty = run(valley, script, "--list")
    assert faulty.returncode == 2
    assert 'unknown key; did you mean "address"?' in faulty.stderr


def test_secrets_are_made_once_encrypted_and_what_is_unknown_is_named(valley: Path) -> None:
    (valley / "secrets").mkdir(mode=0o700)
    (valley / "secrets/router-auth").write_text("in plain text\n")
    (valley / "word").write_text("vault\n")
    ansible("ansible-vault")
    script = PLAYS / "secrets"
    more = {"ANSIBLE_VAULT_PASSWORD_FILE": str(valley / "word")}
    first = run(valley, sys.executable, script, stdin="", **more)
    assert first.returncode == 1
    assert "router-priv: left out" in first.stderr
    made = {path.name: path.read_text() for path in (valley / "secrets").iterdir()}
    assert sorted(made) == ["h-hub", "k-hub", "n-torre-pi", "p-ana", "router-auth"]
    for name, text in made.items():
        assert text.startswith("$ANSIBLE_VAULT;"), name
        assert stat.S_IMODE((valley / "secrets" / name).stat().st_mode) == 0o600
    told = run(valley, ansible("ansible-vault"), "view", valley / "secrets/router-auth", **more)
    assert told.stdout.strip() == "in plain text"
    run(valley, sys.executable, script, stdin="", **more)
    assert {path.name: path.read_text() for path in (valley / "secrets").iterdir()} == made


def test_a_router_gets_its_user_loses_the_plain_communities_and_is_left_alone_then(
    valley: Path, tmp_path: Path
) -> None:
    """The script of the role `openwrt`, as a shell runs it, with a stand-in for uci."""
    jinja2 = pytest.importorskip("jinja2")
    template = (PLAYS / "roles/openwrt/templates/snmpd.sh.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["bool"] = bool
    router = tmp_path / "router"
    for folder in ("uci", "etc/init.d", "bin"):
        (router / folder).mkdir(parents=True)
    service = '#!/bin/sh\necho "$1" >>"$AYNI_ROOT/log"\n'
    programs = {"bin/uci": UCI, "bin/snmpd": "#!/bin/sh\n", "etc/init.d/snmpd": service}
    for program, text in programs.items():
        (router / program).write_text(text)
        (router / program).chmod(0o755)
    for section in ("public", "private"):
        (router / "uci" / f"snmpd.{section}").touch()
    file = router / "etc/snmp/snmpd.local.conf"

    def apply(*, dry: bool = False) -> str:
        script = environment.from_string(template).render(
            openwrt_dry=dry, openwrt_auth="auth-word-1", openwrt_priv="priv-word-1", ayni_title="Router",
            ayni_snmp={"user": "monitor", "auth": {"protocol": "SHA"}, "priv": {"protocol": "AES"}},
            ayni_openwrt_install=True, ayni_openwrt_others=False,
        )  # fmt: skip
        environ = {"AYNI_ROOT": str(router), "PATH": f"{router / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-s"], input=script, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert apply(dry=True).splitlines()[-1] == "changed"
    assert not file.exists()
    assert apply().splitlines()[-1] == "changed"
    assert 'createUser monitor SHA "auth-word-1" AES "priv-word-1"' in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list((router / "uci").iterdir())
    assert (router / "log").read_text().split() == ["commit", "enable", "restart"]
    assert apply() == ""
    assert (router / "log").read_text().split() == ["commit", "enable", "restart"]
