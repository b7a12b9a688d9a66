import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Prints stage changes to act on: {@code Subscriber SERVERS GROUP [COUNT]}. */
public final class Subscriber {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<TopicPartition, SeenChanges> seen = new HashMap<>();
    private final KafkaConsumer<byte[], byte[]> consumer;
    private long left;

    private Subscriber(String servers, String group, long count) {
        left = count;
        consumer =
                new KafkaConsumer<>(
                        Map.of(
                                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, servers,
                                ConsumerConfig.GROUP_ID_CONFIG, group,
                                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false,
                                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                                ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class,
                                ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class));
    }

    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 2) {
            System.err.println("usage: run.sh SERVERS GROUP [COUNT]");
            System.exit(2);
        }
        long count = arguments.length > 2 ? Long.parseLong(arguments[2]) : Long.MAX_VALUE;
        new Subscriber(arguments[0], arguments[1], count).run();
    }

    /** Your work. It may be called again for a change that was being processed when the process ended. */
    private static void processed(JsonNode change, String id) {
        System.out.println(id + " " + change.path("from").asText() + " -> " + change.path("to").asText());
    }

    private void run() throws IOException {
        String prefix = System.getenv().getOrDefault("LIFECYCLE_TOPIC_PREFIX", "");
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(main)));
        try (consumer) { // which leaves the group, so that others get the partitions at once
            consumer.subscribe(List.of(prefix + "stage-changes"), new Forgetting());
            while (left > 0) {
                for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofSeconds(1))) {
                    if (left > 0) {
                        take(each);
                    }
                }
            }
        } catch (WakeupException ended) {
            // by Ctrl-C
        }
    }

    private void take(ConsumerRecord<byte[], byte[]> each) throws IOException {
        TopicPartition partition = new TopicPartition(each.topic(), each.partition());
        JsonNode change = JSON.readTree(each.value());
        OptionalLong missing = seen.computeIfAbsent(partition, new_ -> new SeenChanges()).missingBefore(change);
        if (missing.orElse(0) > 0) {
            System.err.printf(
                    "partition %d, offset %d: %d changes are missing before this one%n",
                    each.partition(), each.offset(), missing.getAsLong());
        }
        if (missing.isPresent() && change.path("final").asBoolean()) {
            processed(change, new String(each.headers().lastHeader("ce_id").value(), StandardCharsets.UTF_8));
            left--;
        }
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(each.offset() + 1)));
    }

    private void end(Thread main) {
        consumer.wakeup();
        try {
            main.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** What comes back to us may have been processed by others meanwhile. */
    private final class Forgetting implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
            seen.keySet().removeAll(revoked);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
            // They begin where the group committed.
        }
    }
}
