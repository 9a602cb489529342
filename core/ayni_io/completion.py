"""Shell completion: `ayni completion bash|zsh|fish` prints a script that asks `ayni completion --words`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ayni_io import cli
from ayni_io.i18n import _
from ayni_io.usage import Parser

_SCRIPTS = {
    "bash": """_ayni() {
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$(ayni completion --words "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" \\
        -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ayni ayni
""",
    "zsh": """#compdef ayni
_ayni() {
    local -a found
    found=(${(f)"$(ayni completion --words ${words[2,CURRENT-1]} 2>/dev/null)"})
    compadd -a found
    _files
}
compdef _ayni ayni
""",
    "fish": """complete -c ayni -a '(ayni completion --words (commandline -opc)[2..-1] 2>/dev/null)'
""",
}


def parser() -> argparse.ArgumentParser:
    """The options of `ayni completion`."""
    result = Parser(
        prog="ayni completion",
        description=_("Print the completion script of a shell."),
        epilog='bash: eval "$(ayni completion bash)"',
    )
    result.add_argument("shell", choices=sorted(_SCRIPTS))
    return result


def main(argv: Sequence[str]) -> int:
    """Print a script, or with `--words` what may follow the words given."""
    if argv[:1] == ["--words"]:
        print("\n".join(follow(argv[1:])))
        return 0
    print(_SCRIPTS[parser().parse_args(argv).shell], end="")
    return 0


def follow(words: Sequence[str]) -> list[str]:
    """What may stand after these words: subcommands first, then the words and options of a command."""
    typed = tuple(words)
    deeper = {
        path[len(typed)] for path in cli.COMMANDS if path[: len(typed)] == typed and len(path) > len(typed)
    }
    if deeper:
        return sorted(deeper)
    for length in (2, 1):
        entry = cli.COMMANDS.get(typed[:length])
        if entry and len(typed) >= length:
            try:
                command = cli.load_parser(entry)
            except (ImportError, AttributeError):
                return []
            return _after(command, typed[length:])
    return []


def _after(command: argparse.ArgumentParser, typed: Sequence[str]) -> list[str]:
    """The values of an option that was just begun; else what a command offers, or the subcommand typed."""
    options: dict[str, argparse.Action] = {}
    choices: list[str] = []
    for action in command._actions:
        options |= dict.fromkeys(action.option_strings, action)
        if isinstance(action, argparse._SubParsersAction):
            for place, word in enumerate(typed):
                if word in action.choices:
                    return _after(action.choices[word], typed[place + 1 :])
        if not action.option_strings and action.choices:
            choices += map(str, action.choices)
    begun = options.get(typed[-1]) if typed else None
    if begun is not None and begun.nargs != 0:
        return sorted(map(str, begun.choices or ()))
    given = set(typed)
    long = [word for word in options if word.startswith("--")]
    return sorted([*(word for word in choices if not given & set(choices)), *long])
