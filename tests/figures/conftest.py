"""The simulated shop, read once."""

import subprocess
import sys

import pandas as pd
import pytest

from tests.figures.shop import saved_shop


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What all its 2,000 people did."""
    file = tmp_path_factory.mktemp("shop") / "shop.jsonl.gz"
    subprocess.run([sys.executable, "-m", "stream.cli", "demo", "--save", str(file)], check=True, capture_output=True)
    return saved_shop(file)
