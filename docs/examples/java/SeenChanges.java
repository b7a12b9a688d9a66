import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/** Which changes of a partition were seen: what comes again is skipped, and what never came is noticed. */
final class SeenChanges {
    /** Lives, those that changed last. */
    private static final int REMEMBERED = 100_000;

    /** A life of a subject: later ones order behind earlier ones. */
    private record Life(long generation, long offset) implements Comparable<Life> {
        /** {@code 0-39} is generation 1 and offset 39, {@code 2.0-39} generation 2. */
        static Life of(String born) {
            int dot = born.indexOf('.');
            long generation = dot < 0 ? 1 : Long.parseLong(born.substring(0, dot));
            return new Life(generation, Long.parseLong(born.substring(born.indexOf('-', dot + 1) + 1)));
        }

        @Override
        public int compareTo(Life other) {
            int order = Long.compare(generation, other.generation);
            return order != 0 ? order : Long.compare(offset, other.offset);
        }
    }

    private record Seen(Life life, long sequence) {}

    private final Map<String, Seen> lives =
            new LinkedHashMap<>(16, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Seen> eldest) {
                    return size() > REMEMBERED;
                }
            };

    /** How many changes of its life before this one were never seen; empty where the change itself was seen. */
    OptionalLong missingBefore(JsonNode change) {
        String subject =
                String.join(
                        ":",
                        change.path("lifecycle").asText(),
                        change.path("customer_id").asText(),
                        change.path("anonymous_id").asText());
        Life life = Life.of(change.path("born").asText());
        long sequence = change.path("sequence").asLong();
        Seen known = lives.get(subject);
        int order = known == null ? 1 : life.compareTo(known.life());
        if (order < 0 || (order == 0 && sequence <= known.sequence())) {
            return OptionalLong.empty();
        }
        lives.put(subject, new Seen(life, sequence));
        return OptionalLong.of(order == 0 ? sequence - known.sequence() - 1 : 0);
    }
}
