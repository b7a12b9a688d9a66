"""Endpoints of webhooks and the requests to them, as people see them: credentials by their last four characters."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.tables import plain_table
from stream.codec.plain import plain
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.endpoints.hidden_texts import header_without, last_four, without
from stream.webhooks.endpoints.signing_secrets import written
from stream.webhooks.exchange import HttpRequest


def endpoint_table(endpoints: Iterable[Endpoint]) -> Table:
    """One endpoint a line; of a narrow terminal the conditions take what room the rest leaves."""
    table = plain_table("Name", "Template", "To", "When", "Only", "Enabled", "Secrets")
    for column in table.columns:
        column.no_wrap = column.header != "When"
    for each in endpoints:
        shown = endpoint_object(each)
        table.add_row(
            Text(each.name, "bold" if each.enabled else "dim"),
            plain(shown["template"]),
            plain(shown["to"]),
            Text(plain(each.when) if each.when else "all changes", "" if each.when else "dim"),
            shown["only"],
            Text("yes") if each.enabled else Text("no", "yellow"),
            ", ".join(shown["secrets"]) or Text("unsigned", "dim"),
        )
    return table


def endpoint_object(endpoint: Endpoint) -> dict[str, Any]:
    """What a list says of an endpoint: of where it leads only the host, of its secrets their ends."""
    return {
        "name": endpoint.name,
        "template": endpoint.template.name,
        "to": endpoint.template.host(endpoint.values),
        "when": endpoint.when,
        "only": "latest" if endpoint.only_latest else "all",
        "enabled": endpoint.enabled,
        "secrets": [last_four(written(key)) for key in endpoint.secrets],
    }


def request_text(request: HttpRequest, endpoint: Endpoint, more: Sequence[tuple[str, str]]) -> Text:
    """A request as it is sent, with `more` headers."""
    hidden = endpoint.hidden
    text = Text.assemble((request.method, "bold"), " ", plain(without(request.url, hidden)), "\n")
    headers = {name.lower(): (name, value) for name, value in (*request.headers, *endpoint.headers, *more)}
    for name, value in headers.values():
        text.append(f"{name}: ", "dim")
        text.append(plain(header_without(name, value, hidden)) + "\n")
    text.append("\n" + without(_body(request.body), hidden))
    return text


def _body(body: bytes) -> str:
    """JSON with a line for each key, anything else as it is."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return "\n".join(map(plain, body.decode(errors="replace").splitlines()))
