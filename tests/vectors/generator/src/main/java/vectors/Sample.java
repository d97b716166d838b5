package vectors;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.Field;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Field values for one message, in Kafka's JSON form, made up from its schema.
 *
 * <p>Values are counted through: the n-th one depends on n alone, so that two runs agree and no two
 * neighbouring fields can be taken for each other. The committed vectors depend on every number here.
 */
final class Sample {
    private static final String LONG_ENOUGH_FOR_TWO_LENGTH_BYTES = "x".repeat(130);
    /** Names that are not spelled in JSON as their schema's name suggests. */
    private static final Map<String, String> IRREGULAR_NAMES =
            Map.of(
                    "kraft_version_feature", "kRaftVersionFeature",
                    "is_kraft_controller", "isKRaftController");

    private final Profile profile;
    private int count;

    Sample(Profile profile) {
        this.profile = profile;
    }

    ObjectNode struct(Schema schema) {
        ObjectNode node = Lines.NODES.objectNode();
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields tagged) {
                addTagged(node, tagged);
            } else {
                node.set(jsonName(field.def.name), value(field.def.type));
            }
        }
        return node;
    }

    private void addTagged(ObjectNode node, TaggedFields tagged) {
        if (profile == Profile.NUL) {
            return;
        }
        for (var field : fieldsOf(tagged).values()) {
            node.set(jsonName(field.name), value(field.type));
        }
    }

    private JsonNode value(Type type) {
        if (type instanceof Schema schema) {
            if (schema.isNullable() && profile == Profile.NUL) {
                return Lines.NODES.nullNode();
            }
            count++;
            return struct(schema);
        }
        int n = ++count;
        if (profile == Profile.NUL && mayBeNull(type)) {
            return Lines.NODES.nullNode();
        }
        var element = type.arrayElementType();
        if (element.isPresent()) {
            ArrayNode array = Lines.NODES.arrayNode();
            for (int i = 0; i < profile.elements; i++) {
                array.add(value(element.get()));
            }
            return array;
        }
        return scalar(type, n);
    }

    /** Types of records call themselves nullable in every field, also where null is not allowed. */
    private static boolean mayBeNull(Type type) {
        String name = type.toString();
        return type.isNullable() && !name.equals("RECORDS") && !name.equals("COMPACT_RECORDS");
    }

    private JsonNode scalar(Type type, int n) {
        var nodes = Lines.NODES;
        String name = type.toString().replace("NULLABLE_", "").replace("COMPACT_", "");
        return switch (name) {
            case "BOOLEAN" -> nodes.booleanNode(true);
            case "INT8" -> nodes.numberNode((short) (1 + n % 120));
            case "INT16" -> nodes.numberNode((short) (1 + n % 30_000));
            case "UINT16" -> nodes.numberNode(60_000 + n % 5_000);
            case "INT32" -> nodes.numberNode(n % 2 == 0 ? -n : 65_537 * n);
            case "UINT32" -> nodes.numberNode(4_000_000_000L + n);
            case "INT64" -> nodes.numberNode(4_294_967_311L * (n % 3 == 0 ? -n : n));
            case "FLOAT64" -> nodes.numberNode(n + 0.5);
            case "UUID" -> nodes.textNode(new Uuid(0x0102030405060708L * n, n).toString());
            case "STRING" -> nodes.textNode(text(n));
            case "BYTES", "RECORDS" -> nodes.binaryNode(blob(blobSize(n)));
            default -> throw new IllegalStateException("a type nobody has told about: " + type);
        };
    }

    private String text(int n) {
        if (profile == Profile.MIN) {
            return "";
        }
        String start = n % 5 == 0 ? "\u00e9\u4e16-" : "s-";
        return start + n + (n % 7 == 0 ? LONG_ENOUGH_FOR_TWO_LENGTH_BYTES : "");
    }

    private int blobSize(int n) {
        if (profile == Profile.MIN) {
            return 0;
        }
        return n % 9 == 0 ? 200 : n % 17;
    }

    /** Bytes that do not repeat within 256. */
    static byte[] blob(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (11 + 37 * i);
        }
        return bytes;
    }

    private static String jsonName(String schemaName) {
        String irregular = IRREGULAR_NAMES.get(schemaName);
        if (irregular != null) {
            return irregular;
        }
        StringBuilder name = new StringBuilder();
        for (String part : schemaName.split("_")) {
            boolean first = name.isEmpty();
            name.append(first ? part : Character.toUpperCase(part.charAt(0)) + part.substring(1));
        }
        return name.toString();
    }

    /** By tag, ascending. There is an accessor since 4.0 only. */
    @SuppressWarnings("unchecked")
    private static Map<Integer, org.apache.kafka.common.protocol.types.Field> fieldsOf(
            TaggedFields tagged) {
        try {
            Field field = TaggedFields.class.getDeclaredField("fields");
            field.setAccessible(true);
            return (Map<Integer, org.apache.kafka.common.protocol.types.Field>) field.get(tagged);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("TaggedFields looks different in this release", e);
        }
    }
}
