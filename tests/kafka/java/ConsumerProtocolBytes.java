import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;

/**
 * Subscriptions and assignments as Kafka's own class writes them, in all versions.
 *
 * <p>The argument is a prefix of every topic. Each line on stdout is "kind version variant hex".
 */
public final class ConsumerProtocolBytes {
  private static void print(String kind, short version, String variant, ByteBuffer made) {
    byte[] bytes = new byte[made.remaining()];
    made.get(bytes);
    System.out.println(
        String.join(
            " ", kind, Short.toString(version), variant, HexFormat.of().formatHex(bytes)));
  }

  public static void main(String[] arguments) {
    String prefix = arguments[0];
    List<TopicPartition> partitions =
        List.of(
            new TopicPartition(prefix + "cars", 0),
            new TopicPartition(prefix + "cars", 7),
            new TopicPartition(prefix + "trucks", 7));
    List<String> topics = List.of(prefix + "cars", prefix + "trucks", prefix + "b.o-a_ts");
    ByteBuffer data = ByteBuffer.wrap("user cars".getBytes(StandardCharsets.UTF_8));

    for (short version = 0; version <= 3; version++) {
      Subscription full =
          new Subscription(topics, data.duplicate(), partitions, 42, Optional.of("rack-1"));
      print("subscription", version, "full", ConsumerProtocol.serializeSubscription(full, version));
      Subscription plain = new Subscription(topics);
      print(
          "subscription", version, "plain", ConsumerProtocol.serializeSubscription(plain, version));
      Subscription empty = new Subscription(List.of());
      print(
          "subscription", version, "empty", ConsumerProtocol.serializeSubscription(empty, version));
      Assignment given = new Assignment(partitions, data.duplicate());
      print("assignment", version, "full", ConsumerProtocol.serializeAssignment(given, version));
      Assignment bare = new Assignment(partitions);
      print("assignment", version, "plain", ConsumerProtocol.serializeAssignment(bare, version));
      Assignment none = new Assignment(List.of());
      print("assignment", version, "empty", ConsumerProtocol.serializeAssignment(none, version));
    }
  }
}
