"""The four messages of codec_peers.py in the classes of other codecs."""

import datetime
import io
from typing import Any

from codec_messages import (
    BATCH,
    BROKERS,
    CLUSTER,
    CONTROLLER,
    FETCH,
    METADATA,
    NO_OPERATIONS,
    PARTITIONS,
    PRODUCE_REQUEST,
    PRODUCE_RESPONSE,
    SESSION,
    THROTTLE,
    TOPIC,
    Case,
    Peer,
    replicas,
    topics,
)


def kafka_python() -> Peer:
    """kafka-python 3: code generated at run time from Kafka's message definitions."""
    from kafka.protocol.consumer import FetchResponse as Fetch
    from kafka.protocol.metadata import MetadataResponse as Metadata
    from kafka.protocol.producer import ProduceRequest as Request
    from kafka.protocol.producer import ProduceResponse as Response

    topic = Metadata.MetadataResponseTopic
    metadata = Metadata(
        version=12,
        throttle_time_ms=THROTTLE,
        cluster_id=CLUSTER,
        controller_id=CONTROLLER,
        brokers=[
            Metadata.MetadataResponseBroker(version=12, node_id=i, host=h, port=p, rack=r)
            for i, h, p, r in BROKERS
        ],
        topics=[
            topic(
                version=12,
                error_code=0,
                name=name,
                topic_id=id_,
                is_internal=False,
                authorized_operations=None,
                partitions=[
                    topic.MetadataResponsePartition(
                        version=12,
                        error_code=0,
                        partition_index=p,
                        leader_id=replicas(t, p)[0],
                        leader_epoch=7,
                        replica_nodes=replicas(t, p),
                        isr_nodes=replicas(t, p),
                        offline_replicas=[],
                    )
                    for p in PARTITIONS
                ],
            )
            for t, (name, id_) in enumerate(topics())
        ],
    )
    data = Request.TopicProduceData
    request = Request(
        version=9,
        transactional_id=None,
        acks=-1,
        timeout_ms=30000,
        topic_data=[
            data(
                version=9,
                name=TOPIC,
                partition_data=[
                    data.PartitionProduceData(version=9, index=p, records=BATCH) for p in PARTITIONS
                ],
            )
        ],
    )
    produced = Response.TopicProduceResponse
    response = Response(
        version=9,
        throttle_time_ms=THROTTLE,
        responses=[
            produced(
                version=9,
                name=TOPIC,
                partition_responses=[
                    produced.PartitionProduceResponse(
                        version=9,
                        index=p,
                        error_code=0,
                        base_offset=1000 + p,
                        log_append_time_ms=-1,
                        log_start_offset=5,
                        record_errors=[],
                        error_message=None,
                    )
                    for p in PARTITIONS
                ],
            )
        ],
    )
    fetched = Fetch.FetchableTopicResponse
    fetch = Fetch(
        version=12,
        throttle_time_ms=THROTTLE,
        error_code=0,
        session_id=SESSION,
        responses=[
            fetched(
                version=12,
                topic=TOPIC,
                partitions=[
                    fetched.PartitionData(
                        version=12,
                        partition_index=p,
                        error_code=0,
                        high_watermark=1000 + p,
                        last_stable_offset=1000 + p,
                        log_start_offset=5,
                        aborted_transactions=None,
                        preferred_read_replica=-1,
                        records=b"",
                    )
                    for p in PARTITIONS
                ],
            )
        ],
    )

    def case(message: Any) -> Case:
        version, cls = message.API_VERSION, type(message)
        return Case(
            version, lambda: bytes(message.encode()), lambda body: cls.decode(body, version=version)
        )

    messages = (metadata, request, response, fetch)
    names = (METADATA, PRODUCE_REQUEST, PRODUCE_RESPONSE, FETCH)
    return dict(zip(names, map(case, messages), strict=True))


def aiokafka() -> Peer:
    """aiokafka: schemas written by hand, a method call for every field."""
    from aiokafka.protocol.fetch import FetchResponse_v11
    from aiokafka.protocol.metadata import MetadataResponse_v5
    from aiokafka.protocol.produce import ProduceRequest_v8, ProduceResponse_v8

    def partition(t: int, p: int) -> tuple[Any, ...]:
        return 0, p, replicas(t, p)[0], replicas(t, p), replicas(t, p), []

    metadata = [
        (0, name, False, [partition(t, p) for p in PARTITIONS])
        for t, (name, _) in enumerate(topics())
    ]
    produced = [(p, 0, 1000 + p, -1, 5, [], None) for p in PARTITIONS]
    fetched = [(p, 0, 1000 + p, 1000 + p, 5, None, -1, b"") for p in PARTITIONS]
    messages = {
        METADATA: MetadataResponse_v5(THROTTLE, BROKERS, CLUSTER, CONTROLLER, metadata),
        PRODUCE_REQUEST: ProduceRequest_v8(
            None, -1, 30000, [(TOPIC, [(p, BATCH) for p in PARTITIONS])]
        ),
        PRODUCE_RESPONSE: ProduceResponse_v8([(TOPIC, produced)], THROTTLE),
        FETCH: FetchResponse_v11(THROTTLE, 0, SESSION, [(TOPIC, fetched)]),
    }
    return {name: Case(m.API_VERSION, m.encode, type(m).decode) for name, m in messages.items()}


def kio() -> Peer:
    """kio: dataclasses generated from Kafka's message definitions; decodes in Rust."""
    import kio.schema.fetch.v12.response as fetch
    import kio.schema.metadata.v12.response as metadata
    import kio.schema.produce.v9.request as request
    import kio.schema.produce.v9.response as response
    from kio.schema.errors import ErrorCode
    from kio.serial import entity_reader, entity_writer

    none, now = ErrorCode(0), datetime.timedelta(0)
    messages = {
        METADATA: metadata.MetadataResponse(
            throttle_time=now,
            cluster_id=CLUSTER,
            controller_id=CONTROLLER,
            brokers=tuple(
                metadata.MetadataResponseBroker(node_id=i, host=h, port=p, rack=r)
                for i, h, p, r in BROKERS
            ),
            topics=tuple(
                metadata.MetadataResponseTopic(
                    error_code=none,
                    name=name,
                    topic_id=id_,
                    is_internal=False,
                    topic_authorized_operations=NO_OPERATIONS,
                    partitions=tuple(
                        metadata.MetadataResponsePartition(
                            error_code=none,
                            partition_index=p,
                            leader_id=replicas(t, p)[0],
                            leader_epoch=7,
                            replica_nodes=tuple(replicas(t, p)),
                            isr_nodes=tuple(replicas(t, p)),
                            offline_replicas=(),
                        )
                        for p in PARTITIONS
                    ),
                )
                for t, (name, id_) in enumerate(topics())
            ),
        ),
        PRODUCE_REQUEST: request.ProduceRequest(
            transactional_id=None,
            acks=-1,
            timeout=datetime.timedelta(milliseconds=30000),
            topic_data=(
                request.TopicProduceData(
                    name=TOPIC,
                    partition_data=tuple(
                        request.PartitionProduceData(index=p, records=BATCH) for p in PARTITIONS
                    ),
                ),
            ),
        ),
        PRODUCE_RESPONSE: response.ProduceResponse(
            throttle_time=now,
            responses=(
                response.TopicProduceResponse(
                    name=TOPIC,
                    partition_responses=tuple(
                        response.PartitionProduceResponse(
                            index=p,
                            error_code=none,
                            base_offset=1000 + p,
                            log_append_time=None,
                            log_start_offset=5,
                            record_errors=(),
                            error_message=None,
                        )
                        for p in PARTITIONS
                    ),
                ),
            ),
        ),
        FETCH: fetch.FetchResponse(
            throttle_time=now,
            error_code=none,
            session_id=SESSION,
            responses=(
                fetch.FetchableTopicResponse(
                    topic=TOPIC,
                    partitions=tuple(
                        fetch.PartitionData(
                            partition_index=p,
                            error_code=none,
                            high_watermark=1000 + p,
                            last_stable_offset=1000 + p,
                            log_start_offset=5,
                            aborted_transactions=None,
                            preferred_read_replica=-1,
                            records=b"",
                        )
                        for p in PARTITIONS
                    ),
                ),
            ),
        ),
    }

    def case(message: Any, version: int) -> Case:
        write, read = entity_writer(type(message)), entity_reader(type(message))

        def encode() -> bytes:
            buffer = io.BytesIO()
            write(buffer, message)
            return buffer.getvalue()

        return Case(version, encode, lambda body: read(body, 0)[0])

    versions = {METADATA: 12, PRODUCE_REQUEST: 9, PRODUCE_RESPONSE: 9, FETCH: 12}
    return {name: case(message, versions[name]) for name, message in messages.items()}
