"""`GET /v1/openapi.json`: what is served over HTTP, as one document with every schema in it."""

from functools import cache
from typing import Any, Final

import orjson
from aiohttp import web
from ruamel.yaml import YAML

from stream.schema_files import schema_text

PATH: Final = "/v1/openapi.json"
_FILE: Final = "openapi.yaml"
_SCHEMA: Final = ".schema.json"


async def description(_request: web.Request) -> web.Response:
    """The description as an answer; made at the first question."""
    return web.Response(body=_encoded(), content_type="application/json")


@cache
def document() -> dict[str, Any]:
    """The description: schemas that are files of their own stand under `components`, by the file's name."""
    whole: dict[str, Any] = YAML(typ="safe", pure=True).load(schema_text(_FILE))
    found: set[str] = set()
    whole = _bundled(whole, "", found)
    schemas: dict[str, Any] = whole["components"]["schemas"]
    while missing := found - schemas.keys():
        for name in sorted(missing):
            schema = orjson.loads(schema_text(name + _SCHEMA))
            schemas[name] = _bundled({key: schema[key] for key in schema if key not in ("$schema", "$id")}, name, found)
    return whole


def _bundled(node: Any, within: str, found: set[str]) -> Any:  # noqa: ANN401 a document of any shape
    """The same with its references led to where the schemas are in the whole document; `found` gets their names."""
    if isinstance(node, list):
        return [_bundled(each, within, found) for each in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _bundled(value, within, found) for key, value in node.items()}
    reference = copy.get("$ref")
    if isinstance(reference, str):
        file, _, place = reference.partition("#")
        name = file.removesuffix(_SCHEMA) if file else within
        if name:
            found.add(name)
            copy["$ref"] = f"#/components/schemas/{name}{place}"
    return copy


@cache
def _encoded() -> bytes:
    return orjson.dumps(document())
