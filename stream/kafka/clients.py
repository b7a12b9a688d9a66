"""What every Kafka client of ours begins with: where the brokers are, and how to be let in.

Options have the names of aiokafka; Faust has its own way to say the same (`stream/engine/faust_app.py`).
"""

import asyncio
import ssl
from functools import lru_cache
from typing import Any

from aiokafka.client import AIOKafkaClient

from stream.errors import SettingsError
from stream.kafka.kept_batches import install
from stream.settings import Settings

install()  # so that every reader learns which offset cannot be read


def client_options(settings: Settings) -> dict[str, Any]:
    """For aiokafka's producers, consumers and admin clients.

    Raises SettingsError where a certificate cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap,
        "security_protocol": settings.security_protocol.upper(),
    }
    if settings.uses_tls:
        options["ssl_context"] = ssl_context(settings)
    if settings.uses_sasl:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password
    return options


async def close_client(client: AIOKafkaClient, seconds: float) -> None:
    """Close all connections, and those that are being made at this moment, which aiokafka would leave open.

    Raises KafkaError or OSError, and TimeoutError after so many seconds.
    """
    async with asyncio.timeout(seconds):
        await client.close()
        making: asyncio.Lock = client._get_conn_lock
        if making.locked():
            async with making:
                pass
            await client.close()


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Host names are checked; the system's authorities are trusted where no file of our own is named."""
    return _context(settings.ssl_cafile, settings.ssl_certfile, settings.ssl_keyfile)


@lru_cache(maxsize=8)
def _context(cafile: str, certfile: str, keyfile: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=cafile or None)
    except OSError as error:  # SSLError is one
        raise SettingsError(f"ssl_cafile {cafile}: {_words(error)}; it must be a PEM file of certificates") from None
    if certfile:
        try:
            context.load_cert_chain(certfile, keyfile or None, password="")  # else OpenSSL asks for one at the terminal
        except OSError as error:
            raise SettingsError(
                f"ssl_certfile {certfile}, ssl_keyfile {keyfile or certfile}: {_words(error)}; "
                "they must be PEM files of a certificate and its private key without a password"
            ) from None
    return context


def _words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
