#!/usr/bin/python
"""Ansible's part on a machine that puts folders and files there: all that are given, in one go.

`copy` and `file` of Ansible take two to four round trips for each file; over a link of 600 ms, or on a small
Pi, that is most of the time of a play.
"""

from __future__ import annotations

import grp
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: put_files
short_description: Folders and files, all in one go
description:
  - Each is as it is described afterwards; what is so already is left alone. A file is replaced in one step.
options:
  folders:
    description: Made in this order; parents that are not there yet become like the folder.
    type: list
    elements: dict
    default: []
    suboptions: &where
      path: { description: Where it is., type: path, required: true }
      owner: { description: Whose it is., type: str, default: root }
      group:
        description: Which group has it. One that is not there yet is no fault in a dry run.
        type: str
        default: root
      mode: { description: "Its rights, in octal; 0755 for a folder, 0644 for a file.", type: str }
  files:
    description: Text files; folders that are not there yet become root's.
    type: list
    elements: dict
    default: []
    suboptions:
      <<: *where
      content: { description: The whole text., type: str, required: true }
      check:
        description: A program that has to be content with it first; %s is the file.
        type: list
        elements: str
  alone_in:
    description: What else lies in this folder is taken away, if it is a file.
    type: path
author: Ayni
"""
RETURN = """
paths: { description: What was changed., type: list, returned: always }
"""
_WHERE = {
    "path": {"type": "path", "required": True},
    "owner": {"default": "root"},
    "group": {"default": "root"},
    "mode": {},
}
_FILE = {**_WHERE, "content": {"required": True}, "check": {"type": "list", "elements": "str"}}
_ROOTS = {"owner": "root", "group": "root", "mode": None}
_LARGEST_DIFF = 100_000


class Putting:
    """What was done so far, or would have been."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.paths: list[str] = []
        self.differences: list[dict[str, str]] = []

    def folder(self, given: dict[str, Any]) -> None:
        """A folder, and its parents."""
        path = Path(given["path"])
        if path.is_dir():
            if self._rights(given, "0755"):
                self._changed(path)
            return
        if path.exists() or path.is_symlink():
            self.module.fail_json(msg=f"{path}: is there and no folder")
        if not self._is_folder(path.parent):
            self.folder({**given, "path": str(path.parent)})
        if not self.module.check_mode:
            path.mkdir(0o700)
            self._rights(given, "0755")
        self._changed(path)

    def file(self, given: dict[str, Any]) -> None:
        """A file that says this, whole or not at all."""
        path, text = Path(given["path"]), given["content"]
        before = _text(path)
        if before != text:
            if not self._is_folder(path.parent):
                self.folder({**_ROOTS, "path": str(path.parent)})
            if not self.module.check_mode:
                self._write(path, given)
            self._changed(path, before or "", text)
        if self._rights(given, "0644") and before == text:
            self._changed(path)

    def alone(self, folder: Path, wanted: set[Path]) -> None:
        """Nothing else lies there."""
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path not in wanted and not path.is_dir():
                if not self.module.check_mode:
                    path.unlink()
                self._changed(path)

    def _is_folder(self, path: Path) -> bool:
        """Also one that a dry run would have made."""
        return path.is_dir() or str(path) in self.paths

    def _write(self, path: Path, given: dict[str, Any]) -> None:
        beside = Path(self.module.tmpdir) / str(len(self.paths))
        beside.touch(0o600)
        beside.write_bytes(given["content"].encode("utf-8"))
        if given["check"]:
            words = [word.replace("%s", str(beside)) for word in given["check"]]
            status, said, wrong = self.module.run_command(words)
            if status:
                self.module.fail_json(msg=f"{path}: is not put there: {(wrong or said).strip()}")
        beside.chmod(int(given["mode"] or "0644", 8))
        self.module.atomic_move(str(beside), str(path))

    def _rights(self, given: dict[str, Any], usual: str) -> bool:
        """Whether they had to be changed. In a dry run what is not there yet has none."""
        path = Path(given["path"])
        if not path.exists():
            return False
        if self.module.check_mode and not _is_group(given["group"]):
            return True
        wanted = {key: given[key] for key in ("path", "owner", "group")}
        # Ansible's own way, with all that it knows of owners and modes
        nothing = dict.fromkeys(("seuser", "serole", "setype", "selevel", "attributes"))
        arguments = {**nothing, **wanted, "mode": given["mode"] or usual, "secontext": [None] * 3}
        return bool(self.module.set_fs_attributes_if_different(arguments, changed=False))

    def _changed(self, path: Path, before: str = "", after: str = "") -> None:
        name = str(path)
        self.paths.append(name)
        if before != after and len(before) + len(after) < _LARGEST_DIFF:
            self.differences.append(
                {"before_header": name, "after_header": name, "before": before, "after": after}
            )


def _text(path: Path) -> str | None:
    """None: there is none, or something else."""
    if path.is_symlink() or not path.exists():
        return None
    return path.read_bytes().decode("utf-8", "replace")


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def main() -> None:
    """Do it, and tell what changed."""
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "default": [], "options": _WHERE},
            "files": {"type": "list", "elements": "dict", "default": [], "options": _FILE},
            "alone_in": {"type": "path"},
        },
        supports_check_mode=True,
        no_log=True,  # the journal need not have every file
    )
    asked, putting = module.params, Putting(module)
    try:
        for folder in asked["folders"]:
            putting.folder(folder)
        for file in asked["files"]:
            putting.file(file)
        if asked["alone_in"]:
            putting.alone(Path(asked["alone_in"]), {Path(file["path"]) for file in asked["files"]})
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}", paths=putting.paths)
    module.exit_json(changed=bool(putting.paths), paths=putting.paths, diff=putting.differences)


if __name__ == "__main__":
    main()
