#!/usr/bin/env bash
# Apache Kafka 4.1.1: `max.compaction.lag.ms`, the longest time that a record stays as it is in a compacted topic, ends
# only with another record. In a partition that nobody writes to, the older value of a key, which somebody may have to
# erase, is still handed out long after it; the next record, of any key, lets both be compacted.
# Seen with a lag of 1 s and a cleaner that looks each second: after 25 s two values of a key that was written twice; after
# one more record, and 25 s, one. Fails if that changes. Needs Java 17 and Maven.
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
log.cleaner.backoff.ms=1000
CONF
run() { java -cp 'jars/*' "$@" 2>>log; }
run kafka.tools.StorageTool format --config server.properties --cluster-id "bWF4LmNvbXBhY3Rpb24ubA" >>log
java -cp 'jars/*' kafka.Kafka server.properties >>log 2>&1 &
broker=$!
address=127.0.0.1:$port
for _ in {1..60}; do
  run org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" --create --topic people --partitions 1 \
    --config cleanup.policy=compact --config max.compaction.lag.ms=1000 >>log && break
  sleep 1
done
write() {
  printf '%s\n' "$@" | run org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$address" --topic people \
    --property parse.key=true --property key.separator== >>log
}
values() {
  run org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$address" --topic people --partition 0 --offset earliest \
    --property print.key=true --timeout-ms 15000 | grep -c '^anna' || true
}

write "anna=lives in Rome" "anna=lives in Oslo"
sleep 25
quiet=$(values)
echo "values of a key, 25 s after both were written:        $quiet"
write "ben=lives in Bern"
sleep 25
after=$(values)
echo "25 s after a record of another key was written:       $after"
[[ $quiet == 2 && $after == 1 ]] || { tail -n 20 log; exit 1; }
