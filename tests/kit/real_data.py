"""Where the real data lie that tests and benchmarks read: unpacked from packages by tests/kit/data.sh."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".data"


def real_data(name: str) -> Path:
    """The file `name` of the folder `.data`, such as `cdnow/CDNOW_master.txt`; FileNotFoundError where it is not there.

    The error names the command that fetches it.
    """
    path = FOLDER / name
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}; tests/kit/data.sh fetches it from the package registry")
    return path
