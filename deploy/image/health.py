# ruff: noqa: INP001 - a program, no package
"""Whether the role that runs in this container is live: exits with 0 where `/livez` of one of the three answers 200.

Kubernetes has probes of its own. It knows ports and certificates from the environment alone, imports nothing of the
product, and so takes a tenth of a second.
"""

import os
import ssl
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection

PORTS = {"LIFECYCLE_WEB_PORT": "6066", "LIFECYCLE_COLLECTOR_PORT": "6067", "LIFECYCLE_WEBHOOKS_PORT": "6068"}
"""Of worker, collector and webhooks, of which one runs in a container; by variable, with its default."""
_TIMEOUT = 3.0


def is_live(port: int, *, tls: bool) -> bool:
    """Whether somebody on this machine answers there that all is well."""
    if tls:
        # We ask ourselves, by an address that is in no certificate.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection: HTTPConnection = HTTPSConnection("127.0.0.1", port, timeout=_TIMEOUT, context=context)
    else:
        connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def main(environment: Mapping[str, str] = os.environ) -> int:
    """0: live, 1: not."""
    tls = bool(environment.get("LIFECYCLE_WEB_CERTFILE"))
    ports = [int(environment.get(variable) or default) for variable, default in PORTS.items()]
    return 0 if any(is_live(port, tls=tls) for port in ports) else 1


if __name__ == "__main__":
    sys.exit(main())
