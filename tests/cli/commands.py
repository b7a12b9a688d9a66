"""Commands in a process of their own, as the fixture `lifecycle` runs them."""

import subprocess
from collections.abc import Callable

Run = Callable[..., "subprocess.CompletedProcess[str]"]
"""The arguments, and by name `stdin` and `environment`."""
