"""What Kafka's users may do: as a document says it, granted and taken away."""

import argparse
import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest
from aiokafka.protocol.api import Request

_STUB = '#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done; echo\n'
_RESOURCES = {"topic": 2, "group": 3, "transactional-id": 5}
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11}
_PATTERNS = {"literal": 3, "prefixed": 4}
_ANY_HOST, _ALLOW = "*", 3


class Acl(NamedTuple):
    """One thing that one user may do."""

    principal: str
    operation: str
    resource: str
    name: str
    pattern: str = "literal"

    def __str__(self) -> str:
        return f"{self.operation} {self.resource} {self.name}"

    @property
    def codes(self) -> tuple[int, str, int, str, str, int, int]:
        """As Kafka's protocol has it."""
        resource, pattern = _RESOURCES[self.resource], _PATTERNS[self.pattern]
        return resource, self.name, pattern, self.principal, _ANY_HOST, _OPERATIONS[self.operation], _ALLOW


def documented(document: Path, heading: str) -> list[Acl]:
    """What the commands below a heading of a Markdown document grant.

    The document's shell code is run as it stands, with a `kafka-acls.sh` that only tells how it was called.
    Raises LookupError where there is no such heading, and SystemExit for an unknown option.
    """
    text = document.read_text(encoding="utf-8")
    _, found, rest = text.partition(f"\n### {heading}\n")
    if not found:
        raise LookupError(f"{document} has no heading {heading!r}")
    section = re.split(r"\n###? ", rest)[0]
    define = next(block for block in _code(text) if block.startswith("grant()"))
    with tempfile.TemporaryDirectory() as folder:
        stub = Path(folder, "kafka-acls.sh")
        stub.write_text(_STUB)
        stub.chmod(0o755)
        calls = subprocess.run(
            ["/bin/bash", "-euc", "\n".join([define, *_code(section)])],
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return [acl for call in calls.split("\n\n") if call.strip() for acl in _granted(call.split("\n"))]


def _code(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _granted(arguments: list[str]) -> Iterator[Acl]:
    parser = argparse.ArgumentParser("kafka-acls.sh", allow_abbrev=False)
    parser.add_argument("--bootstrap-server", required=True)
    parser.add_argument("--command-config", required=True)
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", choices=_OPERATIONS, required=True)
    parser.add_argument("--resource-pattern-type", choices=_PATTERNS, default="literal")
    for resource in _RESOURCES:
        parser.add_argument(f"--{resource}", action="append", default=[])
    call = vars(parser.parse_args([each for each in arguments if each]))
    for resource in _RESOURCES:
        for name in call[resource.replace("-", "_")]:
            for operation in call["operation"]:
                yield Acl(call["allow_principal"], operation, resource, name, call["resource_pattern_type"])


async def grant(bootstrap: str, acls: Iterable[Acl]) -> None:
    """Allow all of it, and wait until the broker does; `bootstrap` is where we may do so."""
    await _change(bootstrap, CreateAclsRequest, acls, there=True)


async def revoke(bootstrap: str, acls: Iterable[Acl]) -> None:
    """Take all of it away, and wait until the broker does."""
    await _change(bootstrap, DeleteAclsRequest, acls, there=False)


async def _change(
    bootstrap: str, request: type[CreateAclsRequest | DeleteAclsRequest], acls: Iterable[Acl], *, there: bool
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for acl in acls:
            await _send(admin, request(*acl.codes))
            while bool((await _send(admin, DescribeAclsRequest(*acl.codes))).resources) != there:
                await asyncio.sleep(0.02)
    finally:
        await admin.close()


async def _send(admin: AIOKafkaAdminClient, request: Request[Any]) -> Any:
    return await admin._send_request(request)
