"""Where the real data lie that tests read but the repository does not hold."""

from pathlib import Path


def shared_data() -> Path:
    """The folder `shared/data` beside the checkout; FileNotFoundError, saying so, where there is none."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        message = f"the tests' real data are missing: there is no folder {folder}; put it beside the checkout"
        raise FileNotFoundError(message)
    return folder
