"""The list of commands: it is shown without loading them, and what it says is what they say themselves."""

import subprocess
import sys

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from stream.cli.commands import COMMANDS, app
from tests.cli.commands import Run


def loaded(name: str) -> str:
    """The help of a command as its own module has it."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    _, command, rest = group.resolve_command(Context(group), [name])
    assert command is not None
    assert rest == []
    return command.help or ""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_of_each_what_its_own_help_begins_with(name: str) -> None:
    assert COMMANDS[name].summary == loaded(name).split("\n\n")[0].replace("\n", " ")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_no_command_is_loaded_to_list_them_all(option: str) -> None:
    """Nor a library that is slow to load."""
    script = (
        "import sys\n"
        "from stream.cli.commands import app\n"
        f"app([{option!r}], standalone_mode=False)\n"
        "print(*sorted(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = set(run.stdout.splitlines()[-1].split())
    assert "stream.cli.commands" in modules
    assert modules.isdisjoint({"aiokafka", "faust", "ruamel.yaml", "msgspec", "stream.settings"})
    assert not any(f"stream.cli.{each.module}" in modules for each in COMMANDS.values())


def test_a_misspelt_command_gets_a_suggestion(lifecycle: Run) -> None:
    done = lifecycle("valdate")
    assert done.returncode == 2
    assert "No such command 'valdate'. Did you mean 'validate'?" in done.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("dead", ["dead-letters"]),
        ("s", ["schema", "simulate", "skip", "settings"]),
        ("tail --from", ["--from-beginning"]),
        ("dead-letters re", ["replay"]),
    ],
)
def test_shells_complete_commands_and_their_options(lifecycle: Run, typed: str, offered: list[str]) -> None:
    done = lifecycle(
        environment={
            "_LIFECYCLE_COMPLETE": "complete_bash",
            "COMP_WORDS": f"lifecycle {typed}",
            "COMP_CWORD": str(len(typed.split())),
        }
    )
    assert done.stdout.split() == offered
