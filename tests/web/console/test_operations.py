"""Every worker as it says of itself, asked through one: over real sockets, with a Kafka of a few lines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from stream.build import product_version
from stream.kafka.worker_versions import Member, WorkerVersions
from stream.settings import HIDDEN, Settings
from stream.web.console.about import settings_shown
from stream.web.server import serve
from tests.web.rig import Rig

NOBODY = "http://127.0.0.1:1"


@asynccontextmanager
async def served(partitions: list[int], **settings: Any) -> AsyncIterator[Rig]:
    """A worker that has these partitions of two."""
    rig = Rig(**settings)
    rig.broker.recovered.set()
    async with serve(rig.routes, "127.0.0.1", 0) as port:
        rig.url = rig.supervisor.membership.url = f"http://127.0.0.1:{port}"
        rig.connect()
        rig.supervisor.assign(partitions)
        await rig.until(lambda body: [each["lag"] for each in body["partitions"]] == [0] * len(partitions))
        yield rig
        await rig.supervisor.stop()


async def ask(rig: Rig, **headers: str) -> dict[str, Any]:
    response, body = await rig.get("/v1/operations", **headers)
    assert response.status == 200
    found: dict[str, Any] = orjson.loads(body)
    return found


def owned_by(*workers: tuple[Rig | str, list[int]]) -> dict[int, str]:
    return {
        number: worker if isinstance(worker, str) else worker.url for worker, numbers in workers for number in numbers
    }


async def test_every_worker_is_shown_whichever_is_asked() -> None:
    async with served([0]) as one, served([1]) as two:
        for rig in (one, two):
            rig.supervisor.membership.owners = owned_by((one, [0]), (two, [1]))
        found = await ask(one)
        for each in (found, await ask(two)):
            assert [worker["url"] for worker in each["workers"]] == sorted([one.url, two.url])
            assert [worker["answers"] for worker in each["workers"]] == [True, True]
        assert (found["partitions"], found["owned"], found["lag"], found["consistent"]) == (2, 2, 0, True)
        first = next(worker for worker in found["workers"] if worker["url"] == one.url)
        assert (first["answers"], first["says"], first["phase"], first["ready"]) == (True, None, "running", True)
        assert (first["version"], first["delivery"], first["kafka"]["up"]) == (product_version(), "exactly_once", True)
        [partition] = first["partitions"]
        assert partition == {
            "partition": 0,
            "state": "running",
            "recovered": 1.0,
            "position": 1,
            "lag": 0,
            "blocked_by": None,
        }
        [lifecycle] = one.application.model.lifecycles
        assert first["lifecycles"] == [
            {"lifecycle": lifecycle.id, "version": lifecycle.version, "digest": lifecycle.digest.hex()}
        ]


async def test_a_worker_that_does_not_answer_is_shown_with_what_it_owns() -> None:
    """And the whole lag is not known then: it may be anything there."""
    async with served([0]) as one:
        one.supervisor.membership.owners = owned_by((one, [0]), (NOBODY, [1]))
        found = await ask(one)
        assert (found["owned"], found["partitions"], found["lag"]) == (1, 2, None)
        [silent] = [worker for worker in found["workers"] if worker["url"] == NOBODY]
        assert (silent["answers"], silent["says"], silent["version"]) == (False, "it does not answer", None)
        assert [(each["partition"], each["state"], each["lag"]) for each in silent["partitions"]] == [(1, None, None)]


async def test_a_worker_that_answers_something_else_is_shown_so() -> None:
    """Of another release, or with other tokens."""
    answers = [web.Response(status=403), web.json_response({"workers": []}), web.Response(text="<html>")]

    async def answer(_request: web.Request) -> web.Response:
        return answers.pop(0)

    app = web.Application()
    app.router.add_get("/v1/operations", answer)
    async with served([0]) as one, serve(app, "127.0.0.1", 0) as port:
        other = f"http://127.0.0.1:{port}"
        one.supervisor.membership.owners = owned_by((one, [0]), (other, [1]))
        said = []
        while answers:
            [silent] = [worker for worker in (await ask(one))["workers"] if worker["url"] == other]
            assert (silent["answers"], [each["partition"] for each in silent["partitions"]]) == (False, [1])
            said.append(silent["says"])
    assert said == ["it answered 403", *["it answered what is no answer to this"] * 2]


async def test_members_of_the_group_without_partitions_are_asked_too() -> None:
    async with served([0, 1]) as one, served([]) as idle:
        one.supervisor.membership.owners = owned_by((one, [0, 1]))
        group = one.application.group
        group.heard([Member("a", "127.0.0.1", group.ours, one.url), Member("b", "127.0.0.1", group.ours, idle.url)])
        found = await ask(one)
        assert {worker["url"]: len(worker["partitions"]) for worker in found["workers"]} == {one.url: 2, idle.url: 0}
        assert found["consistent"] is True


async def test_workers_with_other_lifecycles_or_settings_are_not_consistent() -> None:
    async with served([0]) as one, served([1], lifecycle="b2b") as two:
        one.supervisor.membership.owners = owned_by((one, [0]), (two, [1]))
        assert (await ask(one))["consistent"] is False
        one.supervisor.membership.owners = owned_by((one, [0]))
        assert (await ask(one))["consistent"] is True
        ours = one.application.group.ours
        other = WorkerVersions("b:1", ours.product, ours.lifecycles, {**ours.settings, "grace": "1h"})
        one.application.group.heard([Member("b", "127.0.0.1", other)])
        assert (await ask(one))["consistent"] is False


async def test_before_kafka_answers_there_is_this_worker_at_least() -> None:
    rig = Rig()
    async with serve(rig.routes, "127.0.0.1", 0) as port:
        rig.url = rig.supervisor.membership.url = f"http://127.0.0.1:{port}"
        found = await ask(rig)
        [worker] = found["workers"]
        assert (worker["phase"], worker["ready"], worker["kafka"]["up"]) == ("waiting for Kafka", False, False)
        assert (found["partitions"], found["owned"], found["lag"]) == (None, 0, None)


async def test_a_question_of_another_worker_is_answered_for_this_one_alone() -> None:
    async with served([0]) as one:
        one.supervisor.membership.owners = owned_by((one, [0]), (NOBODY, [1]))
        found = await ask(one, **{"Lifecycle-Forwarded": "1"})
        assert [worker["url"] for worker in found["workers"]] == [one.url]


async def test_an_unknown_parameter_is_refused() -> None:
    async with served([]) as one:
        response, body = await one.get("/v1/operations?x=1")
        assert (response.status, orjson.loads(body)["code"]) == (400, "bad_query")


SECRET = "0123456789abcdef-secret"  # noqa: S105 a test's own


def test_settings_are_shown_as_a_person_writes_them_and_secrets_are_not() -> None:
    settings = Settings(
        sasl_password=SECRET,
        web_token=SECRET,
        grace=3_600_000,
        lifecycles=("a.yaml", "metrics"),
        blocked=frozenset({"b", "a"}),
    )
    shown = {each.name: (each.value, each.default) for each in settings_shown(settings)}
    assert (shown["sasl_password"], shown["web_token"]) == ((HIDDEN, False), (HIDDEN, False))
    assert (shown["grace"], shown["lifecycles"]) == (("1h", False), ("a.yaml,metrics", False))
    assert shown["blocked"] == ("a, b", False)
    assert (shown["web_port"], shown["retention"]) == (("6066", True), ("", True))
    assert SECRET not in str(shown)
    assert dict.fromkeys(shown) == dict.fromkeys(Settings.__dataclass_fields__)
    assert {each.value for each in settings_shown(Settings()) if each.name in ("web_token", "sasl_password")} == {""}


@pytest.mark.parametrize("secret", ["sasl_password", "web_token"])
async def test_no_secret_is_in_the_answer(secret: str) -> None:
    async with served([], **{secret: SECRET}) as one:
        _, body = await one.get("/v1/operations")
        assert SECRET not in body
        assert HIDDEN in body
