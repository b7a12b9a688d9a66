"""`lifecycle preset`: the lifecycles that come with the product, to copy."""

import re
from importlib.resources import files
from typing import Annotated

import typer

from stream.codec.lifecycle_yaml.lifecycle_files import load, presets

_SCHEMA_LINE = re.compile(r"\A# yaml-language-server: \$schema=\S+")


def preset(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The preset to print; without it all are listed.", show_default=False),
    ] = None,
) -> None:
    """Print the file of a preset, to begin one of your own with; without NAME list them.

    lifecycle preset metrics > shop.yaml; lifecycle schema > lifecycle.schema.json, and editors complete it.
    """
    names = presets()
    if name is None:
        width = max(map(len, names))
        for each in names:
            typer.echo(f"{each:{width}}  {load(each).lifecycle.title}")
        return
    if name not in names:
        raise typer.BadParameter(f"there is no preset {name!r}; there are {', '.join(names)}", param_hint="'NAME'")
    text = files("stream.presets").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    # The schema is looked for beside the copy: where it is in our own tree is not there.
    typer.echo(_SCHEMA_LINE.sub("# yaml-language-server: $schema=lifecycle.schema.json", text), nl=False)
