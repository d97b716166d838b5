package vectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;

/** The headers of requests and responses, in every version. */
final class Headers {
    private static final int NO_KEY = -1;
    private static final String PROFILE = "HDR";
    private static final short KEY = 3;
    private static final short VERSION = 9;
    private static final int CORRELATION_ID = 0x01020304;
    private static final List<String> CLIENT_IDS = Arrays.asList(null, "", "client-\u00e9");
    private static final short CLIENT_ID_SINCE = 1;

    private Headers() {}

    static void writeAll(Lines lines) throws JsonProcessingException {
        RequestHeaderData any = new RequestHeaderData();
        short newest = any.highestSupportedVersion();
        for (short version = any.lowestSupportedVersion(); version <= newest; version++) {
            for (String clientId : CLIENT_IDS) {
                writeRequestHeader(lines, version, clientId);
            }
        }
        var answer = new ResponseHeaderData().setCorrelationId(CORRELATION_ID);
        newest = answer.highestSupportedVersion();
        for (short version = answer.lowestSupportedVersion(); version <= newest; version++) {
            byte[] bytes = Bodies.bytes(answer, version);
            lines.writeBody(NO_KEY, Side.RESPONSE, version, PROFILE, null, bytes);
        }
    }

    private static void writeRequestHeader(Lines lines, short version, String clientId)
            throws JsonProcessingException {
        RequestHeaderData header =
                new RequestHeaderData()
                        .setRequestApiKey(KEY)
                        .setRequestApiVersion(VERSION)
                        .setCorrelationId(CORRELATION_ID);
        if (version >= CLIENT_ID_SINCE) {
            header.setClientId(clientId);
        }
        ObjectNode values = Lines.NODES.objectNode().put("clientId", clientId);
        byte[] bytes = Bodies.bytes(header, version);
        lines.writeBody(NO_KEY, Side.REQUEST, version, PROFILE, values, bytes);
    }
}
