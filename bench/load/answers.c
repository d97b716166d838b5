#include "answers.h"

#include <string.h>

static const struct {
    uint16_t api, low, high, flexible;
} SERVED[] = {
    {PRODUCE, 0, 12, 9},
    {FETCH, 4, 12, 12},
    {METADATA, 0, 12, 9},
    {API_VERSIONS, 0, 4, 3},
};
enum { SERVED_COUNT = sizeof SERVED / sizeof *SERVED };

static bool read_produce(Request *q, const uint8_t *head)
{
    Reader *r = &q->body;
    bool flexible = q->flexible;
    if (q->version >= 3)
        get_string(r, flexible, NULL);
    q->silent = get16(r) == 0;
    skip(r, 4);
    if (get_count(r, flexible) != 1)
        return false;
    q->topic_length = get_string(r, flexible, &q->topic);
    if (get_count(r, flexible) != 1)
        return false;
    q->partition = get32(r);
    q->records = get_count(r, flexible);
    q->records_at = r->at - head;
    return !r->bad;
}

bool read_request(Request *q, const uint8_t *head, size_t length)
{
    memset(q, 0, sizeof *q);
    q->body = (Reader){head, head + length, false};
    q->api = get16(&q->body);
    q->version = get16(&q->body);
    q->correlation = get32(&q->body);
    get_string(&q->body, false, NULL);
    for (int i = 0; i < SERVED_COUNT; i++) {
        if (SERVED[i].api != q->api)
            continue;
        if (q->api != API_VERSIONS && (q->version < SERVED[i].low || q->version > SERVED[i].high))
            return false;
        q->flexible = q->version >= SERVED[i].flexible;
        if (q->flexible && get_uvarint(&q->body) != 0)
            return false;
        if (q->api == PRODUCE)
            return read_produce(q, head);
        return !q->body.bad;
    }
    return false;
}

static void answer_produce(const Request *q, uint16_t error, Bytes *out)
{
    bool flexible = q->flexible;
    put_count(out, flexible, 1);
    put_string(out, flexible, q->topic, q->topic_length);
    put_count(out, flexible, 1);
    put32(out, q->partition);
    put16(out, error);
    put64(out, error ? UINT64_MAX : 4711);
    if (q->version >= 2)
        put64(out, UINT64_MAX);
    if (q->version >= 5)
        put64(out, 0);
    if (q->version >= 8) {
        put_count(out, flexible, 0);
        if (flexible)
            put8(out, 0);
        else
            put16(out, 0xffff);
    }
    put_tags(out, flexible);
    put_tags(out, flexible);
    if (q->version >= 1)
        put32(out, 0);
    put_tags(out, flexible);
}

/* The asked-for number of record bytes is the partition's max_bytes: the client chooses. */
static bool answer_fetch(Request *q, Bytes *out, size_t *split, size_t *bulk)
{
    Reader *r = &q->body;
    bool flexible = q->flexible;
    const uint8_t *topic;
    uint8_t header[BATCH_HEADER];
    skip(r, 4 + 4 + 4 + 4 + 1 + (q->version >= 7 ? 8 : 0));
    if (get_count(r, flexible) != 1)
        return false;
    size_t length = get_string(r, flexible, &topic);
    if (get_count(r, flexible) != 1)
        return false;
    uint32_t partition = get32(r);
    skip(r, (q->version >= 9 ? 4 : 0) + 8 + (q->version >= 12 ? 4 : 0) + (q->version >= 5 ? 8 : 0));
    uint32_t records = get32(r);
    if (r->bad || records > 128u << 20)
        return false;
    put32(out, 0);
    if (q->version >= 7) {
        put16(out, 0);
        put32(out, 0);
    }
    put_count(out, flexible, 1);
    put_string(out, flexible, topic, length);
    put_count(out, flexible, 1);
    put32(out, partition);
    put16(out, 0);
    put64(out, 4712);
    put64(out, 4712);
    if (q->version >= 5)
        put64(out, 0);
    put_count(out, flexible, 0);
    if (q->version >= 11)
        put32(out, UINT32_MAX);
    put_count(out, flexible, records);
    batch_header(header, records);
    put_raw(out, header, records < BATCH_HEADER ? records : BATCH_HEADER);
    *split = out->length;
    *bulk = records < BATCH_HEADER ? 0 : records - BATCH_HEADER;
    put_tags(out, flexible);
    put_tags(out, flexible);
    put_tags(out, flexible);
    return true;
}

static void put_topic(const Cluster *c, const Request *q, const void *name, size_t length, Bytes *out)
{
    bool flexible = q->flexible;
    int version = q->version;
    uint8_t id[16] = {0xbe, 0x4c, 1};
    put16(out, 0);
    put_string(out, flexible, name, length);
    if (version >= 10)
        put_raw(out, id, 16);
    if (version >= 1)
        put8(out, 0);
    put_count(out, flexible, c->partitions);
    for (uint32_t i = 0; i < c->partitions; i++) {
        put16(out, 0);
        put32(out, i);
        put32(out, 1);
        if (version >= 7)
            put32(out, 0);
        for (int list = 0; list < 2; list++) {
            put_count(out, flexible, 1);
            put32(out, 1);
        }
        if (version >= 5)
            put_count(out, flexible, 0);
        put_tags(out, flexible);
    }
    if (version >= 8)
        put32(out, 0x80000000);
    put_tags(out, flexible);
}

static bool answer_metadata(const Cluster *c, Request *q, Bytes *out)
{
    Reader *r = &q->body;
    bool flexible = q->flexible;
    int version = q->version;
    uint32_t count = flexible ? get_uvarint(r) : get32(r);
    bool all = flexible ? count == 0 : version == 0 ? count == 0 : count == UINT32_MAX;
    if (flexible && count)
        count--;
    if (version >= 3)
        put32(out, 0);
    put_count(out, flexible, 1);
    put32(out, 1);
    put_string(out, flexible, "127.0.0.1", 9);
    put32(out, c->port);
    if (version >= 1) {
        if (flexible)
            put8(out, 0);
        else
            put16(out, 0xffff);
    }
    put_tags(out, flexible);
    if (version >= 2)
        put_string(out, flexible, "bench-cluster", 13);
    if (version >= 1)
        put32(out, 1);
    put_count(out, flexible, all ? 1 : count);
    if (all)
        put_topic(c, q, c->topic, strlen(c->topic), out);
    for (uint32_t i = 0; !all && i < count && !r->bad; i++) {
        const uint8_t *name;
        if (version >= 10)
            skip(r, 16);
        size_t length = get_string(r, flexible, &name);
        if (flexible)
            get_uvarint(r);
        put_topic(c, q, name, length, out);
    }
    if (version >= 8 && version <= 10)
        put32(out, 0x80000000);
    put_tags(out, flexible);
    return !r->bad;
}

static void answer_api_versions(const Request *q, Bytes *out)
{
    bool known = q->version <= 4;
    int version = known ? q->version : 0;
    bool flexible = version >= 3;
    put16(out, known ? 0 : 35);
    put_count(out, flexible, SERVED_COUNT);
    for (int i = 0; i < SERVED_COUNT; i++) {
        put16(out, SERVED[i].api);
        put16(out, SERVED[i].low);
        put16(out, SERVED[i].high);
        put_tags(out, flexible);
    }
    if (version >= 1)
        put32(out, 0);
    put_tags(out, flexible);
}

bool answer(const Cluster *cluster, Request *q, uint16_t error, Bytes *out, size_t *split,
            size_t *bulk)
{
    size_t start = out->length;
    *bulk = 0;
    put32(out, 0);
    put32(out, q->correlation);
    put_tags(out, q->flexible && q->api != API_VERSIONS);
    if (q->api == PRODUCE)
        answer_produce(q, error, out);
    else if (q->api == API_VERSIONS)
        answer_api_versions(q, out);
    else if (q->api == METADATA ? !answer_metadata(cluster, q, out)
                                : !answer_fetch(q, out, split, bulk))
        return false;
    if (!*bulk)
        *split = out->length;
    patch32(out->data + start, out->length - start - 4 + *bulk);
    return true;
}
