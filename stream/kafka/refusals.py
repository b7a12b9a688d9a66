"""Why Kafka does not let us in, in words that say which setting or grant helps."""

import asyncio
import ssl

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

_WRONG_HOST = (62, 64)
"""OpenSSL's numbers for a host name and an address that a certificate is not for."""
_TLS_ALERT = 0x1503
"""How TLS begins to say no; Kafka's protocol would have a length there."""
_NOT_GRANTED = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed)


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


def describe_error(error: BaseException) -> str:
    """An error of Kafka, for a line of log; where it refuses us, what would be right."""
    why = refusal(error)
    if why is not None:
        return f"it refuses us: {why}"
    if isinstance(error, _NOT_GRANTED):
        return f"{error}; a grant is missing, which a worker names when it starts"
    return str(error) or type(error).__name__
