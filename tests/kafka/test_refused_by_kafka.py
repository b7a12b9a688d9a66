"""A Kafka that does not let us in: what is said, who is waited for, and who is not."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kit.acls import grant, revoke
from tests.kit.certificates import Authority
from tests.kit.roles import (
    PASSWORDS,
    SENDER,
    WORKER,
    Caller,
    assert_clear,
    caller_of,
    interaction,
    without,
    worker_of,
)
from tests.kit.secured import SecuredKafka

OPERATOR = WORKER[0].principal.removeprefix("User:")
COMMANDS = [
    ("worker",),
    ("topics",),
    ("tail",),
    ("import", "-"),
    ("reset", "--to", "earliest", "--yes"),
]

Change = Callable[[Caller, SecuredKafka, Path], Caller]
"""What is wrong with a caller for whom all was right."""


def wrong_password(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, password=PASSWORDS[OPERATOR] + "x")


def unknown_user(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, user="nobody")


def no_user(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, user="", password="")


def another_mechanism(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, mechanism="PLAIN")


def unknown_authority(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, cafile=str(Authority("another", folder).file))


def no_authority(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, cafile="")


def another_host(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, bootstrap=kafka.scram_by_address)


def plaintext(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, protocol="plaintext")


def no_certificate(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    return replace(caller, bootstrap=kafka.mutual, protocol="ssl")


def foreign_certificate(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    certificate = Authority("another", folder).issue(OPERATOR, folder / "foreign.pem")
    return replace(caller, bootstrap=kafka.mutual, protocol="ssl", certfile=str(certificate))


def sasl_where_certificates_are_wanted(caller: Caller, kafka: SecuredKafka, folder: Path) -> Caller:
    certificate = kafka.authority.issue(OPERATOR, folder / "ours.pem")
    return replace(caller, bootstrap=kafka.mutual, certfile=str(certificate))


REFUSED: list[tuple[Change, str, str]] = [
    (wrong_password, "user or password is wrong", "sasl_password"),
    (unknown_user, "user or password is wrong", "sasl_username"),
    (no_user, "user or password is wrong", "sasl_username"),
    (another_mechanism, "does not know our way to sign in", "sasl_mechanism"),
    (unknown_authority, "its certificate is not to be trusted", "ssl_cafile"),
    (no_authority, "its certificate is not to be trusted", "ssl_cafile"),
    (another_host, "not valid for '127.0.0.1'", "bootstrap"),
    (plaintext, "its port speaks TLS", "security_protocol"),
    (no_certificate, "it asks for our certificate", "ssl_certfile"),
    (foreign_certificate, "it asks for our certificate", "ssl_certfile"),
    (sasl_where_certificates_are_wanted, "nobody signs in at this port", "security_protocol"),
]


@pytest.mark.parametrize(("change", "why", "setting"), REFUSED, ids=[change.__name__ for change, *_ in REFUSED])
async def test_a_worker_that_is_refused_ends_and_says_why_and_which_setting_helps(
    secured_kafka: SecuredKafka, tmp_path: Path, change: Change, why: str, setting: str
) -> None:
    """It does not wait: it would wait for ever."""
    caller = change(caller_of(secured_kafka, WORKER), secured_kafka, tmp_path)
    code, said = await caller.run("worker")
    assert code == 1
    assert_clear(said, f"the worker stops: Kafka at {caller.bootstrap} refuses us: ", why, setting)


@pytest.mark.parametrize("arguments", COMMANDS[1:], ids=[command for command, *_ in COMMANDS[1:]])
async def test_every_command_that_is_refused_says_so_and_fails(
    secured_kafka: SecuredKafka, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """One line, though some of them wait for a broker that is away."""
    caller = wrong_password(caller_of(secured_kafka, WORKER), secured_kafka, tmp_path)
    code, said = await caller.run(*arguments, stdin=interaction(1))
    assert code == 1
    assert_clear(said, f"Kafka at {caller.bootstrap} refuses us: user or password is wrong")
    assert len(said.splitlines()) <= 2, said


@pytest.mark.parametrize(
    ("door", "protocol"),
    [("bootstrap", "sasl_ssl"), ("scram", "ssl")],
    ids=["tls where the port is plaintext", "no password where one is wanted"],
)
async def test_a_broker_that_hangs_up_without_a_word_may_be_starting_and_is_waited_for(
    secured_kafka: SecuredKafka, tmp_path: Path, door: str, protocol: str
) -> None:
    """But what may be wrong is said; a command that does not wait fails with it."""
    bootstrap = getattr(secured_kafka, door)
    caller = replace(caller_of(secured_kafka, WORKER), bootstrap=bootstrap, protocol=protocol)
    async with worker_of(caller, tmp_path / "worker.log") as worker:
        await worker.until_logged("waiting for Kafka")
    hint = f"{bootstrap} hangs up at once; if it goes on, is {protocol} (security_protocol) what that port speaks?"
    assert_clear(worker.log, hint)
    code, said = await caller.run("topics")
    assert code == 1
    assert_clear(said, hint)


async def test_a_broker_that_is_away_is_waited_for_with_tls_and_password_as_without(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """Nobody listens: that is no refusal."""
    kafka = secured_kafka
    await asyncio.to_thread(kafka.stop)
    async with worker_of(caller_of(kafka, WORKER), tmp_path / "worker.log") as worker:
        await worker.until_logged("waiting for Kafka")
        await asyncio.to_thread(kafka.start)
        await worker.until_logged("partition 1: recovered")
    assert "refuses" not in worker.log


async def test_a_worker_with_a_certificate_in_place_of_a_password(secured_kafka: SecuredKafka, tmp_path: Path) -> None:
    """Mutual TLS: Kafka knows us by the subject of our certificate, and the rights are those of that name."""
    certificate = secured_kafka.authority.issue("worker-7", tmp_path / "worker-7.pem")
    caller = Caller(
        secured_kafka.mutual, protocol="ssl", cafile=str(secured_kafka.authority.file), certfile=str(certificate)
    )
    code, said = await caller.run("worker")
    assert code == 1
    assert_clear(said, "--allow-principal User:<as our certificate says>")
    rights = [acl._replace(principal="User:CN=worker-7") for acl in WORKER]
    await grant(secured_kafka.bootstrap, rights)
    async with worker_of(caller, tmp_path / "worker.log") as worker:
        await worker.until_logged("partition 1: recovered")
        code, said = await caller_of(secured_kafka, SENDER).run("import", "-", stdin=interaction(100))
        assert code == 0, said
        await worker.until_applied(1)
    await revoke(secured_kafka.bootstrap, rights)
    assert "exactly_once" in worker.log


async def test_a_worker_whose_password_was_changed_says_so_and_goes_on_when_it_is_right_again(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """Its connections stay; once they break it is refused, tries again, and a line says why. Nothing is lost."""
    kafka = secured_kafka
    sender = caller_of(kafka, SENDER)
    async with worker_of(caller_of(kafka, WORKER), tmp_path / "worker.log") as worker:
        await worker.until_logged("partition 1: recovered")
        await asyncio.to_thread(kafka.set_password, OPERATOR, "another-one")
        await asyncio.to_thread(kafka.restart)
        await worker.until_logged("Kafka refuses us: user or password is wrong; see sasl_username")
        code, said = await sender.run("import", "-", stdin="".join(map(interaction, range(200, 220))))
        assert code == 0, said
        assert worker.process.returncode is None
        await asyncio.to_thread(kafka.set_password, OPERATOR, PASSWORDS[OPERATOR])
        await worker.until_applied(20)
    assert_clear(worker.log)
    refusals = [line for line in worker.log.splitlines() if "Kafka refuses us" in line]
    assert all("warning" in line for line in refusals), refusals


async def test_a_worker_whose_right_is_taken_away_says_which_topic_and_goes_on_when_it_has_it_again(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """Nothing is committed meanwhile, so nothing is lost."""
    kafka = secured_kafka
    write = next(acl for acl in WORKER if (acl.operation, acl.name) == ("Write", "current-stages"))
    async with worker_of(caller_of(kafka, WORKER), tmp_path / "worker.log") as worker:
        await worker.until_logged("partition 1: recovered")
        async with without(kafka, write):
            code, said = await caller_of(kafka, SENDER).run(
                "import", "-", stdin="".join(map(interaction, range(300, 320)))
            )
            assert code == 0, said
            await worker.until_logged("a grant is missing, which a worker names when it starts")
        await worker.until_applied(20)
    assert_clear(worker.log)
    assert re.search(r"waits for Kafka: .*current-stages", worker.log), worker.log
