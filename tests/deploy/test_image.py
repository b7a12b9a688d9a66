"""The image: its Dockerfile is clean, and it has and checks what the product is."""

import re
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from stream.settings import Settings
from stream.settings_sources import ENVIRONMENT_PREFIX
from tests.deploy.manifests import (
    DEPLOY,
    DOCKERFILE,
    OVERLAYS,
    PORTS,
    ROOT,
    container_of,
    deployments,
    roles_of_compose,
    run,
)

pytestmark = [pytest.mark.slow, pytest.mark.operators]
"""It needs programs that only `make operators` sees to."""


def test_the_dockerfile_is_clean() -> None:
    run("hadolint", DOCKERFILE)


def test_the_image_has_the_release_of_the_product_and_a_python_that_it_is_tested_on() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    given = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
    assert given["VERSION"] == project["version"]
    minor, patch = given["PYTHON"].rsplit(".", 1)
    assert f"Programming Language :: Python :: {minor}" in project["classifiers"]
    assert patch.isdigit()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert bases == ["python:${PYTHON}-${DEBIAN}", "python:${PYTHON}-slim-${DEBIAN}"], "one Python, one Debian"


def test_compose_and_overlays_run_the_image_of_this_release() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    images = {service["image"] for service in roles_of_compose().values()}
    assert images == {f"customer-lifecycle:{version}"}
    for folder in OVERLAYS:
        for deployment in deployments(folder).values():
            assert container_of(deployment)["image"].endswith(f"/customer-lifecycle:{version}")


def test_what_the_image_installs_is_pinned_and_fits_the_project() -> None:
    lines = (DEPLOY / "image" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["tracing"],
        *project["build-system"]["requires"],
        *project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]["dependencies"],
    ]
    for requirement in map(Requirement, wanted):
        name = requirement.name.lower().replace("_", "-")
        assert pinned[name] in requirement.specifier, f"{requirement}: {pinned[name]} is pinned"


def test_the_image_is_built_from_nothing_that_is_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    for name in " ".join(copied).split():
        assert f"!{name}" in ignored
        assert (ROOT / name).exists()


def _module(path: Path) -> ModuleType:
    """A program that no package has."""
    specification = util.spec_from_file_location(path.stem + "_of_deploy", path)
    assert specification is not None
    assert specification.loader is not None
    module = util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


HEALTH = _module(DEPLOY / "image" / "health.py")


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server whose `/livez` answers that."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_the_health_check_asks_where_each_role_is() -> None:
    for variable, port in HEALTH.PORTS.items():
        setting = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        assert int(port) == getattr(Settings(), setting)
    assert {int(port) for port in HEALTH.PORTS.values()} == set(PORTS.values())


@pytest.mark.parametrize("variable", HEALTH.PORTS)
def test_a_container_is_healthy_while_its_role_is_live(variable: str) -> None:
    nobody = dict.fromkeys(HEALTH.PORTS, "1")
    with answering(200) as port:
        assert HEALTH.main({**nobody, variable: str(port)}) == 0
    assert HEALTH.main({**nobody, variable: str(port)}) == 1
    with answering(503) as port:
        assert HEALTH.main({**nobody, variable: str(port)}) == 1
