"""The units of `deploy/systemd`: systemd takes them, they are hardened, and what they name is in the product."""

import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from dataclasses import fields
from pathlib import Path

import pytest

from stream.cli.terminal.unknown_variables import unknown_variables
from stream.engine.worker import _STOP_DEADLINE
from stream.settings import Settings
from stream.settings_sources import SETTINGS_VARIABLE, load_settings
from stream.web.collector.taking import ANSWER_WITHIN

pytestmark = pytest.mark.operators

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
WORKER, COLLECTOR, WEBHOOKS = "lifecycle-worker@.service", "lifecycle-collector.service", "lifecycle-webhooks.service"
NAMES = (WORKER, COLLECTOR, WEBHOOKS)
PROGRAM = "/opt/lifecycle/bin/lifecycle"
_MOST_EXPOSED = "30"
"""In tenths, as `--threshold` takes it."""


def test_every_unit_of_the_folder_is_tested() -> None:
    """One that is added is held to the same."""
    assert sorted(NAMES) == sorted(each.name for each in UNITS.glob("*.service"))


@pytest.mark.parametrize("name", NAMES)
def test_systemd_understands_the_unit(name: str, tmp_path: Path) -> None:
    """Without a warning; the program is one that is there, for it need not be installed here."""
    unit = tmp_path / name
    unit.write_text(_text(name).replace(PROGRAM, "/bin/true"), encoding="utf-8")
    done = _run("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_unit_is_exposed_less_than_3(name: str) -> None:
    """As `systemd-analyze security` reckons; below 3 is OK in its words."""
    done = _run(
        "systemd-analyze", "security", "--offline=true", f"--threshold={_MOST_EXPOSED}", "--no-pager", str(UNITS / name)
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
    assert "Overall exposure level" in done.stdout


def test_the_units_are_hardened_alike() -> None:
    """What differs between roles is how they start and stop, not what they may do."""
    worker, *others = (_text(name).partition("\n# What this process may do")[2] for name in NAMES)
    assert worker
    assert others == [worker, worker]


@pytest.mark.parametrize("name", NAMES)
def test_the_command_knows_its_options(name: str) -> None:
    """`lifecycle ROLE --help` lists each option of ExecStart."""
    program, role, *arguments = shlex.split(_service(name)["ExecStart"])
    assert program == PROGRAM
    shown = subprocess.run(
        [sys.executable, "-m", "stream.cli", role, "--help"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"},
    ).stdout
    assert f"lifecycle {role}" in shown
    for option in (each for each in arguments if each.startswith("-")):
        assert re.search(rf"{re.escape(option)}\b", shown), f"{option} is no option of lifecycle {role}"


@pytest.mark.parametrize("name", NAMES)
def test_each_variable_of_a_unit_is_a_setting(name: str) -> None:
    """A misspelt one has no effect, and nobody would see."""
    variables = dict(each.split("=", 1) for each in shlex.split(_service(name)["Environment"]))
    assert variables == {SETTINGS_VARIABLE: "%d/lifecycle.toml"}
    assert set(re.findall(r"LIFECYCLE_\w+", _text(name))) == {SETTINGS_VARIABLE}


def test_each_variable_of_the_example_is_a_setting(tmp_path: Path) -> None:
    """And has a value that the setting can have, those that are commented out, too; with the example of secrets."""
    text = (UNITS / "lifecycle.env.example").read_text(encoding="utf-8")
    variables = dict(re.findall(r"^#?(LIFECYCLE_\w+)=(.*)$", text, re.MULTILINE))
    assert variables.keys() >= {"LIFECYCLE_BOOTSTRAP", "LIFECYCLE_LIFECYCLES"}
    assert set(re.findall(r"LIFECYCLE_\w+", text)) == variables.keys()
    assert unknown_variables(variables) == []
    assert not {f"LIFECYCLE_{each.name.upper()}" for each in fields(Settings) if not each.repr} & variables.keys()
    file = tmp_path / "lifecycle.toml"
    shutil.copy(UNITS / "lifecycle.toml.example", file)
    settings = load_settings({}, file=file, environment=variables)
    assert settings.uses_sasl
    assert settings.sasl_username
    assert settings.sasl_password


def test_a_shell_reads_the_example_as_systemd_does(tmp_path: Path) -> None:
    """So that an operator's commands have the settings of the units."""
    text = (UNITS / "lifecycle.env.example").read_text(encoding="utf-8")
    variables = dict(re.findall(r"^#?(LIFECYCLE_\w+)=(.*)$", text, re.MULTILINE))
    file = tmp_path / "lifecycle.env"
    file.write_text(re.sub(r"^#(LIFECYCLE_)", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    shown = subprocess.run(
        ["/bin/sh", "-c", 'set -a; . "$1"; env', "sh", file],
        check=True,
        capture_output=True,
        text=True,
        env={},
        timeout=10,
    ).stdout
    assert {line for line in shown.splitlines() if line.startswith("LIFECYCLE_")} == {
        f"{variable}={value}" for variable, value in variables.items()
    }


def test_secrets_come_as_credentials() -> None:
    """Each role gets its own file, which its user cannot read, and no unit names a secret."""
    for name in NAMES:
        role = re.split(r"[-@.]", name)[1]
        service = _service(name)
        assert service["LoadCredential"] == f"lifecycle.toml:/etc/lifecycle/{role}.toml"
        assert service["User"] == f"lifecycle-{role}"
        assert "DynamicUser" not in service


def test_the_users_of_the_units_are_made() -> None:
    """By the file for systemd-sysusers, which takes it."""
    file = UNITS / "lifecycle.sysusers.conf"
    done = _run("systemd-sysusers", "--dry-run", str(file))
    assert (done.returncode, "valid" in done.stderr) == (0, False), done.stderr
    made = re.findall(r"^u (\S+) ", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(made) == {_service(name)["User"] for name in NAMES}


@pytest.mark.parametrize(
    ("name", "longest"),
    [(WORKER, _STOP_DEADLINE + 2), (COLLECTOR, 2 * (ANSWER_WITHIN + 1)), (WEBHOOKS, _STOP_DEADLINE + 2)],
)
def test_the_process_has_time_to_end_by_itself(name: str, longest: float) -> None:
    """More than the code takes at the most, and less than three times as much: SIGKILL is for one that hangs."""
    given = _service(name)["TimeoutStopSec"]
    assert given.endswith("s")
    assert longest < float(given[:-1]) < 3 * longest


@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_ends_is_started_again_for_ever(name: str) -> None:
    """But for a command line that is wrong (exit code 2), which no waiting mends."""
    service = _service(name)
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == "2"
    assert _unit(name)["Unit"]["StartLimitIntervalSec"] == "0"


@pytest.mark.parametrize("name", NAMES)
def test_systemd_waits_for_no_word_that_nobody_sends(name: str) -> None:
    """The product does not speak sd_notify: with Type=notify no start would ever end, a watchdog would kill it."""
    service = _service(name)
    assert service["Type"] == "exec"
    assert "WatchdogSec" not in service


def _text(name: str) -> str:
    return (UNITS / name).read_text(encoding="utf-8")


def _unit(name: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their capitals: the documented way
    parser.read_string(_text(name))
    return parser


def _service(name: str) -> dict[str, str]:
    return dict(_unit(name)["Service"])


def _run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(name)
    assert program is not None, f"{name} is not here: apt-get install systemd"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
