"""HTTPS: the certificate of the settings, read again once it was renewed."""

import ssl
from pathlib import Path

from stream.errors import SettingsError
from stream.settings import Settings
from stream.watched_file import WatchedFile


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """What HTTPS is served with; None: HTTP is. Raises SettingsError for a certificate that cannot be used.

    A renewed certificate is used by connections that begin afterwards.
    """
    if not settings.web_certfile:
        if settings.web_keyfile:
            raise SettingsError("web_keyfile is set, but not web_certfile: HTTPS needs both, or a file that has both")
        return None

    def load(_text: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(settings.web_certfile, settings.web_keyfile or None, password=_no_password)
        except OSError as error:  # ssl.SSLError is one, and says more
            reason = getattr(error, "reason", None) or error.strerror or "no certificate and key"
            raise SettingsError(
                f"no certificate with its private key ({reason}); web_certfile and web_keyfile are PEM files"
            ) from None
        return context

    current = WatchedFile(Path(settings.web_certfile), load)

    def use_current(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = current.value

    first = load("")
    first.sni_callback = use_current
    return first


def _no_password() -> str:
    """Instead of a question on the terminal, which nobody at a server answers."""
    raise SettingsError("the private key has a password; write it without one, readable by this user alone")
