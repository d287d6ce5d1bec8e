import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams' side of `make prove-restore`: an application with one persistent store, which is empty on disk and so read back from
 * its changelog. Run as a source file, with Kafka's jars on the class path. Everything is left at its default but for exactly-once, the number of
 * threads and the state directory; and it leaves its group at the end.
 *
 * Arguments: application id, input topic, store, bootstrap, state directory, threads. Prints one line of what it measured.
 */
public final class Restore {
    private static final long LIMIT_SECONDS = 900;

    public static void main(String[] args) throws Exception {
        if (args.length != 6) {
            System.err.println("Restore APP INPUT STORE BOOTSTRAP STATE THREADS");
            System.exit(2);
        }
        long began = System.nanoTime();
        Stopwatch stopwatch = new Stopwatch();
        CountDownLatch running = new CountDownLatch(1);
        try (KafkaStreams streams = new KafkaStreams(topology(args[1], args[2]), config(args))) {
            streams.setGlobalStateRestoreListener(stopwatch);
            streams.setStateListener((now, before) -> {
                if (now == KafkaStreams.State.RUNNING && stopwatch.ended.get() != 0) {
                    running.countDown();
                }
            });
            streams.start();
            if (!running.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("not restored within " + LIMIT_SECONDS + " s");
                System.exit(1);
            }
            // By default it would stay a member, and who comes next in its group would wait for 45 s.
            streams.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
        }
        double cpu = ProcessHandle.current().info().totalCpuDuration().map(time -> time.toMillis() / 1e3).orElse(0.0);
        System.out.printf("restored=%d seconds=%.3f from_start_seconds=%.3f cpu_seconds=%.2f peak_rss_mib=%d%n",
            stopwatch.records.get(), (stopwatch.ended.get() - stopwatch.began.get()) / 1e9,
            (stopwatch.ended.get() - began) / 1e9, cpu, peakRssMib());
    }

    private static Topology topology(String input, String store) {
        ProcessorSupplier<byte[], byte[], Void, Void> keep = () -> new Processor<>() {
            @Override
            public void process(Record<byte[], byte[]> record) { }
        };
        Topology topology = new Topology();
        topology.addSource("events", input).addProcessor("keep", keep, "events").addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(store), Serdes.ByteArray(), Serdes.ByteArray()), "keep");
        return topology;
    }

    private static Properties config(String[] args) {
        Properties config = new Properties();
        config.putAll(Map.of(
            StreamsConfig.APPLICATION_ID_CONFIG, args[0],
            StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[3],
            StreamsConfig.STATE_DIR_CONFIG, args[4],
            StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[5],
            StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2,
            StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class,
            StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class,
            "auto.offset.reset", "earliest"));
        return config;
    }

    /** From the first partition's beginning to the last one's end. */
    private static final class Stopwatch implements StateRestoreListener {
        final AtomicLong began = new AtomicLong();
        final AtomicLong ended = new AtomicLong();
        final AtomicLong records = new AtomicLong();

        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
            began.compareAndSet(0, System.nanoTime());
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long count) { }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {
            records.addAndGet(total);
            ended.set(System.nanoTime());
        }
    }

    private static long peakRssMib() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
            }
        }
        return 0;
    }
}
