#!/usr/bin/env bash
# Runs one of Kafka's own tools from its jars, by the name under which it is called: kafka-topics.sh and so on, which
# messages of `lifecycle` and the documents name. With this folder on the PATH what they print can be run as it stands.
set -euo pipefail

name=$(basename "$0")
case $name in
  kafka-topics.sh) class=org.apache.kafka.tools.TopicCommand ;;
  kafka-configs.sh) class=kafka.admin.ConfigCommand ;;
  kafka-acls.sh) class=org.apache.kafka.tools.AclCommand ;;
  kafka-reassign-partitions.sh) class=org.apache.kafka.tools.reassign.ReassignPartitionsCommand ;;
  kafka-log-dirs.sh) class=org.apache.kafka.tools.LogDirsCommand ;;
  kafka-transactions.sh) class=org.apache.kafka.tools.TransactionsCommand ;;
  kafka-consumer-groups.sh) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
  kafka-console-consumer.sh) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
  kafka-get-offsets.sh) class=org.apache.kafka.tools.GetOffsetShell ;;
  kafka-delete-records.sh) class=org.apache.kafka.tools.DeleteRecordsCommand ;;
  kafka-broker-api-versions.sh) class=org.apache.kafka.tools.BrokerApiVersionsCommand ;;
  *)
    echo "error: $name is none of Kafka's tools; call one of the links beside it, such as kafka-topics.sh" >&2
    exit 2
    ;;
esac

kafka=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$kafka/jars.sh" >&2
exec "$kafka/target/java" -Xmx256m "-Dlog4j2.configurationFile=$kafka/bin/log4j2.properties" \
  -cp "$kafka/target/jars/*" "$class" "$@"
