import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Kafka Streams' side of the macro bench: the workloads as a user of its DSL would write them, with serdes written by hand on Jackson's streaming
 * API, which cost less than an ObjectMapper. What to do is in the environment, as for the other contenders.
 *
 * Everything is left at its default but for: the guarantee, the number of threads and the directory; the interval of commits, as Headwater's; no cache
 * in front of the stores, so that every update is written, as Headwater does; topologies optimised; and windowed changelogs that keep old event times.
 */
public final class Streams {
    private static final long CLOSE_SECONDS = 60;
    private static final int MEMO_DIGITS = Integer.parseInt(env("MEMO_DIGITS"));

    /** Records that have got as far as the workload's operator. */
    private static final LongAdder PROCESSED = new LongAdder();

    public static void main(String[] arguments) throws Exception {
        String workload = env("WORKLOAD");
        Properties config = config();
        KafkaStreams streams = new KafkaStreams(topology(workload, config), config);
        CountDownLatch failed = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            failed.countDown();
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        if (!workload.equals("W6")) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> close(streams)));
            streams.start();
            failed.await();
            System.exit(1);
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", env("BOOTSTRAP")))) {
            Map<TopicPartition, Long> ends = ends(admin);
            long records = ends.values().stream().mapToLong(Long::longValue).sum();
            streams.start();
            while (PROCESSED.sum() < records) {
                if (failed.await(10, TimeUnit.MILLISECONDS)) {
                    System.exit(1);
                }
            }
            close(streams);
            if (!committed(admin, ends)) {
                System.err.println("closed, and not all positions are committed");
                System.exit(1);
            }
        }
        System.exit(0);
    }

    private static String env(String name) {
        String value = System.getenv("BENCH_" + name);
        if (value == null) {
            System.err.println("BENCH_" + name + " is not set: this program is started by `make bench-macro`");
            System.exit(2);
        }
        return value;
    }

    /** Commits and leaves the group at once, unless it is told to do as it does by default: stay a member until its session is over. */
    private static void close(KafkaStreams streams) {
        boolean stays = Boolean.parseBoolean(env("STAYS"));
        CloseOptions options = CloseOptions.groupMembershipOperation(stays
            ? CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP : CloseOptions.GroupMembershipOperation.LEAVE_GROUP);
        streams.close(options.withTimeout(Duration.ofSeconds(CLOSE_SECONDS)));
    }

    private static Map<TopicPartition, Long> ends(Admin admin) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int partition = 0; partition < Integer.parseInt(env("PARTITIONS")); partition++) {
            asked.put(new TopicPartition(env("INPUT"), partition), OffsetSpec.latest());
        }
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin.listOffsets(asked).all().get().forEach((partition, found) -> ends.put(partition, found.offset()));
        return ends;
    }

    private static boolean committed(Admin admin, Map<TopicPartition, Long> ends) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> positions =
            admin.listConsumerGroupOffsets(env("APP")).partitionsToOffsetAndMetadata().get();
        return ends.entrySet().stream().allMatch(end -> {
            OffsetAndMetadata position = positions.get(end.getKey());
            return end.getValue() == 0 || position != null && position.offset() >= end.getValue();
        });
    }

    private static Properties config() {
        boolean exactlyOnce = Boolean.parseBoolean(env("EXACTLY_ONCE"));
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, env("APP"));
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, env("BOOTSTRAP"));
        config.put(StreamsConfig.STATE_DIR_CONFIG, env("STATE"));
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, env("WORKERS"));
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
            exactlyOnce ? StreamsConfig.EXACTLY_ONCE_V2 : StreamsConfig.AT_LEAST_ONCE);
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Integer.parseInt(env("COMMIT")));
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        config.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        config.put(StreamsConfig.WINDOW_STORE_CHANGE_LOG_ADDITIONAL_RETENTION_MS_CONFIG, Duration.ofDays(36500).toMillis());
        config.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        if (!env("COMPRESSION").isEmpty()) {
            config.put(StreamsConfig.producerPrefix("compression.type"), env("COMPRESSION"));
        }
        if (!env("LINGER").isEmpty()) {
            config.put(StreamsConfig.producerPrefix("linger.ms"), env("LINGER"));
        }
        return config;
    }

    // The topologies.

    private static Topology topology(String workload, Properties config) {
        StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(config)));
        KStream<String, Event> events = builder.stream(env("INPUT"), Consumed.with(Serdes.String(), EVENT));
        String output = env("APP") + "-out";
        switch (workload) {
            case "W1" -> events.filter((key, event) -> event.amount % 10 != 0).mapValues(Streams::mapped)
                .to(output, Produced.with(Serdes.String(), MAPPED));
            case "W2", "W6" -> events.groupByKey(Grouped.with(Serdes.String(), EVENT))
                .aggregate(() -> new Sum(0, 0), Streams::add, store())
                .toStream().mapValues(Total::new).to(output, Produced.with(Serdes.String(), TOTAL));
            case "W3" -> windows(events).to(output, Produced.with(Serdes.String(), WINDOW_TOTAL));
            case "W4" -> {
                KTable<String, Profile> profiles = builder.table("profiles", Consumed.with(Serdes.String(), PROFILE),
                    Materialized.<String, Profile, KeyValueStore<Bytes, byte[]>>as("profiles-store")
                        .withKeySerde(Serdes.String()).withValueSerde(PROFILE).withCachingDisabled());
                events.join(profiles, Row::new, Joined.with(Serdes.String(), EVENT, PROFILE))
                    .to(output, Produced.with(Serdes.String(), JOINED));
            }
            case "W7" -> events.groupBy((key, event) -> event.memo.substring(0, MEMO_DIGITS), Grouped.with("by-memo", Serdes.String(), EVENT))
                .aggregate(() -> new Sum(0, 0), Streams::add, store())
                .toStream().map((memo, sum) -> KeyValue.pair(memo, new Count(memo, sum.count)))
                .to(output, Produced.with(Serdes.String(), COUNTED));
            default -> throw new IllegalArgumentException("no workload " + workload);
        }
        return builder.build(config);
    }

    private static Mapped mapped(Event event) {
        return new Mapped(event.id, event.account, event.amount * 100, event.ts, event.amount > 5000 ? "large" : "small");
    }

    private static Sum add(String key, Event event, Sum sum) {
        PROCESSED.increment();
        return new Sum(sum.count + 1, sum.sum + event.amount);
    }

    private static Materialized<String, Sum, KeyValueStore<Bytes, byte[]>> store() {
        return Materialized.<String, Sum, KeyValueStore<Bytes, byte[]>>as("totals")
            .withKeySerde(Serdes.String()).withValueSerde(SUM).withCachingDisabled();
    }

    private static KStream<String, WindowSum> windows(KStream<String, Event> events) {
        Materialized<String, Sum, WindowStore<Bytes, byte[]>> store = Materialized.<String, Sum, WindowStore<Bytes, byte[]>>as("totals")
            .withKeySerde(Serdes.String()).withValueSerde(SUM).withCachingDisabled();
        return events.groupByKey(Grouped.with(Serdes.String(), EVENT))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(60), Duration.ofSeconds(10)))
            .aggregate(() -> new Sum(0, 0), Streams::add, store)
            .toStream()
            .map((key, sum) -> KeyValue.pair(key.key(), new WindowSum(key.key(), key.window().start(), sum)));
    }

    // What is read, kept and written.

    private static final class Event {
        long id;
        String account;
        long amount;
        long ts;
        String memo;
    }

    private static final class Profile {
        String account;
        String tier;
        int region;
        long limit;
    }

    private record Sum(long count, long sum) { }

    private record Mapped(long id, String account, long cents, long ts, String kind) { }

    private record Total(String account, Sum sum) { }

    private record WindowSum(String account, long window, Sum sum) { }

    private record Row(Event event, Profile profile) { }

    private record Count(String memo, long count) { }

    private interface Write<T> {
        void write(JsonGenerator json, T value) throws IOException;
    }

    private interface Field<T> {
        void read(JsonParser json, String name, T value) throws IOException;
    }

    private static final JsonFactory JSON = new JsonFactory();

    private static <T> Serializer<T> writing(Write<T> fields) {
        return (topic, value) -> {
            if (value == null) {
                return null;
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream(160);
            try (JsonGenerator json = JSON.createGenerator(out)) {
                json.writeStartObject();
                fields.write(json, value);
                json.writeEndObject();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
            return out.toByteArray();
        };
    }

    private static <T> Deserializer<T> reading(java.util.function.Supplier<T> empty, Field<T> field) {
        return (topic, bytes) -> {
            if (bytes == null) {
                return null;
            }
            try (JsonParser json = JSON.createParser(bytes)) {
                T value = empty.get();
                json.nextToken();
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String name = json.currentName();
                    json.nextToken();
                    field.read(json, name, value);
                }
                return value;
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        };
    }

    private static <T> Serde<T> written(Write<T> fields) {
        return Serdes.serdeFrom(writing(fields), (topic, bytes) -> {
            throw new IllegalStateException("nobody reads results");
        });
    }

    private static final Serde<Event> EVENT = Serdes.serdeFrom(writing((json, event) -> {
        json.writeNumberField("id", event.id);
        json.writeStringField("account", event.account);
        json.writeNumberField("amount", event.amount);
        json.writeNumberField("ts", event.ts);
        json.writeStringField("memo", event.memo);
    }), reading(Event::new, (json, name, event) -> {
        switch (name) {
            case "id" -> event.id = json.getLongValue();
            case "account" -> event.account = json.getText();
            case "amount" -> event.amount = json.getLongValue();
            case "ts" -> event.ts = json.getLongValue();
            case "memo" -> event.memo = json.getText();
            default -> json.skipChildren();
        }
    }));

    private static final Serde<Profile> PROFILE = Serdes.serdeFrom(writing((json, profile) -> {
        json.writeStringField("account", profile.account);
        json.writeStringField("tier", profile.tier);
        json.writeNumberField("region", profile.region);
        json.writeNumberField("limit", profile.limit);
    }), reading(Profile::new, (json, name, profile) -> {
        switch (name) {
            case "account" -> profile.account = json.getText();
            case "tier" -> profile.tier = json.getText();
            case "region" -> profile.region = json.getIntValue();
            case "limit" -> profile.limit = json.getLongValue();
            default -> json.skipChildren();
        }
    }));

    private static final Serde<Sum> SUM = Serdes.serdeFrom(
        (topic, sum) -> sum == null ? null : ByteBuffer.allocate(16).putLong(sum.count).putLong(sum.sum).array(),
        (topic, bytes) -> {
            if (bytes == null) {
                return null;
            }
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            return new Sum(buffer.getLong(), buffer.getLong());
        });

    private static final Serde<Mapped> MAPPED = written((json, mapped) -> {
        json.writeNumberField("id", mapped.id);
        json.writeStringField("account", mapped.account);
        json.writeNumberField("cents", mapped.cents);
        json.writeNumberField("ts", mapped.ts);
        json.writeStringField("kind", mapped.kind);
    });

    private static final Serde<Total> TOTAL = written((json, total) -> {
        json.writeStringField("account", total.account);
        json.writeNumberField("count", total.sum.count);
        json.writeNumberField("sum", total.sum.sum);
    });

    private static final Serde<WindowSum> WINDOW_TOTAL = written((json, total) -> {
        json.writeStringField("account", total.account);
        json.writeNumberField("window", total.window);
        json.writeNumberField("count", total.sum.count);
        json.writeNumberField("sum", total.sum.sum);
    });

    private static final Serde<Row> JOINED = written((json, row) -> {
        json.writeNumberField("id", row.event.id);
        json.writeStringField("account", row.event.account);
        json.writeNumberField("amount", row.event.amount);
        json.writeNumberField("ts", row.event.ts);
        json.writeStringField("tier", row.profile.tier);
        json.writeNumberField("region", row.profile.region);
    });

    private static final Serde<Count> COUNTED = written((json, counted) -> {
        json.writeStringField("memo", counted.memo);
        json.writeNumberField("count", counted.count);
    });
}
