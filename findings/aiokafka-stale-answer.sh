#!/usr/bin/env bash
# aiokafka 0.14.0 beside Apache Kafka 4.1.1, in a process that stands still for a while (suspended, or busy) and goes on.
#
# Expected of last_poll_timestamp, the time at which a consumer last heard of a partition: what highwater says was so then.
# Seen: an answer that came before the standstill, and lay in the socket meanwhile, is stamped when it is read. So right
# afterwards the consumer says that it heard of the partition just now, and that it has read all that there is, while a
# record has been waiting at the broker for seconds. Whoever fires timers once a consumer has caught up fires them too early.
# Fails if that changes. Needs Java 17 and Maven.
set -euo pipefail

folder=$(mktemp -d)
broker=
finish() {
  [[ -z $broker ]] || { kill "$broker" && wait "$broker" || true; } 2>/dev/null
  rm -rf "$folder"
}
trap finish EXIT
cd "$folder"

cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>try</groupId><artifactId>try</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.1.1</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>4.1.1</version></dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory=jars

read -r port controller < <(python3 - <<'PY'
import socket
held = [socket.socket() for _ in range(2)]
for each in held:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in held))
PY
)
cat >server.properties <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
log.dirs=$folder/data
offsets.topic.replication.factor=1
CONF
run() { java -cp 'jars/*' "$@" 2>>log; }
run kafka.tools.StorageTool format --config server.properties --cluster-id "c3RhbGUtYW5zd2VyLWFpbw" >>log
java -cp 'jars/*' kafka.Kafka server.properties >>log 2>&1 &
broker=$!
cat >try.py <<'PYTHON'
import asyncio, subprocess, sys, time
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

AT, TP = f"127.0.0.1:{sys.argv[1]}", TopicPartition("numbers", 0)


async def send(wait):
    async with AIOKafkaProducer(bootstrap_servers=AT) as producer:
        await asyncio.sleep(wait)
        await producer.send_and_wait("numbers", b"1", partition=0)


async def main():
    for _ in range(300):
        admin = AIOKafkaAdminClient(bootstrap_servers=AT)
        try:
            await admin.start()
            break
        except Exception:
            await admin.close()
            await asyncio.sleep(0.1)
    await admin.create_topics([NewTopic("numbers", 1, 1)])
    await admin.close()
    await send(0)
    consumer = AIOKafkaConsumer(bootstrap_servers=AT, auto_offset_reset="earliest", fetch_max_wait_ms=100)
    consumer.assign([TP])
    await consumer.start()
    await consumer.getone()
    waiting = asyncio.ensure_future(consumer.getone())
    await asyncio.sleep(1)  # it asks again and again; the broker answers that there is nothing more
    sender = subprocess.Popen([sys.executable, __file__, sys.argv[1], "send"])
    time.sleep(5)  # nothing of this process runs; the record comes in the third second
    sender.wait()
    heard = None
    while heard is None or time.time() - heard > 1:
        await asyncio.sleep(0)
        heard = consumer.last_poll_timestamp(TP) / 1000
    seen = (await consumer.position(TP), consumer.highwater(TP))
    print(f"heard of the partition {time.time() - heard:.1f} s ago; position and end then:", *seen)
    record = await asyncio.wait_for(waiting, 10)
    print(f"a record had been waiting for {time.time() - record.timestamp / 1000:.1f} s, at offset", record.offset)
    await consumer.stop()
    raise SystemExit(0 if seen == (1, 1) and record.offset == 1 else "this is not what was seen before")


asyncio.run(send(2) if "send" in sys.argv else main())
PYTHON
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiokafka==0.14.0
timeout 90 venv/bin/python try.py "$port"
