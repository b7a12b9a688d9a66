"""What went wrong with a request, in one plain sentence: without paths and queries of URLs, which may be secret."""

import os
import ssl
from socket import gaierror
from typing import Final

from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientPayloadError,
    ClientResponseError,
    ConnectionTimeoutError,
    InvalidURL,
)

from stream.webhooks.sending.dialling import Target

_UNKNOWN: Final = "whether it was taken is unknown"


def sentence(error: Exception, target: Target, timeout: float) -> str:
    """What a request that met this error is to be told as."""
    if target.refused:
        return target.refused[0]
    place = f"{target.host}:{target.port}"
    match error:
        case TimeoutError():
            known = isinstance(error, ConnectionTimeoutError)
            what = f"no connection to {place}" if known else f"no whole answer from {place}"
            return f"{what} within {timeout:g} s" + ("" if known else f": {_UNKNOWN}")
        case ClientConnectorError():
            return _not_connected(error, target, place)
        case ClientPayloadError() | ClientResponseError() | ClientConnectionError():
            return f"{_cut_off(error, place)}: {_UNKNOWN}"
        case InvalidURL():
            return "the endpoint's URL is none that can be sent to"
        case UnicodeDecodeError():
            return "the body is not UTF-8, and cannot be signed"
        case _:
            return f"the request could not be sent: {type(error).__name__}"


def _not_connected(error: ClientConnectorError, target: Target, place: str) -> str:
    match error:
        case ClientConnectorDNSError():
            return f"{target.host} cannot be looked up: {_words(error.os_error)}"
        case ClientConnectorCertificateError():
            return f"the certificate of {place} is not trusted: {_certificate(error.certificate_error)}"
        case ClientConnectorSSLError():
            return f"no TLS with {place}: {_words(error.os_error)}"
        case _:
            return f"no connection to {place}: {_words(error.os_error)}"


def _cut_off(error: Exception, place: str) -> str:
    if _is_encoding(error):
        return f"the answer of {place} is not compressed as it says"
    if isinstance(error, ClientResponseError):
        return f"what {place} answered is no HTTP"
    return f"{place} cut the connection before its answer was whole"


def _words(error: OSError) -> str:
    """In the system's own words; libraries put addresses and names of files into theirs."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it failed").replace("_", " ").lower()
    if error.errno is None or isinstance(error, gaierror):
        return (error.strerror or type(error).__name__).lower()
    return os.strerror(error.errno).lower()


def _certificate(error: Exception) -> str:
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__


def _is_encoding(error: BaseException) -> bool:
    found: BaseException | None = error
    while found is not None:
        if type(found).__name__ == "ContentEncodingError":
            return True
        found = found.__cause__
    return False
