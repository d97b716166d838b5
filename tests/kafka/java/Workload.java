import java.io.FileReader;
import java.io.Reader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What only the Java client can do: transactions of the newest protocol, groups of KIP-848, regular
 * expressions evaluated by the broker, the migration of a group, share groups.
 *
 * <p>Arguments: a client configuration file and a marker. Prints one line a step: its name, and
 * what was read, sorted.
 */
public final class Workload {
  private static final int RECORDS = 5;
  private static final Duration POLL = Duration.ofMillis(200);
  private static final long PATIENCE_MS = 30_000;

  private final Map<String, Object> base = new HashMap<>();
  private final String marker;

  private Workload(String config, String marker) throws Exception {
    Properties loaded = new Properties();
    try (Reader reader = new FileReader(config)) {
      loaded.load(reader);
    }
    loaded.forEach((name, value) -> base.put((String) name, value));
    this.marker = marker;
  }

  public static void main(String[] arguments) throws Exception {
    new Workload(arguments[0], arguments[1]).run();
  }

  private void run() throws Exception {
    createTopics("java-plain", "java-committed", "java-regex-one", "java-regex-two", "java-moved");
    for (String topic : List.of("java-plain", "java-regex-one", "java-regex-two")) {
      produce(topic, topic);
    }
    transactions();
    show("read_committed", consume("java-tx-readers", "classic", "java-committed", RECORDS * 2));
    show("classic", consume("java-classic", "classic", "java-plain", RECORDS));
    show("consumer", consume("java-consumer", "consumer", "java-plain", RECORDS));
    classicPattern();
    consumerPattern();
    migration();
    share();
  }

  private void createTopics(String... names) throws Exception {
    try (Admin admin = Admin.create(base)) {
      List<NewTopic> topics = new ArrayList<>();
      for (String name : names) {
        topics.add(new NewTopic(name, 2, (short) 1));
      }
      admin.createTopics(topics).all().get();
    }
  }

  private Map<String, Object> with(Object... pairs) {
    Map<String, Object> config = new HashMap<>(base);
    for (int i = 0; i < pairs.length; i += 2) {
      config.put((String) pairs[i], pairs[i + 1]);
    }
    return config;
  }

  private ProducerRecord<String, String> record(String topic, String label, int number) {
    return new ProducerRecord<>(topic, number % 2, null, marker + " " + label + " " + number);
  }

  private KafkaProducer<String, String> producer(Object... pairs) {
    return new KafkaProducer<>(with(pairs), new StringSerializer(), new StringSerializer());
  }

  private void produce(String topic, String label) throws Exception {
    try (KafkaProducer<String, String> producer = producer()) {
      for (int number = 0; number < RECORDS; number++) {
        producer.send(record(topic, label, number)).get();
      }
    }
  }

  private void transactions() throws Exception {
    TopicPartition partition = new TopicPartition("java-plain", 0);
    try (KafkaProducer<String, String> producer = producer("transactional.id", "java-tx");
        KafkaConsumer<String, String> reader = consumer("java-tx-group", "classic")) {
      producer.initTransactions();
      for (String label : List.of("first", "aborted", "second")) {
        producer.beginTransaction();
        for (int number = 0; number < RECORDS; number++) {
          producer.send(record("java-committed", label, number));
        }
        if (label.equals("aborted")) {
          producer.flush();
          producer.abortTransaction();
          continue;
        }
        var offsets = Map.of(partition, new OffsetAndMetadata(label.equals("first") ? 1 : 2));
        producer.sendOffsetsToTransaction(offsets, reader.groupMetadata());
        producer.commitTransaction();
      }
    }
    try (Admin admin = Admin.create(base)) {
      var offsets = admin.listConsumerGroupOffsets("java-tx-group");
      var committed = offsets.partitionsToOffsetAndMetadata().get();
      System.out.println("transaction offsets: " + committed.get(partition).offset());
      System.out.println("transactional ids: " + ids(admin));
    }
  }

  private static Collection<String> ids(Admin admin) throws Exception {
    Collection<String> names = new TreeSet<>();
    admin.listTransactions().all().get().forEach(each -> names.add(each.transactionalId()));
    names.removeIf(name -> !name.startsWith("java-"));
    return names;
  }

  private KafkaConsumer<String, String> consumer(String group, String protocol) {
    Map<String, Object> config =
        with(
            "group.id", group,
            "group.protocol", protocol,
            "auto.offset.reset", "earliest",
            "isolation.level", "read_committed",
            "metadata.max.age.ms", 1000);
    if (protocol.equals("classic")) {
      config.put("heartbeat.interval.ms", 300);
    }
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }

  private List<String> consume(String group, String protocol, String topic, int count) {
    try (KafkaConsumer<String, String> consumer = consumer(group, protocol)) {
      consumer.subscribe(List.of(topic));
      List<String> values = poll(consumer, count);
      consumer.commitSync();
      return values;
    }
  }

  /** Reads until there are {@code count} records, and once more for any there should not be. */
  private static List<String> poll(KafkaConsumer<String, String> consumer, int count) {
    List<String> values = new ArrayList<>();
    long end = System.currentTimeMillis() + PATIENCE_MS;
    while (values.size() < count && System.currentTimeMillis() < end) {
      consumer.poll(POLL).forEach(each -> values.add(each.topic() + " " + each.value()));
    }
    consumer.poll(POLL).forEach(each -> values.add(each.topic() + " " + each.value()));
    return values;
  }

  private void classicPattern() {
    try (KafkaConsumer<String, String> consumer = consumer("java-pattern", "classic")) {
      consumer.subscribe(Pattern.compile("java-regex-.*"));
      show("classic pattern", poll(consumer, RECORDS * 2));
    }
  }

  private void consumerPattern() {
    try (KafkaConsumer<String, String> consumer = consumer("java-re2", "consumer")) {
      consumer.subscribe(new SubscriptionPattern("java-regex-(one|two)|nothing.*"));
      show("consumer pattern", poll(consumer, RECORDS * 2));
    }
  }

  /** A classic group with a member in it is joined by one of the new protocol. */
  private void migration() throws Exception {
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> old = consumer("java-moving", "classic");
        KafkaConsumer<String, String> fresh = consumer("java-moving", "consumer")) {
      old.subscribe(List.of("java-moved"));
      fresh.subscribe(List.of("java-moved"));
      long end = System.currentTimeMillis() + PATIENCE_MS;
      while (old.assignment().size() != 2 && System.currentTimeMillis() < end) {
        old.poll(POLL);
      }
      boolean shared = false;
      while (!shared && System.currentTimeMillis() < end) {
        old.poll(POLL);
        fresh.poll(POLL);
        shared = old.assignment().size() == 1 && fresh.assignment().size() == 1;
      }
      System.out.println("migration: one partition each " + shared);
      produce("java-moved", "java-moved");
      while (values.size() < RECORDS && System.currentTimeMillis() < end) {
        for (KafkaConsumer<String, String> each : List.of(old, fresh)) {
          each.poll(POLL).forEach(one -> values.add(one.topic() + " " + one.value()));
        }
      }
    }
    show("migrated", values);
  }

  private void share() throws Exception {
    String group = "java-share";
    var resource = new ConfigResource(ConfigResource.Type.GROUP, group);
    var earliest = new ConfigEntry("share.auto.offset.reset", "earliest");
    var change = List.of(new AlterConfigOp(earliest, AlterConfigOp.OpType.SET));
    try (Admin admin = Admin.create(base)) {
      admin.incrementalAlterConfigs(Map.of(resource, (Collection<AlterConfigOp>) change)).all().get();
    }
    Map<String, Object> config = with("group.id", group);
    List<String> values = new ArrayList<>();
    try (KafkaShareConsumer<String, String> consumer =
        new KafkaShareConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of("java-plain"));
      long end = System.currentTimeMillis() + PATIENCE_MS;
      while (values.size() < RECORDS && System.currentTimeMillis() < end) {
        for (ConsumerRecord<String, String> each : consumer.poll(POLL)) {
          values.add(each.topic() + " " + each.value());
        }
        consumer.commitSync();
      }
    }
    show("share", values);
  }

  private static void show(String step, List<String> values) {
    Collections.sort(values);
    System.out.println(step + ": " + String.join(", ", values));
  }
}
