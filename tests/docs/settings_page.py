"""Makes `docs/settings.md`: `.venv/bin/python -m tests.docs.settings_page` after a change of settings."""

import os
import subprocess
import sys
from typing import Final

from tests.docs.markdown import ROOT

PAGE: Final = ROOT / "docs" / "settings.md"
_BEFORE: Final = """\
# Settings

A setting comes from an option of the command (`--web-port`), else from the environment (`LIFECYCLE_WEB_PORT`), else
from the TOML file that `--settings` or `LIFECYCLE_SETTINGS` names (`web_port = 6066`), else it has its default.

`lifecycle settings --current`, with the options and the environment of a worker, shows each setting as it is and where
it comes from. An unknown key of the file is an error; an unknown `LIFECYCLE_…` variable is warned of. Passwords and
tokens are no options, so that no list of processes shows them.

The table below is what `lifecycle settings --markdown` prints.

"""


def settings_page() -> str:
    """The page, as it must be; whatever is set in the environment."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    printed = subprocess.run(
        [sys.executable, "-m", "stream.cli", "settings", "--markdown"],
        cwd=ROOT,
        env=around,
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    ).stdout
    return _BEFORE + printed


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
