"""An Apache Kafka that authenticates its clients, and lets nobody do what was not granted."""

import subprocess
from collections.abc import Mapping

from stream.errors import BrokerError
from stream.kafka.embedded.process import HOST, free_port
from tests.kit.certificates import Authority
from tests.kit.kafka import KafkaBroker, java

NAME = "localhost"
"""The only host name that the broker's certificate is for."""
MECHANISM = "SCRAM-SHA-512"


class SecuredKafka(KafkaBroker):
    """A node with an authorizer and three doors.

    `scram` is for users with a password (SASL_SSL, SCRAM-SHA-512), `mutual` for those with a certificate of
    `authority` (SSL), whose principal is `User:CN=<name>`. `bootstrap` is the test's own door: plaintext, without a
    name, and whoever comes that way may do everything.
    """

    def __init__(self, passwords: Mapping[str, str], settings: Mapping[str, str] | None = None) -> None:
        """Prepare a node that knows users with these passwords, none of whom may do anything yet."""
        super().__init__(format_options=[part for user in passwords.items() for part in ("--add-scram", _scram(*user))])
        scram, mutual = free_port(), free_port()
        self.scram, self.mutual = f"{NAME}:{scram}", f"{NAME}:{mutual}"
        self.scram_by_address = f"{HOST}:{scram}"
        """The same door by a name that the certificate is not for."""
        self.authority = Authority("authority", self.directory)
        keys = self.authority.issue("broker", self.directory / "broker.pem", (NAME,))
        self.settings |= {
            "listeners": f"{self.settings['listeners']},SCRAM://{HOST}:{scram},MUTUAL://{HOST}:{mutual}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap},SCRAM://{self.scram},MUTUAL://{self.mutual}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,MUTUAL:SSL",
            "listener.name.scram.sasl.enabled.mechanisms": MECHANISM,
            f"listener.name.scram.{MECHANISM.lower()}.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "listener.name.mutual.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keys),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            **(settings or {}),
        }

    def set_password(self, user: str, password: str) -> None:
        """Give a user another password; connections that are open stay so."""
        command = ["kafka.admin.ConfigCommand", "--bootstrap-server", self.bootstrap, "--alter"]
        entity = ["--entity-type", "users", "--entity-name", user]
        done = subprocess.run(
            [*java(), *command, *entity, "--add-config", f"{MECHANISM}=[password={password}]"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BrokerError(f"the password could not be set:\n{done.stdout}{done.stderr}")


def _scram(user: str, password: str) -> str:
    return f"{MECHANISM}=[name={user},password={password}]"
