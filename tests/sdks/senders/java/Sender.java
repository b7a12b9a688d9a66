import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.AliasMessage;
import com.segment.analytics.messages.GroupMessage;
import com.segment.analytics.messages.IdentifyMessage;
import com.segment.analytics.messages.Message;
import com.segment.analytics.messages.MessageBuilder;
import com.segment.analytics.messages.PageMessage;
import com.segment.analytics.messages.ScreenMessage;
import com.segment.analytics.messages.TrackMessage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes calls with Segment's SDK for Java, as its documents say. The first line of stdin is the plan. What happened goes to
 * stdout, as JSON.
 */
public final class Sender {
    private static final AtomicInteger SETTLED = new AtomicInteger();
    private static final List<String> GIVEN_UP = new CopyOnWriteArrayList<>();

    private final Analytics analytics;
    private int made;

    private Sender(JsonObject plan) {
        analytics =
                Analytics.builder(text(plan, "key"))
                        .endpoint(text(plan, "url"))
                        .callback(
                                new Callback() {
                                    @Override
                                    public void success(Message message) {
                                        SETTLED.incrementAndGet();
                                    }

                                    @Override
                                    public void failure(Message message, Throwable error) {
                                        GIVEN_UP.add(String.valueOf(error));
                                        SETTLED.incrementAndGet();
                                    }
                                })
                        .build();
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        JsonObject plan = new Gson().fromJson(input.readLine(), JsonObject.class);
        Sender sender = new Sender(plan);
        long began = System.currentTimeMillis();
        for (JsonElement burst : plan.getAsJsonArray("bursts")) {
            for (JsonElement call : burst.getAsJsonArray()) {
                sender.make(call.getAsJsonObject());
            }
            sender.flush();
        }
        JsonArray users = plan.getAsJsonArray("users");
        if (!users.isEmpty()) {
            CountDownLatch closed = new CountDownLatch(1);
            Thread reader = new Thread(() -> input.lines().forEach(line -> {}));
            reader.setDaemon(true);
            reader.start();
            new Thread(
                            () -> {
                                try {
                                    reader.join();
                                } catch (InterruptedException ended) {
                                    Thread.currentThread().interrupt();
                                }
                                closed.countDown();
                            })
                    .start();
            long pause = (long) (plan.get("pause").getAsDouble() * 1000);
            while (!closed.await(pause, TimeUnit.MILLISECONDS)) {
                sender.ping(users);
            }
            sender.flush();
        }
        Map<String, Object> said = new LinkedHashMap<>();
        said.put("began", began);
        said.put("ended", System.currentTimeMillis());
        said.put("made", sender.made);
        said.put("given_up", GIVEN_UP);
        System.out.println(new Gson().toJson(said));
        System.exit(0);
    }

    private void ping(JsonArray users) {
        Map<String, Object> properties = new LinkedHashMap<>();
        properties.put("number", made);
        String user = users.get(made++ % users.size()).getAsString();
        analytics.enqueue(TrackMessage.builder("Ping").userId(user).properties(properties));
    }

    private void make(JsonObject call) {
        made++;
        MessageBuilder<?, ?> message = message(call);
        String user = text(call, "user");
        String anonymous = text(call, "anonymous");
        if (user != null) {
            message.userId(user);
        }
        if (anonymous != null) {
            message.anonymousId(anonymous);
        }
        if (!call.get("time").isJsonNull()) {
            message.timestamp(new Date(call.get("time").getAsLong()));
        }
        analytics.enqueue(message);
    }

    @SuppressWarnings("unchecked")
    private static MessageBuilder<?, ?> message(JsonObject call) {
        Map<String, Object> given = (Map<String, Object>) value(call.get("properties"));
        String name = text(call, "name");
        switch (text(call, "kind")) {
            case "track":
                return TrackMessage.builder(name).properties(given);
            case "page":
                PageMessage.Builder page = PageMessage.builder(name).properties(given);
                return text(call, "category") == null ? page : page.category(text(call, "category"));
            case "screen":
                return ScreenMessage.builder(name).properties(given);
            case "identify":
                return IdentifyMessage.builder().traits(given);
            case "group":
                return GroupMessage.builder(name).traits(given);
            case "alias":
                return AliasMessage.builder(name);
            default:
                throw new IllegalArgumentException(text(call, "kind"));
        }
    }

    private void flush() throws InterruptedException {
        analytics.flush();
        while (SETTLED.get() < made) {
            Thread.sleep(50);
        }
    }

    private static Object value(JsonElement held) {
        if (held.isJsonArray()) {
            List<Object> list = new ArrayList<>();
            held.getAsJsonArray().forEach(each -> list.add(value(each)));
            return list;
        }
        if (held.isJsonObject()) {
            JsonObject object = held.getAsJsonObject();
            if ("date".equals(text(object, "$"))) {
                return new Date(object.get("milliseconds").getAsLong());
            }
            Map<String, Object> map = new LinkedHashMap<>();
            for (Map.Entry<String, JsonElement> each : object.entrySet()) {
                if (!isNotANumber(each.getValue())) { // which enqueue() refuses
                    map.put(each.getKey(), value(each.getValue()));
                }
            }
            return map;
        }
        if (held.isJsonNull()) {
            return null;
        }
        JsonPrimitive primitive = held.getAsJsonPrimitive();
        if (primitive.isBoolean()) {
            return primitive.getAsBoolean();
        }
        if (primitive.isString()) {
            return primitive.getAsString();
        }
        String digits = primitive.getAsString();
        if (digits.matches("-?[0-9]+")) {
            return Long.parseLong(digits);
        }
        return Double.parseDouble(digits);
    }

    private static boolean isNotANumber(JsonElement held) {
        return held.isJsonObject() && "nan".equals(text(held.getAsJsonObject(), "$"));
    }

    private static String text(JsonObject object, String key) {
        JsonElement held = object.get(key);
        return held == null || held.isJsonNull() || !held.isJsonPrimitive() ? null : held.getAsString();
    }
}
