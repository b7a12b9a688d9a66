"""Whether Kafka lets us in, and why not.

aiokafka tells of whatever keeps it from a broker as of a broker that is away: the reason is in its log alone. A
broker that is away is waited for, and for one that refuses us a person has to do something.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    NotCoordinatorForGroupError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from stream.errors import BrokerError
from stream.kafka.clients import client_options
from stream.settings import Settings

T = TypeVar("T")

_WRONG_HOST = (62, 64)
"""OpenSSL's numbers for a host name and an address that a certificate is not for."""
_TLS_ALERT = 0x1503
"""How TLS begins to say no; Kafka's protocol would have a length there."""
_NOT_GRANTED = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed)
_KNOCK_MS = 5_000
_GROUP_PATIENCE = 20.0


@asynccontextmanager
async def admin_client(settings: Settings, *, request_timeout_ms: int = 40_000) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client.

    Raises BrokerError where Kafka refuses us, KafkaError, OSError or TimeoutError where it is away.
    """
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=request_timeout_ms)
    try:
        try:
            await admin.start()
        except KafkaConnectionError:
            await _knock(settings)
            raise
        yield admin
    finally:
        await admin.close()


async def when_ready_for_groups(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of `ask` about a group: a broker that was never asked for one first makes itself ready for that.

    Raises TimeoutError where that takes more than 20 s.
    """
    async with asyncio.timeout(_GROUP_PATIENCE):
        while True:
            with contextlib.suppress(
                GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError
            ):
                return await ask()
            await asyncio.sleep(0.2)


def refusal(error: BaseException | None) -> str | None:
    """Why Kafka does not let us in, and what would be right; None where it is not known to refuse us."""
    match error:
        case SaslAuthenticationFailed():
            return "user or password is wrong; see sasl_username, sasl_password and sasl_mechanism"
        case UnsupportedSaslMechanismError():
            return "it does not know our way to sign in; set sasl_mechanism to one that it offers"
        case IllegalSaslStateError():
            return "nobody signs in at this port; set security_protocol to what it speaks, ssl or plaintext"
        case ssl.SSLCertVerificationError(verify_code=code) if code in _WRONG_HOST:
            return (
                f"its certificate is for another host ({error.verify_message.rstrip('.')}); "
                "bootstrap, and the addresses that it advertises, must be names that are in the certificate"
            )
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not to be trusted ({error.verify_message}); "
                "ssl_cafile must hold the authority that signed it"
            )
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return None  # as when a broker stops
        case ssl.SSLError():
            reason = error.reason or str(error)
            if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
                return (
                    "it asks for our certificate, and has none of us that it trusts; "
                    "set ssl_certfile and ssl_keyfile to one that its authority signed"
                )
            return f"TLS fails ({reason}); security_protocol must be what its port speaks"
        case asyncio.IncompleteReadError(expected=expected) if expected is not None and expected >> 16 == _TLS_ALERT:
            return "its port speaks TLS; set security_protocol to ssl or sasl_ssl"
        case KafkaError() | OSError() if error.__cause__ is not None:
            return refusal(error.__cause__)
        case _:
            return None


def words_of(error: BaseException) -> str:
    """An error of Kafka, for a line of log; where it refuses us, what would be right."""
    why = refusal(error)
    if why is not None:
        return f"it refuses us: {why}"
    if isinstance(error, _NOT_GRANTED):
        return f"{error}; a grant is missing, which a worker names when it starts"
    return str(error) or type(error).__name__


async def _knock(settings: Settings) -> None:
    """Try every bootstrap server, to know why none lets us in; returns where one does.

    Raises BrokerError where one refuses us, KafkaError where it hangs up without a word.
    """
    failures: list[tuple[str, BaseException]] = []
    for host, port, _family in collect_hosts(settings.bootstrap):
        try:
            await _enter(settings, host, port)
        except (KafkaError, OSError, TimeoutError) as error:
            failures.append((f"{host}:{port}", error))
        else:
            return
    for address, failure in failures:
        why = refusal(failure)
        if why is not None:
            raise BrokerError(f"Kafka at {address} refuses us: {why}")
    for address, failure in failures:
        if isinstance(failure, ConnectionResetError | ssl.SSLError | KafkaConnectionError):
            raise KafkaError(
                f"{address} hangs up at once; if it goes on, is {settings.security_protocol} "
                "(security_protocol) what that port speaks?"
            )


async def _enter(settings: Settings, host: str, port: int) -> None:
    options = {name: value for name, value in client_options(settings).items() if name != "bootstrap_servers"}
    connection = await create_conn(host, port, request_timeout_ms=_KNOCK_MS, **options)
    try:
        await connection.send(MetadataRequest([]))  # one who should sign in first is shown the door only here
    finally:
        connection.close()
