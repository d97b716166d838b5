package vectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.HexFormat;

/** JSON values, one a line, and the hexadecimal form of bytes in them. */
final class Lines {
    static final ObjectMapper JSON = new ObjectMapper();
    static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final PrintStream out;

    Lines(PrintStream out) {
        this.out = out;
    }

    void write(JsonNode value) throws JsonProcessingException {
        out.print(JSON.writeValueAsString(value));
        out.print('\n');
    }

    /** A line of a file of bodies; {@code values} is null where all fields have their defaults. */
    void writeBody(int key, Side side, short version, String profile, JsonNode values, byte[] body)
            throws JsonProcessingException {
        ObjectNode line = NODES.objectNode();
        line.put("k", key);
        line.put("s", side.letter);
        line.put("v", version);
        line.put("p", profile);
        line.set("j", values);
        line.put("h", HexFormat.of().formatHex(body));
        write(line);
    }

    static String hex(ByteBuffer buffer) {
        if (buffer == null) {
            return null;
        }
        byte[] copy = new byte[buffer.remaining()];
        buffer.duplicate().get(copy);
        return HexFormat.of().formatHex(copy);
    }
}
