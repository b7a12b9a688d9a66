# ruff: noqa: INP001 - a program, no package
"""Draws what the services of compose.yaml know each other by: draw_secrets.py FOLDER. What is there already stays.

    tokens.toml        `people` for the console and questions about customers, `prometheus` for metrics alone
    prometheus-token   the latter, as Prometheus reads it
    write-keys.toml    one key for the collector
    webhook-secret     what webhooks may be signed with
    grafana-password   of Grafana's user `admin`

Whoever is in a container that has the folder reads them: it is for a machine that is yours alone.
"""

import base64
import secrets
import sys
import tomllib
from pathlib import Path

_TOKENS = """[[token]]
token = "{people}"
name = "people"
roles = ["read", "operate"]

[[token]]
token = "{prometheus}"
name = "prometheus"
roles = ["operate"]
"""
_WRITE_KEYS = """[[key]]
key = "{key}"
source = "first"
"""


def draw(folder: Path) -> list[str]:
    """Write the files that are missing; returns their names."""
    texts = {
        "tokens.toml": _TOKENS.format(people=secrets.token_hex(32), prometheus=secrets.token_hex(32)),
        "write-keys.toml": _WRITE_KEYS.format(key=secrets.token_hex(16)),
        "webhook-secret": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "grafana-password": secrets.token_urlsafe(18),
    }
    written = [name for name, text in texts.items() if _write(folder / name, text)]
    tokens = tomllib.loads((folder / "tokens.toml").read_text(encoding="utf-8"))["token"]
    of_prometheus = next(each["token"] for each in tokens if each["name"] == "prometheus")
    return [*written, *(["prometheus-token"] if _write(folder / "prometheus-token", of_prometheus) else [])]


def _write(path: Path, text: str) -> bool:
    """Whether the file was missing."""
    if path.exists():
        return False
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)  # each service has a user of its own
    return True


if __name__ == "__main__":
    sys.stdout.writelines(f"drew {each}\n" for each in draw(Path(sys.argv[1])))
