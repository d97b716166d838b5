import java.io.FileReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Produces values "0", "1", ... one by one, with a pause after each if that is asked for, and reads
 * them back: CONFIG TOPIC COUNT [PAUSE_MS].
 */
public class RoundTrip {
  public static void main(String[] args) throws Exception {
    Properties config = new Properties();
    try (FileReader reader = new FileReader(args[0])) {
      config.load(reader);
    }
    String topic = args[1];
    int count = Integer.parseInt(args[2]);
    long pause = args.length > 3 ? Long.parseLong(args[3]) : 0;
    Properties producing = new Properties();
    producing.putAll(config);
    producing.put("linger.ms", "0");
    producing.put("batch.size", "0");
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(producing, new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < count; i++) {
        producer.send(new ProducerRecord<>(topic, 0, null, Integer.toString(i))).get();
        Thread.sleep(pause);
      }
    }
    Properties consuming = new Properties();
    consuming.putAll(config);
    consuming.put("auto.offset.reset", "earliest");
    consuming.put("enable.auto.commit", "false");
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(consuming, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      long deadline = System.nanoTime() + 20_000_000_000L;
      while (values.size() < count && System.nanoTime() < deadline) {
        consumer.poll(Duration.ofMillis(500)).forEach(record -> values.add(record.value()));
      }
    }
    System.out.println(String.join(",", values));
  }
}
