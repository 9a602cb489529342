"""The `ayni` command from outside: help, versions, typing errors, completion, faults of a file."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from in_process import ayni

from ayni_core import __version__
from ayni_io import cli, completion

AYNI = Path(sys.executable).parent / "ayni"
"""The installed command; what needs no process of its own is asked by `in_process.ayni`."""
GROUPS = sorted({path[0] for path in cli.COMMANDS if len(path) > 1})
SHELLS = ("bash", "fish", "zsh")


def subcommands(path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A command and every subcommand that its parser has below it."""
    try:
        command = cli.load_parser(cli.COMMANDS[path])
    except ModuleNotFoundError:  # its own test says so
        return [path]
    below = [action.choices for action in command._actions if hasattr(action, "add_parser")]
    return [path, *((*path, word) for choices in below for word in choices)]


LEVELS = [words for path in cli.COMMANDS for words in subcommands(path)]


# ---- help and version


def test_version_is_one_line_and_the_version_of_the_package() -> None:
    """By the command that is installed."""
    for option in ("--version", "-V"):
        run = subprocess.run([str(AYNI), option], capture_output=True, text=True, timeout=30)
        assert (run.returncode, run.stdout, run.stderr) == (0, f"ayni {__version__}\n", "")


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",)])
def test_help_names_every_command(words: tuple[str, ...]) -> None:
    run = ayni(*words)
    assert run.returncode == 0
    assert all(f"  {' '.join(path)} " in run.stdout for path in cli.COMMANDS)
    assert all(len(line) <= 80 for line in run.stdout.splitlines()), "80 columns are all there is"


def test_without_a_command_the_usage_is_shown_and_the_status_is_2() -> None:
    run = ayni()
    assert (run.returncode, run.stdout.splitlines()[0]) == (2, "usage: ayni COMMAND [--help]")


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_commands(group: str) -> None:
    run, bare = ayni(group, "--help"), ayni(group)
    assert (run.returncode, bare.returncode) == (0, 2)
    for path in cli.COMMANDS:
        assert (f"  {' '.join(path)} " in run.stdout) == (path[0] == group)


@pytest.mark.parametrize("words", LEVELS, ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    run = ayni(*words, "--help")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"usage: ayni {' '.join(words)}")


@pytest.mark.parametrize("path", cli.COMMANDS, ids=" ".join)
def test_an_unknown_option_is_refused_with_the_usage(path: tuple[str, ...]) -> None:
    run = ayni(*path, "--no-such-option")
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert "usage:" in run.stderr


# ---- typing errors


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("consle",), 'unknown command "consle"; did you mean "console"?'),
        (("agent", "pol"), 'unknown command "agent pol"; did you mean "poll"?'),
        (("hub", "rnu"), 'unknown command "hub rnu"; did you mean "run"?'),
        (("backup",), 'unknown command "backup"; did you mean "hub backup"?'),
        (("check",), 'unknown command "check"; did you mean "agent check", "hub check", "rules check"?'),
        (("--verison",), 'unknown command "--verison"; did you mean "--version"?'),
        (("pki", "--hlep"), 'unknown command "pki --hlep"; did you mean "--help"?'),
    ],
)
def test_an_unknown_command_gets_the_nearest_known_one(words: tuple[str, ...], hint: str) -> None:
    run = ayni(*words)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"ayni: {hint}\n")


def test_a_word_like_no_command_gets_the_list_of_all() -> None:
    run = ayni("zzzzzz")
    assert run.returncode == 2
    assert all(path[0] in run.stderr for path in cli.COMMANDS)


# ---- faults of a file

FAULTY = """\
node: Torre Pi
broker:
  host: hub.lan
  pasword: file:x
poll_s: 0
devices:
  radio:
    address: 10.0.0.1:99999
    version: 3
    community: public
"""


def test_every_fault_of_a_file_is_told_in_a_line_of_its_own_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(FAULTY, encoding="utf-8")
    run = ayni("agent", "check", str(file))
    assert (run.returncode, run.stdout) == (2, "")
    lines = run.stderr.splitlines()
    assert all(line.startswith(f"{file}:") for line in lines), run.stderr
    for number, path in (
        (1, "node"), (2, "broker.ca"), (4, "broker.pasword"), (5, "poll_s"), (8, "devices.radio.address"),
        (9, "devices.radio.version"), (10, "devices.radio.community"),
    ):  # fmt: skip
        assert any(line.startswith(f"{file}:{number}: {path}: ") for line in lines), (number, path)
    assert "public" not in run.stderr, "what may be a secret is not repeated"


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    for words in (("agent", "run", "--config"), ("agent", "check"), ("hub", "run", "--config")):
        run = ayni(*words, "no-such.yaml", cwd=tmp_path)
        assert (run.returncode, run.stderr) == (2, "no-such.yaml: no such file\n"), words


@pytest.mark.parametrize(
    "words", [("--help",), ("agent", "poll", "--help"), ("completion", "bash")], ids=" ".join
)
def test_a_reader_that_goes_away_is_no_error(words: tuple[str, ...]) -> None:
    near, far = os.pipe()
    os.close(near)
    run = subprocess.run([str(AYNI), *words], stdout=far, stderr=subprocess.PIPE, text=True, timeout=30)
    os.close(far)
    assert run.stderr == ""
    assert run.returncode in (0, 141), "argparse itself passes over it where nothing is buffered"


def test_the_console_without_a_terminal_says_what_to_use_instead() -> None:
    run = ayni("console")
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1
    assert "ayni status" in run.stderr


def test_an_extra_that_is_missing_is_named_in_one_line_wherever_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "textual").mkdir()
    (tmp_path / "textual" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'textual'\", name='textual')", encoding="utf-8"
    )
    status, output = on_a_terminal([str(AYNI), "console"], {"PYTHONPATH": str(tmp_path)})
    assert status == 2
    assert (
        output == 'ayni console: textual is missing; get the extra "console": pip install "ayni[console]"\n'
    )


def on_a_terminal(command: list[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Exit status and output of a program that believes it has a terminal."""
    near, far = pty.openpty()
    full = {**os.environ, "AYNI_LANG": "en", "TERM": "xterm", "COLUMNS": "200", **env}
    with subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=full) as process:
        os.close(far)
        output = b""
        while True:
            try:
                piece = os.read(near, 4096)
            except OSError:  # Linux: the other side is closed
                break
            if not piece:
                break
            output += piece
        status = process.wait(30)
    os.close(near)
    return status, output.decode("utf-8").replace("\r\n", "\n")


# ---- completion


@pytest.mark.parametrize("shell", SHELLS)
def test_there_is_a_completion_script_for_each_shell(shell: str) -> None:
    run = ayni("completion", shell)
    assert run.returncode == 0
    assert "ayni completion --words" in run.stdout
    program = shutil.which(shell)
    if program:
        checked = subprocess.run([program, "-n"], input=run.stdout, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr


def test_help_of_completion_names_the_shells() -> None:
    assert all(shell in ayni("completion", "--help").stdout for shell in SHELLS)
    assert ayni("completion", "powershell").returncode == 2


OFFERED: dict[str, list[str]] = {
    "ayni ag": ["agent"],
    "ayni agent ": ["card", "check", "discover", "enrol", "poll", "record", "run", "status"],
    "ayni agent poll --re": ["--recording", "--retries"],
    "ayni agent poll --version ": ["1", "2c", "3"],
    "ayni agent poll --recording ": [],  # then bash offers files
    "ayni lab ": ["--help", "broker", "simulate"],
    "ayni lab broker --": ["--accounts", "--help", "--port"],
    "ayni profile ": ["--help", "check", "draft", "metrics", "try"],
    "ayni completion f": ["fish"],
    "ayni nonsense ": [],
}
"""What may follow a line that was begun."""


@pytest.mark.parametrize("line", OFFERED)
def test_commands_options_and_values_are_completed(line: str) -> None:
    _ayni, *words, begun = line.split(" ")
    run = ayni("completion", "--words", *words)
    assert (run.returncode, run.stderr) == (0, "")
    assert [word for word in run.stdout.splitlines() if word and word.startswith(begun)] == OFFERED[line]


def test_bash_asks_the_installed_command() -> None:
    """By way of the real script; it leaves out what does not begin as the line does."""
    lines = ("ayni ag", "ayni agent poll --re", "ayni agent poll --recording ", "ayni nonsense ")
    script = [f'export PATH="{AYNI.parent}:$PATH"; eval "$(ayni completion bash)"; complete -p ayni']
    for line in lines:
        words = line.split(" ")
        quoted = " ".join(f"'{word}'" for word in words)
        script.append(f'COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _ayni; echo "${{COMPREPLY[*]}}"')
    run = subprocess.run(["bash", "-c", "\n".join(script)], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    registered, *offered = run.stdout.splitlines()
    assert registered == "complete -o default -F _ayni ayni"
    assert [each.split() for each in offered] == [OFFERED[line] for line in lines]


def test_completion_offers_every_command() -> None:
    assert completion.follow([]) == sorted({path[0] for path in cli.COMMANDS})
