"""Makes `docs/webhook-templates.md`: `.venv/bin/python -m tests.docs.webhook_templates_page` after a change."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from stream.webhooks.exchange import HttpRequest
from stream.webhooks.templating.change_fields import NAMES
from stream.webhooks.templating.filters import FILTERS
from stream.webhooks.templating.placeholders import OWN
from stream.webhooks.templating.template_answers import AnswerRules
from stream.webhooks.templating.template_file import FileTemplate, load_template, template_names
from stream.webhooks.templating.template_values import TemplateValue, ValueKind
from tests.docs.markdown import ROOT
from tests.sdks.tools import CLIENTS, pins
from tests.webhooks.tool_changes import change

PAGE: Final = ROOT / "docs" / "webhook-templates.md"
OWN_TEMPLATE: Final = ROOT / "docs" / "examples" / "our-crm.yaml"
_SECRET: Final = "the-secret"  # noqa: S105 - stands for one, and is masked
_KINDS: Final = {
    ValueKind.TEXT: ("a text, as it is sent", ""),
    ValueKind.URL: ("an http or https URL", "`https://shop.example/hooks`"),
    ValueKind.FIELD: ("the name of a field of the change, whose content is sent", "`facts.crm_id`"),
    ValueKind.EMAIL: ("likewise, of a field that holds an e-mail address", "`facts.email`"),
    ValueKind.FIELDS: (
        "names in the tool, each with a field of the change; or a mapping",
        "`lc_stage=to, lc_score=scores.engagement`",
    ),
    ValueKind.STAGES: (
        "your stages, each with what the tool has for it; or a mapping",
        "`lead=marketing, customer=client`",
    ),
    ValueKind.MESSAGE: ("a text with fields of the change in braces", "`{subject} is now {to}`"),
}
_MADE: Final = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_WIDTH: Final = 120


def page(text: str) -> str:
    """The page, with what stands between its marks as it must be."""
    made = {
        "kinds": _table("Kind | What stands there | Such as", [(f"`{kind}`", *said) for kind, said in _KINDS.items()]),
        "templates": "\n\n".join(part for name in template_names() for part in _section(load_template(name, ROOT))),
        "own": f"```yaml\n{OWN_TEMPLATE.read_text(encoding='utf-8')}```",
        "placeholders": _table("Placeholder | What it stands for", _placeholders()),
        "filters": _table(
            "Filter | What it makes",
            [(f"`{' '.join((name, *each.arguments))}`", each.help) for name, each in FILTERS.items()],
        ),
    }
    return _MADE.sub(lambda match: f"{match[1]}\n{made[match[2]]}\n\n{match[3]}", text)


def _table(heading: str, rows: Iterable[tuple[str, ...]]) -> str:
    ruler = "|".join("---" for _ in heading.split("|"))
    return "\n".join((f"| {heading} |", f"|{ruler}|", *(f"| {' | '.join(map(_cell, row))} |" for row in rows)))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _placeholders() -> Iterator[tuple[str, str]]:
    fields = ", ".join(f"`{{{name}}}`" for name in NAMES)
    yield fields, "a [field of the change](topics.md#fields); `subject` is the id, of whichever kind it is"
    yield from ((f"`{{{name}}}`", what) for name, what in OWN.items())


def _paragraph(text: str) -> str:
    """Lines are broken between words, and never within code."""
    whole = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "\xa0"), text)
    return textwrap.fill(whole, _WIDTH, break_long_words=False, break_on_hyphens=False).replace("\xa0", " ")


def example(template: FileTemplate) -> dict[str, str]:
    """Values of an endpoint as the page shows them, and something for each secret."""
    return {value.name: _given(value) for value in _shown(template)}


def _given(value: TemplateValue) -> str:
    if value.secret:
        return f"https://{_SECRET}.example" if value.kind is ValueKind.URL else _SECRET
    return value.example or value.name


def _shown(template: FileTemplate) -> list[TemplateValue]:
    """Those that must be there, and those that are worth showing; of two kinds of keys the first."""
    keys = [value.name for value in template.values if value.secret and not value.required]
    return [
        value
        for value in template.values
        if value.required or value.name in keys[:1] or (value.example and value.name not in ("url", *keys))
    ]


def _section(template: FileTemplate) -> Iterator[str]:
    definition = template.definition
    yield f"## `{template.name}`"
    yield _paragraph(f"**{definition.title}.** {definition.about}")
    yield f"```yaml endpoint={template.name}\n{_endpoint(template)}```"
    rows = [(f"`{each.name}`", each.kind, _default(each), _sentence(each.help)) for each in template.values]
    yield _table("Value | Kind | Default | What it is", rows)
    if definition.at_least_one:
        yield f"At least one of {', '.join(f'`{name}`' for name in definition.at_least_one)} is needed."
    what = change(facts={"email": "ada@example.com", "ac_id": 1, "mautic_id": 7, "name": "Ada"})
    requests = template.requests(what, what.event_id, example(template))
    yield "What is sent:"
    yield "\n\n".join(f"```http\n{_shown_request(request)}\n```" for request in requests)
    yield _paragraph(f"{_answers(definition.answers)} {definition.limits}")
    if template.name in CLIENTS:
        package = CLIENTS[template.name]
        yield f"Held against `{package}` {pins()[package]}."


def _endpoint(template: FileTemplate) -> str:
    lines = ["endpoints:", f"  {template.name}:", f"    template: {template.name}"]
    if template.name == "generic":
        lines.append("    secrets: [{env: SHOP_WEBHOOK_SECRET}]")
    lines.append("    values:")
    for value in _shown(template):
        if value.secret:
            variable = f"{template.name}_{value.name}".upper().replace("-", "_")
            lines.append(f"      {value.name}: {{env: {variable}}}")
        else:
            text = value.example or value.name
            quoted = orjson.dumps(text).decode() if re.search(r"[:{}|\[\]*]", text) else text
            lines.append(f"      {value.name}: {quoted}")
    return "\n".join(lines) + "\n"


def _default(value: TemplateValue) -> str:
    if value.default is not None:
        return f"`{value.default}`"
    return (
        ("required, a secret" if value.secret else "required")
        if value.required
        else ("a secret" if value.secret else "")
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shown_request(request: HttpRequest) -> str:
    masked = [
        (name, re.sub(r"^(Basic|Bearer|Klaviyo-API-Key) .*", r"\1 …", value).replace(_SECRET, "…"))
        for name, value in request.headers
    ]
    lines = [f"{request.method} {request.url.replace(f'https://{_SECRET}.example', '…')}"]
    lines += [f"{name}: {value}" for name, value in masked]
    if request.body:
        lines += ["", orjson.dumps(orjson.loads(request.body), option=orjson.OPT_INDENT_2).decode()]
    return "\n".join(lines)


def _answers(rules: AnswerRules) -> str:
    said = ["Success is 2xx"]
    if rules.success:
        said = [f"Success is {_statuses(rules.success)}"]
    if rules.errors_at:
        said.append(f" whose body has nothing at {' and '.join(f'`{each}`' for each in rules.errors_at)}")
    refused = [_statuses(rules.refused)] if rules.refused else []
    if rules.errors_at:
        refused.append("a success with something there")
    said.append(f". Refused: {', '.join(refused)}" if refused else ". Nothing is refused for good")
    if rules.gone:
        said.append(f". Disabled by: 410, {_statuses(rules.gone)}")
    if rules.wait:
        said.append(f". At 429 `{rules.wait[0].name}` says how long to wait ({rules.wait[0].form})")
    return "".join(said) + "."


def _statuses(found: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(found)))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
