package vectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Header;
import ${record.package}.ControlRecordType;
import ${record.package}.MemoryRecords;
import ${record.package}.Record;
import ${record.package}.RecordBatch;

/** Reads record sets that others wrote: each line in holds one in hex, each line out its batches. */
final class RecordReader {
    private RecordReader() {}

    static void answerAll(BufferedReader in, Lines lines) throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String hex = Lines.JSON.readTree(line).get("h").textValue();
            lines.write(answer(ByteBuffer.wrap(HexFormat.of().parseHex(hex))));
        }
    }

    private static ObjectNode answer(ByteBuffer bytes) throws JsonProcessingException {
        ObjectNode answer = Lines.NODES.objectNode();
        try {
            ArrayNode batches = Lines.NODES.arrayNode();
            for (RecordBatch batch : MemoryRecords.readableRecords(bytes).batches()) {
                batches.add(describe(batch));
            }
            answer.set("batches", batches);
        } catch (KafkaException | IllegalArgumentException e) {
            answer.put("error", e.toString());
        }
        return answer;
    }

    private static ObjectNode describe(RecordBatch batch) {
        batch.ensureValid();
        ObjectNode node = Lines.NODES.objectNode();
        node.put("magic", batch.magic());
        node.put("codec", batch.compressionType().name);
        node.put("baseOffset", batch.baseOffset());
        node.put("lastOffset", batch.lastOffset());
        node.put("maxTimestamp", batch.maxTimestamp());
        node.put("timestampType", batch.timestampType().name);
        node.put("leaderEpoch", batch.partitionLeaderEpoch());
        node.put("producerId", batch.producerId());
        node.put("producerEpoch", batch.producerEpoch());
        node.put("baseSequence", batch.baseSequence());
        node.put("transactional", batch.isTransactional());
        node.put("control", batch.isControlBatch());
        ArrayNode records = node.putArray("records");
        for (Record record : batch) {
            record.ensureValid();
            records.add(describe(record, batch.isControlBatch()));
        }
        return node;
    }

    private static ObjectNode describe(Record record, boolean control) {
        ObjectNode node = Lines.NODES.objectNode();
        node.put("offset", record.offset());
        node.put("timestamp", record.timestamp());
        node.put("key", Lines.hex(record.key()));
        node.put("value", Lines.hex(record.value()));
        if (control) {
            node.put("marker", ControlRecordType.parse(record.key()).name());
        }
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers()) {
            byte[] value = header.value();
            headers.addArray()
                    .add(header.key())
                    .add(value == null ? null : HexFormat.of().formatHex(value));
        }
        return node;
    }
}
