"""What puts files on a machine for Ansible: in one go, and what is so already is left alone."""

from __future__ import annotations

import getpass
import grp
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ansible")
MODULE = Path(__file__).parent.parent / "deploy/ansible/library/put_files.py"
ME, MINE = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name


def put(*, dry: bool = False, **given: Any) -> dict[str, Any]:
    """What the module says, run as on a machine."""
    arguments = {"_ansible_check_mode": dry, **given}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, MODULE], input=json.dumps(arguments),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout or "{}")
    assert told, done.stderr
    return told


_RUN = """
import json, runpy, sys
from ansible.module_utils import basic
arguments = json.dumps({"ANSIBLE_MODULE_ARGS": json.load(sys.stdin)})
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = arguments.encode(), "legacy"
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def own(path: Path, **more: Any) -> dict[str, Any]:
    return {"path": str(path), "owner": ME, "group": MINE, **more}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_put_there_is_left_alone_the_next_time(tmp_path: Path) -> None:
    folder, file = tmp_path / "etc/ayni", tmp_path / "etc/ayni/a.yaml"
    given = {
        "folders": [own(folder, mode="0750")],
        "files": [own(file, content="eins: 1\nzwei: ü\n", mode="0640")],
    }
    first = put(**given)
    assert first["changed"]
    assert first["paths"] == [str(tmp_path / "etc"), str(folder), str(file)]
    assert (file.read_text(encoding="utf-8"), mode(file), mode(folder)) == (
        "eins: 1\nzwei: ü\n",
        0o640,
        0o750,
    )
    assert not put(**given)["changed"]


def test_text_and_rights_are_brought_back_and_the_difference_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old\n")
    told = put(files=[own(file, content="new\n")])
    (difference,) = told["diff"]
    assert (difference["before"], difference["after"], difference["before_header"]) == (
        "old\n",
        "new\n",
        str(file),
    )
    file.chmod(0o666)
    again = put(files=[own(file, content="new\n")])
    assert (again["paths"], again["diff"], mode(file)) == ([str(file)], [], 0o644)


def test_a_dry_run_says_the_same_and_does_nothing(tmp_path: Path) -> None:
    """Also on an empty machine, where neither folder nor group is there."""
    given = {
        "folders": [own(tmp_path / "x", group="nobody-knows-it")],
        "files": [own(tmp_path / "x/a", content="a\n", group="nobody-knows-it")],
    }
    (tmp_path / "b").write_text("b\n")
    told = put(dry=True, alone_in=str(tmp_path), **given)
    assert told["paths"] == [str(tmp_path / "x"), str(tmp_path / "x/a"), str(tmp_path / "b")]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_what_nobody_asks_for_goes_and_folders_stay(tmp_path: Path) -> None:
    for name in ("kept", "former"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "folder").mkdir()
    told = put(files=[own(tmp_path / "kept", content="x\n")], alone_in=str(tmp_path))
    assert told["paths"] == [str(tmp_path / "former")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "kept"]


def test_what_a_program_refuses_is_not_put_there(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("good\n")
    given = own(file, content="bad\n", check=["grep", "-q", "good", "%s"])
    told = put(files=[given])
    assert told["failed"]
    assert "is not put there" in told["msg"]
    assert file.read_text() == "good\n"


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("keep\n")
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    put(files=[own(tmp_path / "a", content="new\n")])
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "keep\n"


def test_where_a_file_stands_in_the_way_of_a_folder_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    told = put(folders=[own(tmp_path / "x")])
    assert told["failed"]
    assert told["msg"].endswith("is there and no folder")
