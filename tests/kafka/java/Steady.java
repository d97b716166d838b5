import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The Java client, producing steadily: Steady BOOTSTRAP TOPIC INTERVAL_MS.
 *
 * <p>One record in so many milliseconds to partition 0, with the library's defaults (acks=all,
 * idempotence), until stdin ends. Prints "ready" with the first acknowledgement, and in the end one
 * line of JSON: what was sent, acknowledged, failed, and the slowest in milliseconds of those that
 * were sent when the first had been acknowledged.
 */
public final class Steady {
  private static long acknowledged;
  private static double slowest;
  private static long ready = Long.MAX_VALUE;
  private static final Map<String, Integer> failed = new TreeMap<>();

  private static synchronized void done(long began, Exception error) {
    if (error != null) {
      failed.merge(error.getClass().getSimpleName(), 1, Integer::sum);
      return;
    }
    if (acknowledged++ == 0) {
      ready = System.nanoTime();
      System.out.println("ready");
    }
    if (began >= ready) { // what waited for the first connections says nothing
      slowest = Math.max(slowest, (System.nanoTime() - began) / 1e6);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", arguments[0]);
    long interval = Long.parseLong(arguments[2]);
    AtomicBoolean ended = new AtomicBoolean();
    Thread reading = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {}
      } catch (java.io.IOException gone) {
        // It has ended as well.
      }
      ended.set(true);
    });
    reading.setDaemon(true);
    reading.start();
    long sent = 0;
    try (var producer =
        new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
      while (!ended.get()) {
        Thread.sleep(interval);
        long began = System.nanoTime();
        var record = new ProducerRecord<String, String>(arguments[1], 0, null, "" + sent);
        producer.send(record, (metadata, error) -> done(began, error));
        sent++;
      }
    }
    String failures = failed.entrySet().stream()
        .map(each -> "\"" + each.getKey() + "\": " + each.getValue())
        .collect(Collectors.joining(", "));
    System.out.printf(
        "{\"sent\": %d, \"acknowledged\": %d, \"failed\": {%s}, \"slowest_ms\": %.1f}%n",
        sent, acknowledged, failures, slowest);
  }
}
