"""How aiokafka connects to a broker and signs in there, and for how long that is good."""

import time
from collections.abc import Awaitable
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaError, NodeNotReadyError
from aiokafka.protocol.admin import SaslAuthenticateRequest

_SHARE: Final = 0.85
"""Of a session: behind it no transaction is begun, so that the session outlives the one before."""
_OPTIONS: Final = (
    *("client_id", "request_timeout_ms", "ssl_context", "security_protocol"),
    *("sasl_mechanism", "sasl_plain_username", "sasl_plain_password"),
    *("sasl_kerberos_service_name", "sasl_kerberos_domain_name", "sasl_oauth_token_provider"),
)


class SignedIn(AIOKafkaConnection):
    """Hears for how long, which aiokafka drops: the broker ends a connection in the midst of what comes after that."""

    good_until: float | None = None
    """By time.monotonic(); None: for ever."""

    def send(self, request: object, *options: object, **named: object) -> Awaitable[object]:
        """As its own."""
        theirs: Any = super()
        sent: Awaitable[object] = theirs.send(request, *options, **named)
        return self._heard(sent) if isinstance(request, SaslAuthenticateRequest) else sent

    async def _heard(self, sent: Awaitable[object]) -> object:
        response = await sent
        lifetime: int = getattr(response, "session_lifetime_ms", 0)  # not before version 1
        if lifetime > 0:
            self.good_until = time.monotonic() + _SHARE * lifetime / 1_000
        return response


async def sign_in(client: AIOKafkaClient, node: int) -> Any:  # noqa: ANN401 of which the private parts are wanted
    """A SignedIn to a broker that this client knows. Raises NodeNotReadyError where that fails."""
    broker: Any = client.cluster.broker_metadata(node)
    if broker is None:
        raise NodeNotReadyError(f"broker {node} is not known")
    options = {name: getattr(client, f"_{name}") for name in _OPTIONS}
    untyped: Any = SignedIn
    connection: Any = untyped(broker.host, broker.port, **options)
    try:
        await connection.connect()
    except (KafkaError, OSError, TimeoutError) as error:
        raise NodeNotReadyError(f"broker {node} at {broker.host}:{broker.port} cannot be reached: {error}") from error
    return connection
