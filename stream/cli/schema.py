"""`lifecycle schema`: the JSON Schemas of what goes in and comes out."""

from enum import StrEnum
from typing import Annotated

import typer

from stream.schema_files import schema_text


class Schema(StrEnum):
    """What there is a schema of."""

    LIFECYCLE = "lifecycle"
    INTERACTION = "interaction"
    STAGE_CHANGE = "stage-change"
    CUSTOMER = "customer"
    EXPLANATION = "explanation"
    FIGURE = "figure"
    DIFF = "diff"
    WEBHOOK_ATTEMPT = "webhook-attempt"
    WEBHOOKS = "webhooks"


def schema(
    name: Annotated[Schema, typer.Argument(help="What the schema describes.")] = Schema.LIFECYCLE,
) -> None:
    """Print a JSON Schema: of lifecycle files, interactions, stage changes, figures, customers, diffs or webhooks.

    An answer about a customer holds an explanation of each lifecycle, which has a schema of its own.

    Editors complete a lifecycle file whose first line is `# yaml-language-server: $schema=lifecycle.schema.json`,
    with `lifecycle schema > lifecycle.schema.json` beside it; a file of webhooks with `webhooks.schema.json` likewise.
    """
    typer.echo(schema_text(f"{name}.schema.json"), nl=False)
