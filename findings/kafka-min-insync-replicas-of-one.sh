#!/usr/bin/env bash
# Apache Kafka 4.1.1: `min.insync.replicas` above a topic's replication factor is taken for that. A topic of one replica that
# asks for two in sync takes a write with acks=all, as if it were safe in two places; 3.9.1 does not, which
# checks of a cluster may rely on. Both show the topic's 2.
# Seen: of a record that was sent with acks=all 3.9.1 has nothing, 4.1.1 has it. Fails if that changes. Needs Java 17 and
# Maven.
set -euo pipefail

folder=$(mktemp -d)
broker=
stop() {
  if [[ -n $broker ]]; then
    kill "$broker"
    wait "$broker" || true
    broker=
  fi
}
trap 'stop; rm -rf "$folder"' EXIT

seen=
for version in 3.9.1 4.1.1; do
  mkdir "$folder/$version"
  cd "$folder/$version"
  cat >pom.xml <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>try</groupId><artifactId>try</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
XML
  mvn --quiet --batch-mode -Dstyle.color=never \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DincludeScope=runtime -DoutputDirectory=jars
  read -r port controller < <(python3 -c 'import socket
held = [socket.socket() for _ in range(2)]
for each in held:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in held))')
  cat >server.properties <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
log.dirs=$folder/$version/data
offsets.topic.replication.factor=1
CONF
  run() { java -cp 'jars/*' "$@" 2>>log; }
  run kafka.tools.StorageTool format --config server.properties --cluster-id bWluLmluc3luYy5yZXBsaQ >>log
  java -cp 'jars/*' kafka.Kafka server.properties >>broker.log 2>&1 &
  broker=$!
  address=127.0.0.1:$port
  for _ in {1..60}; do
    run org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" --create --topic orders --partitions 1 \
      --replication-factor 1 --config min.insync.replicas=2 >>log && break
    sleep 1
  done
  shown=$(run org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" --describe --topic orders |
    grep -o 'min.insync.replicas=[0-9]*')
  echo paid | run org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$address" --topic orders \
    --producer-property acks=all --producer-property retries=2 --producer-property linger.ms=0 >>log || true
  there=$(run org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$address" --topic orders --partition 0 \
    --offset earliest --timeout-ms 10000 --max-messages 1) || true
  stop
  echo "Kafka $version, $shown with one replica: ${there:-nothing} is there"
  seen+="$shown ${there:-nothing}; "
done
[[ $seen == "min.insync.replicas=2 nothing; min.insync.replicas=2 paid; " ]]
