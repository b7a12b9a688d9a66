"""HTML that is safe by construction: text is escaped wherever it is put in, and there is no other way in."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

_EMPTY: Final = ("meta", "br")
"""Elements of HTML without an end; of SVG every one has an end."""


class Markup(str):
    """Text that is HTML already, made by `tag`."""

    __slots__ = ()


Content = str | Markup | None
"""What stands in an element; None: nothing."""


def tag(name: str, /, *content: Content, **attributes: str | float | None) -> Markup:
    """An element. An attribute is left out where it is None; `class_` is `class`, and `_` stands for `-`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """One after the other; what is no markup is text."""
    return Markup("".join(each if isinstance(each, Markup) else escape(each) for each in content if each is not None))


def page(title: str, style: str, *content: Content) -> str:
    """A page of its own: no script, no request, and a browser that would not make any (Content-Security-Policy).

    `style` is CSS without `<`, and is the only style that counts.
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    body = tag("body", *content)
    return "<!doctype html>\n" + tag("html", head, "\n", body, "\n", lang="en") + "\n"
