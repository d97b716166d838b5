package vectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;

/** The body of every message of this release, in every version and profile. */
final class Bodies {
    /** The second tag and the second size need more than one byte. */
    private static final List<RawTaggedField> UNKNOWN_TAGS =
            List.of(
                    new RawTaggedField(1_000, Sample.blob(3)),
                    new RawTaggedField(70_000, Sample.blob(200)));

    private final Lines lines;

    Bodies(Lines lines) {
        this.lines = lines;
    }

    void writeAll() throws ReflectiveOperationException, JsonProcessingException {
        for (ApiMessageType type : ApiMessageType.values()) {
            for (Side side : Side.values()) {
                if (side.schemas(type).length > 0) {
                    writeVersions(type, side);
                }
            }
        }
    }

    private void writeVersions(ApiMessageType type, Side side)
            throws ReflectiveOperationException, JsonProcessingException {
        ApiMessage message = side.create(type);
        short newest = message.highestSupportedVersion();
        for (short version = message.lowestSupportedVersion(); version <= newest; version++) {
            for (Profile profile : Profile.values()) {
                try {
                    write(type, side, version, profile);
                } catch (ReflectiveOperationException | RuntimeException e) {
                    String what = type.name + " " + side + " v" + version + " " + profile;
                    throw new IllegalStateException(what + " cannot be made", e);
                }
            }
        }
    }

    private void write(ApiMessageType type, Side side, short version, Profile profile)
            throws ReflectiveOperationException, JsonProcessingException {
        Schema schema = side.schemas(type)[version];
        ObjectNode values = profile == Profile.DEF ? null : new Sample(profile).struct(schema);
        ApiMessage message = side.create(type);
        if (values != null) {
            message = fromJson(message.getClass(), values, version);
        }
        byte[] body = bytes(message, version);
        ApiMessage readBack = side.create(type);
        readWhole(readBack, body, version);
        lines.writeBody(type.apiKey(), side, version, profile.name(), values, body);
        if (profile == Profile.TWO && isFlexible(schema)) {
            readBack.unknownTaggedFields().addAll(UNKNOWN_TAGS);
            byte[] tagged = bytes(readBack, version);
            lines.writeBody(type.apiKey(), side, version, Profile.UNKNOWN_TAGS, values, tagged);
        }
    }

    private static boolean isFlexible(Schema schema) {
        return Stream.of(schema.fields()).anyMatch(field -> field.def.type instanceof TaggedFields);
    }

    /** Every message class has a converter beside it, found by its name. */
    private static ApiMessage fromJson(
            Class<? extends ApiMessage> message, JsonNode values, short version)
            throws ReflectiveOperationException {
        Class<?> converter = Class.forName(message.getName() + "JsonConverter");
        var read = converter.getMethod("read", JsonNode.class, short.class);
        return message.cast(read.invoke(null, values, version));
    }

    static byte[] bytes(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException(buffer.remaining() + " bytes fewer than it has said");
        }
        return buffer.array();
    }

    private static void readWhole(Message message, byte[] body, short version) {
        ByteBufferAccessor accessor = new ByteBufferAccessor(ByteBuffer.wrap(body));
        message.read(accessor, version);
        if (accessor.remaining() != 0) {
            throw new IllegalStateException(accessor.remaining() + " bytes are left over");
        }
    }
}
