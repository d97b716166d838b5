package vectors;

import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.types.Schema;

/** Which of the two messages of an API. */
enum Side {
    REQUEST("q") {
        @Override
        Schema[] schemas(ApiMessageType type) {
            return type.requestSchemas();
        }

        @Override
        ApiMessage create(ApiMessageType type) {
            return type.newRequest();
        }
    },
    RESPONSE("p") {
        @Override
        Schema[] schemas(ApiMessageType type) {
            return type.responseSchemas();
        }

        @Override
        ApiMessage create(ApiMessageType type) {
            return type.newResponse();
        }
    };

    final String letter;

    Side(String letter) {
        this.letter = letter;
    }

    /** By version; none for an API that this release has no version of any more. */
    abstract Schema[] schemas(ApiMessageType type);

    abstract ApiMessage create(ApiMessageType type);
}
