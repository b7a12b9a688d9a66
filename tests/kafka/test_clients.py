"""The options that every client of Kafka begins with, and what is said of certificates that cannot be used."""

import asyncio
import ssl
from pathlib import Path

import pytest
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stream.errors import SettingsError
from stream.kafka.clients import client_options, close_client, ssl_context
from stream.settings import Settings
from tests.kit.certificates import Authority
from tests.kit.kafka import SharedKafka


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority("an authority", tmp_path)


def test_without_security_a_client_is_told_where_the_brokers_are_and_no_more() -> None:
    """A password that is set is not sent to a broker that asks for none."""
    settings = Settings(bootstrap="one:9092,two:9092", sasl_username="us", sasl_password="secret")  # noqa: S106
    assert client_options(settings) == {"bootstrap_servers": "one:9092,two:9092", "security_protocol": "PLAINTEXT"}


@pytest.mark.parametrize(
    ("protocol", "given"),
    [
        ("ssl", {"ssl_context"}),
        ("sasl_plaintext", {"sasl_mechanism", "sasl_plain_username", "sasl_plain_password"}),
        ("sasl_ssl", {"ssl_context", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password"}),
    ],
)
def test_a_client_is_given_what_its_protocol_needs(protocol: str, given: set[str]) -> None:
    """TLS, a password, or both."""
    options = client_options(Settings(security_protocol=protocol))  # type: ignore[arg-type]
    assert options.pop("security_protocol") == protocol.upper()
    assert options.keys() - {"bootstrap_servers"} == given


def test_tls_checks_certificates_and_host_names(authority: Authority) -> None:
    """There is no setting to leave it out."""
    for settings in (Settings(security_protocol="ssl"), Settings(ssl_cafile=str(authority.file))):
        context = ssl_context(settings)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_only_the_named_authority_is_trusted(authority: Authority) -> None:
    """Not the system's beside it."""
    names = [each["subject"] for each in ssl_context(Settings(ssl_cafile=str(authority.file))).get_ca_certs()]
    assert names == [((("commonName", "an authority"),),)]


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, and no PEM."""
    missing = tmp_path / "missing.pem"
    with pytest.raises(SettingsError, match=rf"^ssl_cafile {missing}: No such file or directory; it must be a PEM"):
        ssl_context(Settings(ssl_cafile=str(missing)))
    missing.write_text("no PEM")
    with pytest.raises(SettingsError, match=rf"^ssl_cafile {missing}: .*; it must be a PEM file of certificates$"):
        ssl_context(Settings(ssl_cafile=str(missing)))


def test_a_certificate_that_cannot_be_read_is_named_with_its_key(authority: Authority, tmp_path: Path) -> None:
    """Missing, without a key, and with the key of another."""
    ours, others = (authority.issue(name, tmp_path / f"{name}.pem") for name in ("ours", "others"))
    alone = tmp_path / "alone.pem"
    alone.write_bytes(ours.read_bytes().partition(b"-----END PRIVATE KEY-----\n")[2])
    for certfile, keyfile in ((tmp_path / "missing.pem", None), (alone, None), (alone, others)):
        settings = Settings(ssl_certfile=str(certfile), ssl_keyfile=str(keyfile or ""))
        with pytest.raises(SettingsError, match=rf"^ssl_certfile {certfile}, ssl_keyfile {keyfile or certfile}: "):
            ssl_context(settings)
    ssl_context(Settings(ssl_certfile=str(alone), ssl_keyfile=str(ours)))


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(authority: Authority, tmp_path: Path) -> None:
    """OpenSSL would ask at the terminal, where nobody sits."""
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    certificate = authority.issue("ours", tmp_path / "ours.pem")
    with pytest.raises(SettingsError, match="a certificate and its private key without a password"):
        ssl_context(Settings(ssl_certfile=str(certificate), ssl_keyfile=str(locked)))


async def test_a_connection_that_is_being_made_is_closed_with_its_client(kafka: SharedKafka) -> None:
    """It would be left open: the client knows those alone that are made."""
    client = AIOKafkaClient(bootstrap_servers=kafka.bootstrap)
    await client.bootstrap()
    node = client.get_random_node()
    making = asyncio.create_task(client._get_conn(node, group=ConnectionGroup.COORDINATION))
    while not client._get_conn_lock.locked():
        await asyncio.sleep(0)
    await close_client(client, 10)
    made = await making
    assert made is not None
    assert not made.connected()
