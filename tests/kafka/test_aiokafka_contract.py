"""The private parts of aiokafka and Faust that the engine uses; fails clearly on a release that lacks them.

What they must do is shown by the other tests; this one says what to look at when a release changes.
"""

import asyncio
import inspect
import re
import socket
import sys
from importlib.metadata import version

import aiokafka
import aiokafka.codec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.cluster import ClusterMetadata
from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchError, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import BaseCoordinator, GroupCoordinator
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.errors import UnsupportedCodecError
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator, MessageBatch
from aiokafka.producer.sender import Sender
from aiokafka.protocol.admin import SaslAuthenticateResponse_v0, SaslAuthenticateResponse_v1
from aiokafka.protocol.api import Request
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest_v1, LeaveGroupRequest, SyncGroupRequest_v3
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer

from stream.codec.packed_records import PackedRecords
from stream.codec.records import Outgoing
from stream.kafka.batch_header import HEADER_BYTES
from stream.kafka.batch_sender import append
from stream.kafka.block_reader import BlockReader
from stream.kafka.clients import client_options
from stream.kafka.exactly_once.sign_in import _OPTIONS
from stream.kafka.packed_batch import PackedBatch
from stream.settings import Settings

BOOTSTRAP = "127.0.0.1:1"


def test_the_releases_are_those_that_the_engine_was_written_for() -> None:
    wanted = "read partition_reader.py, batch_sender.py, packed_batch.py and exactly_once of stream/kafka against it"
    assert aiokafka.__version__.startswith("0.14."), wanted
    assert version("faust-streaming").startswith("0.15.3"), "read stream/engine/faust_app.py against it"


async def test_the_fetcher_keeps_records_waiters_and_positions_as_the_reader_expects() -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=BOOTSTRAP, enable_auto_commit=False)
    tp = TopicPartition("t", 0)
    consumer.assign([tp])
    assert consumer._isolation_level == "read_uncommitted"
    assert consumer._fetch_max_wait_ms == 500
    subscription = consumer._subscription
    assert not subscription.reassignment_in_progress
    assert isinstance(subscription._last_fetch_ended, float)
    assignment = subscription.subscription.assignment
    assert assignment.active
    state = assignment.state_value(tp)
    assert (state.highwater, state.lso, state.timestamp, state.has_valid_position) == (
        None,
        None,
        None,
        False,
    )
    assert assignment.state_value(TopicPartition("other", 0)) is None
    subscription.seek(tp, 7)
    assert state.position == 7
    consumer._closed = True  # it was never started, so there is nothing to stop


def test_what_the_reader_calls_has_the_same_arguments() -> None:
    assert list(inspect.signature(Fetcher.seek_to).parameters) == ["self", "tp", "offset"]
    assert list(inspect.signature(Fetcher._create_fetch_waiter).parameters) == ["self"]
    assert list(inspect.signature(Fetcher._notify).parameters) == ["self", "future"]

    assert callable(FetchResult.has_more)
    assert list(inspect.signature(FetchResult.check_assignment).parameters) == ["self", "tp"]
    assert list(inspect.signature(FetchResult._update_position).parameters) == ["self"]
    for attribute in ("_topic_partition", "_partition_records"):
        assert f"self.{attribute} = " in inspect.getsource(FetchResult.__init__)
    theirs = next(each for each in PartitionRecords.__mro__ if each.__module__ == Fetcher.__module__)
    assert inspect.isgeneratorfunction(theirs._unpack_records)
    made = inspect.getsource(theirs.__init__)
    assert "self.next_fetch_offset = fetch_offset" in made
    assert "self._records_iterator = self._unpack_records()" in made
    assert "self._isolation_level = isolation_level" in made
    assert "self._tp = tp" in made
    assert callable(FetchError.check_raise)
    asked = list(inspect.signature(Fetcher._proc_fetch_request).parameters)
    assert asked == ["self", "assignment", "node_id", "request"]
    source = inspect.getsource(Fetcher)
    assert "self._proc_fetch_request(assignment, node_id, request)," in source
    assert "for topic, partitions in request.topics:" in source
    assert "response = await self._client.send(node_id, request)" in source
    assert "records = MemoryRecords(part_data[-1])" in source, "read stream/kafka/kept_batches.py against it"
    called = "partition_records = PartitionRecords(tp, records, aborted_transactions, fetch_offset,"
    assert called.replace(" ", "") in re.sub(r"\s", "", source)
    for attribute in ("_records", "_wait_consume_future", "_closed"):
        assert f"self.{attribute} =" in source
    for attribute in ("highwater", "lso", "timestamp"):
        assert f"tp_state.{attribute} =" in source
    assert "self.awaiting_reset" not in inspect.getsource(TopicPartitionState.seek)


def test_a_codec_is_unsupported_where_its_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And all but gzip need this one."""
    batch = DefaultRecordBatchBuilder(
        magic=2, compression_type=3, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=10_000,
    )  # fmt: skip
    batch.append(0, timestamp=5, key=b"k", value=bytes(1_000), headers=[])
    data = bytes(batch.build())
    assert [record.offset for record in DefaultRecordBatch(data)] == [0]
    monkeypatch.setattr(aiokafka.codec, "cramjam", None)
    with pytest.raises(UnsupportedCodecError, match="lz4"):
        iter(DefaultRecordBatch(data))
    with pytest.raises(UnsupportedCodecError, match="lz4"):
        BlockReader(data, 0, None).read(1)


@pytest.mark.parametrize("magic", [0, 1])
def test_a_record_of_an_old_format_has_what_a_source_record_needs(magic: int) -> None:
    """The oldest has no time; a batch knows where the next one begins."""
    builder = LegacyRecordBatchBuilder(magic=magic, compression_type=0, batch_size=10_000)
    builder.append(0, timestamp=5, key=b"k", value=None)
    batch = MemoryRecords(bytes(builder.build())).next_batch()
    assert batch is not None
    assert batch.validate_crc()
    assert batch.next_offset == 1
    record = next(iter(batch))
    assert (record.offset, record.timestamp, record.timestamp_type) == (0, 5 if magic else None, 0 if magic else None)
    assert (record.key, record.value, list(record.headers)) == (b"k", None, [])


def test_checksums_and_markers_are_read_as_the_reader_of_blocks_expects() -> None:
    assert calc_crc32c(memoryview(b"x123456789")[1:]) == 0xE3069283
    assert ControlRecord.parse(bytes(4)) == ABORT_MARKER
    assert ControlRecord.parse(b"\0\0\0\1") != ABORT_MARKER
    assert READ_COMMITTED == 1


def test_a_batch_that_is_filled_as_ours_are_is_the_one_that_aiokafka_makes() -> None:
    """Byte by byte, and closed by what does not fit: `append` of batch_sender does what theirs does, and no more."""
    theirs, ours = BatchBuilder(1_000, 0), BatchBuilder(1_000, 0)
    taken = []
    for number in range(60):
        key, value, headers = b"k%d" % number, bytes(number), [("a", b"b")] * (number % 3)
        taken.append(append(ours, Outgoing(key, value, headers), 1_764_000_000_000 + number))
        theirs.append(timestamp=1_764_000_000_000 + number, key=key, value=value, headers=headers)
        assert (ours.record_count(), ours.size(), ours.closed()) == (
            theirs.record_count(),
            theirs.size(),
            theirs.closed(),
        )
    assert taken == sorted(taken, reverse=True)
    assert set(taken) == {True, False}
    assert bytes(ours._build()) == bytes(theirs._build())
    assert not append(ours, Outgoing(b"k", b"v"))


async def test_records_that_are_packed_are_taken_for_a_batch_that_aiokafka_made() -> None:
    """With their number of records, their size, and the producer's state that is set before they are sent."""
    records = [Outgoing(b"k%d" % number, bytes(number), [("a", b"b")] * (number % 3)) for number in range(60)]
    (part,) = PackedRecords(records).parts
    ours, theirs = PackedBatch(part, transactional=True), BatchBuilder(100_000, 0, is_transactional=True)
    for record in records:
        theirs.append(timestamp=0, key=record.key, value=record.value, headers=list(record.headers))
    theirs.close()
    for builder in (ours, theirs):
        assert builder.closed()
        builder._set_producer_state(7, 3, 9)
    assert (ours.record_count(), ours.size()) == (theirs.record_count(), theirs.size())
    read, expected = DefaultRecordBatch(bytes(ours._build())), DefaultRecordBatch(bytes(theirs._build()))
    assert bytes(ours._build())[HEADER_BYTES:] == bytes(theirs._build())[HEADER_BYTES:]
    assert read.validate_crc()
    for each in ("producer_id", "producer_epoch", "base_sequence", "is_transactional", "next_offset"):
        assert getattr(read, each) == getattr(expected, each)
    used = inspect.getsource(MessageBatch) + inspect.getsource(MessageAccumulator)
    assert set(re.findall(r"builder\.(\w+)\(", used)) <= {
        *("append", "close", "closed", "record_count", "size", "_build", "_set_producer_state")
    }
    assert "_builder._relative_offset" not in used
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP)
    assert producer._txn_manager is None
    producer._closed = True  # it was never started, so there is nothing to stop


async def test_the_first_record_of_a_batch_always_fits() -> None:
    builder = BatchBuilder(1_000, 0)
    assert builder.append(timestamp=None, key=b"k", value=bytes(5_000), headers=[]) is not None
    assert builder.append(timestamp=None, key=b"k", value=b"v", headers=[]) is None


def test_a_batch_gets_its_number_when_it_is_taken_to_be_sent_and_is_counted_just_before() -> None:
    """So that one that is closed at that moment has as many records as the producer counted."""
    taking = inspect.getsource(MessageAccumulator._pop_batch)
    counted = taking.index("increment_sequence_number(batch.tp, batch.record_count)")
    assert counted < taking.index("batch.set_producer_state(")
    assert "await" not in taking
    numbering = inspect.getsource(MessageBatch.set_producer_state)
    assert "self._builder._set_producer_state(producer_id, producer_epoch, base_sequence)" in numbering
    builder = BatchBuilder(1_000, 0)
    builder.close()
    assert builder.append(timestamp=None, key=b"k", value=b"v", headers=[]) is None


@pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer:ResourceWarning")
async def test_a_producer_can_be_abandoned() -> None:
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id="t")
    assert producer._closed is False
    assert producer._sender.sender_task is None
    assert isinstance(producer.client._get_conn_lock, asyncio.Lock)
    await producer.client.close()
    producer._closed = True


@pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer:ResourceWarning")
async def test_a_producer_tells_who_it_is_and_finds_coordinators() -> None:
    """Which is all that our own transactions want of it; see stream/kafka/exactly_once/connections.py."""
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id="t")
    manager = producer._txn_manager
    assert manager is not None
    assert manager.transactional_id == "t"
    assert (manager.producer_id, manager.producer_epoch) == (-1, -1)  # until it is started
    assert producer._sender._coordinators == {}
    assert list(inspect.signature(Sender._find_coordinator).parameters) == [
        *("self", "coordinator_type", "coordinator_key"),
    ]
    finding = inspect.getsource(Sender._find_coordinator)
    assert "if coordinator_type in self._coordinators:\n            return" in finding
    assert "group=ConnectionGroup.COORDINATION" in finding
    assert (CoordinationType.GROUP, CoordinationType.TRANSACTION) == (0, 1)
    client = producer.client
    assert client._conns == {}
    assert "conn_id = (node_id, group)" in inspect.getsource(AIOKafkaClient._get_conn)
    assert client.cluster.broker_metadata("no such broker") is None
    for name in _OPTIONS:
        assert hasattr(client, f"_{name}"), name
        assert f"{name}=self._{name}," in inspect.getsource(AIOKafkaClient._get_conn)
    updating = client.force_metadata_update()
    assert isinstance(updating, asyncio.Future)
    updating.cancel()
    await client.close()
    producer._closed = True


async def test_a_connection_that_is_made_can_be_taken_over() -> None:
    """It connects and signs in by `send`, reads in a task, and counts as closed without reader and writer."""
    connection = AIOKafkaConnection("127.0.0.1", 1)
    for attribute in ("_writer", "_reader", "_read_task", "_versions", "_client_id"):
        assert hasattr(connection, attribute), attribute
    assert connection._idle_handle is None
    assert "if self._max_idle_ms is not None:\n            self._idle_handle" in inspect.getsource(connection.connect)
    assert not connection.connected()
    assert "await self.send(SaslAuthenticateRequest(payload))" in inspect.getsource(connection._do_sasl_handshake)
    assert list(inspect.signature(connection.send).parameters) == ["request", "expect_response"]
    assert "versions[api_key] = (min_version, max_version)" in inspect.getsource(connection._do_version_lookup)
    assert "session_lifetime_ms" not in SaslAuthenticateResponse_v0.SCHEMA.names
    assert "session_lifetime_ms" in SaslAuthenticateResponse_v1.SCHEMA.names
    reading = inspect.getsource(AIOKafkaConnection._on_read_task_error)
    assert "if read_task.cancelled():\n            return" in reading


def test_a_packed_batch_has_what_is_asked_of_a_builder() -> None:
    """By the producer and by its accumulator: see stream/kafka/packed_batch.py."""
    batch = PackedRecords([Outgoing(b"k", b"v")])
    ours = PackedBatch(batch.parts[0], transactional=False)
    used = set(re.findall(r"builder\.(\w+)\(", inspect.getsource(sys.modules[MessageBatch.__module__])))
    used |= set(re.findall(r"batch\.(\w+)\(", inspect.getsource(AIOKafkaProducer.send_batch)))
    used -= {
        "append",
        "build",
        "set_producer_state",
    }  # of batches that are filled one by one, and the accumulator's own
    assert used == {"close", "closed", "record_count", "size", "_build", "_set_producer_state"}
    theirs = BatchBuilder(1_000, 0)
    theirs.append(timestamp=None, key=b"k", value=b"v", headers=[])
    for builder in (ours, theirs):
        assert all(hasattr(builder, name) for name in used)
        assert builder.record_count() == 1
        builder.close()
        assert builder.closed()
    assert ours.size() == theirs.size()
    assert len(ours._build()) == len(theirs._build())


def test_a_connection_can_be_made_and_asked_without_a_client() -> None:
    """So that why it fails is known: clients keep that to themselves."""
    parameters = inspect.signature(create_conn).parameters
    options = client_options(Settings(security_protocol="sasl_ssl"))
    assert set(options) - {"bootstrap_servers"} <= set(parameters)
    assert {"host", "port", "request_timeout_ms"} <= set(parameters)
    assert collect_hosts("one:9092,two:9093", randomize=False) == [
        ("one", 9092, socket.AF_UNSPEC),
        ("two", 9093, socket.AF_UNSPEC),
    ]
    assert list(inspect.signature(AIOKafkaAdminClient._send_request).parameters) == ["self", "request", "node_id"]
    assert list(inspect.signature(Request.prepare).parameters) == ["self", "versions"]


def test_a_member_of_a_group_can_be_taken_out_of_it_by_another_connection() -> None:
    source = inspect.getsource(GroupCoordinator)
    for attribute in ("_closing", "_coordination_task", "coordinator_id", "member_id", "group_id"):
        assert f"self.{attribute} = " in source + inspect.getsource(BaseCoordinator)
    assert inspect.iscoroutinefunction(GroupCoordinator._maybe_leave_group)
    assert inspect.iscoroutinefunction(GroupCoordinator.fetch_committed_offsets)  # with what was written beside them
    assert list(inspect.signature(AIOKafkaClient.send).parameters) == ["self", "node_id", "request", "group"]
    assert list(inspect.signature(LeaveGroupRequest).parameters) == ["group", "member_id"]


def test_a_broker_can_be_asked_for_records_past_the_fetcher() -> None:
    """So that an error is heard that the fetcher only logs."""
    assert list(inspect.signature(FetchRequest).parameters) == [
        *("max_wait_time", "min_bytes", "max_bytes", "isolation_level", "topics", "rack_id"),
    ]
    assert "for partition, error_code, highwater, *part_data in partitions:" in inspect.getsource(Fetcher)
    assert list(inspect.signature(ClusterMetadata.leader_for_partition).parameters) == ["self", "partition"]
    assert 'log.warning(\n                            "Unexpected error while fetching data' in inspect.getsource(
        Fetcher
    )


def test_fausts_consumer_has_the_hooks_that_we_override() -> None:
    for owner, method, parameters in (
        (AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"]),
        (AIOKafkaConsumerThread, "_ensure_consumer", ["self"]),
        (AIOKafkaConsumerThread, "on_thread_stop", ["self"]),
        (Consumer, "_new_consumer_thread", ["self"]),
        (Consumer, "_getmany", ["self", "active_partitions", "timeout"]),
        (Consumer, "seek_to_committed", ["self"]),
        (Consumer, "close", ["self"]),
        (Consumer, "verify_event_path", ["self", "now", "tp"]),
        (Consumer, "on_partitions_revoked", ["self", "revoked"]),
        (Consumer, "on_partitions_assigned", ["self", "assigned", "generation_id"]),
    ):
        assert list(inspect.signature(getattr(owner, method)).parameters) == parameters


def test_heartbeats_and_joins_go_through_the_one_method_that_membership_listens_to() -> None:
    for method in (GroupCoordinator._do_heartbeat, GroupCoordinator._send_req):
        assert inspect.iscoroutinefunction(method)
    source = inspect.getsource(sys.modules[GroupCoordinator.__module__])
    for request in ("HeartbeatRequest(", "SyncGroupRequest("):
        assert source.count(request) >= 1
    assert "resp = await self._send_req(request)" in inspect.getsource(GroupCoordinator._do_heartbeat)
    assert source.count("self._send_req(") + source.count("._coordinator._send_req(") == source.count("_send_req(") - 1
    for struct in (HeartbeatRequest_v1, SyncGroupRequest_v3):
        assert "error_code" in struct.RESPONSE_TYPE.SCHEMA.names
