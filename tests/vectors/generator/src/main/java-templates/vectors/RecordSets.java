package vectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import ${record.package}.CompressionType;
import ${record.package}.ControlRecordType;
import ${record.package}.EndTransactionMarker;
import ${record.package}.MemoryRecords;
import ${record.package}.MemoryRecordsBuilder;
import ${record.package}.RecordBatch;
import org.apache.kafka.common.record.TimestampType;

/** Record sets of every format and compression. */
final class RecordSets {
    private static final long TIME = 1_700_000_000_000L;
    private static final long FIRST_OFFSET = 5;
    private static final long MARKER_OFFSET = 77;
    private static final long PRODUCER_ID = 4242;
    private static final short PRODUCER_EPOCH = 3;
    private static final int SEQUENCE = 17;
    private static final int COORDINATOR_EPOCH = 11;

    private final Lines lines;

    private RecordSets(Lines lines) {
        this.lines = lines;
    }

    static void writeAll(Lines lines) throws JsonProcessingException {
        RecordSets sets = new RecordSets(lines);
        for (byte magic = RecordBatch.MAGIC_VALUE_V0; magic <= RecordBatch.MAGIC_VALUE_V2; magic++) {
            for (CompressionType compression : CompressionType.values()) {
                sets.writeBatches(magic, compression);
            }
        }
        for (var type : List.of(ControlRecordType.ABORT, ControlRecordType.COMMIT)) {
            sets.writeMarker(type);
        }
    }

    private void writeBatches(byte magic, CompressionType compression)
            throws JsonProcessingException {
        boolean newest = magic == RecordBatch.MAGIC_VALUE_V2;
        if (compression == CompressionType.ZSTD && !newest) {
            return;
        }
        write(magic, compression, "plain", plain(magic, compression));
        if (newest) {
            write(magic, compression, "txn+headers", transactional(compression));
        }
    }

    private void writeMarker(ControlRecordType type) throws JsonProcessingException {
        EndTransactionMarker marker = new EndTransactionMarker(type, COORDINATOR_EPOCH);
        MemoryRecords records =
                MemoryRecords.withEndTransactionMarker(
                        MARKER_OFFSET, TIME, 3, PRODUCER_ID, PRODUCER_EPOCH, marker);
        write(RecordBatch.MAGIC_VALUE_V2, CompressionType.NONE, "marker-" + type, records);
    }

    /** A key or a value is missing, and time goes backwards. */
    private static MemoryRecords plain(byte magic, CompressionType compression) {
        boolean timed = magic > RecordBatch.MAGIC_VALUE_V0;
        MemoryRecordsBuilder builder =
                MemoryRecords.builder(
                        ByteBuffer.allocate(8192),
                        magic,
                        Compression.of(compression).build(),
                        TimestampType.CREATE_TIME,
                        FIRST_OFFSET);
        builder.append(timed ? TIME : RecordBatch.NO_TIMESTAMP, utf8("k1"), utf8("v1"));
        builder.append(timed ? TIME + 300 : RecordBatch.NO_TIMESTAMP, null, utf8("v2"));
        builder.append(timed ? TIME - 5 : RecordBatch.NO_TIMESTAMP, utf8("k3"), null);
        return builder.build();
    }

    private static MemoryRecords transactional(CompressionType compression) {
        MemoryRecordsBuilder builder =
                MemoryRecords.builder(
                        ByteBuffer.allocate(8192),
                        RecordBatch.MAGIC_VALUE_V2,
                        Compression.of(compression).build(),
                        TimestampType.CREATE_TIME,
                        0,
                        TIME,
                        PRODUCER_ID,
                        PRODUCER_EPOCH,
                        SEQUENCE,
                        true,
                        9);
        Header[] headers = {
            new RecordHeader("h1", utf8("x")),
            new RecordHeader("h\u00e9", null),
            new RecordHeader("", new byte[0])
        };
        builder.append(TIME, utf8("k"), new byte[300], headers);
        builder.append(TIME, (byte[]) null, null);
        return builder.build();
    }

    private void write(byte magic, CompressionType compression, String kind, MemoryRecords records)
            throws JsonProcessingException {
        ObjectNode line = Lines.NODES.objectNode();
        line.put("magic", magic);
        line.put("codec", compression.name);
        line.put("kind", kind);
        line.put("h", Lines.hex(records.buffer()));
        lines.write(line);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
