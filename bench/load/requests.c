#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool is_flexible(const Shape *s)
{
    return s->version >= (s->api == FETCH ? 12 : s->api == API_VERSIONS ? 3 : 9);
}

static void put_header(Bytes *b, int api, int version, bool flexible)
{
    put32(b, 0);
    put16(b, api);
    put16(b, version);
    put32(b, 0);
    put_string(b, false, "b", 1);
    put_tags(b, flexible);
}

static size_t uvarint_size(uint32_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

/* Bytes of a length field of records that are about `left` long, itself included in `left`. */
static size_t count_size(bool flexible, size_t left)
{
    if (!flexible)
        return 4;
    size_t size = uvarint_size(left + 1);
    return uvarint_size(left - size + 1) < size ? size - 1 : size;
}

static void put_produce(Bytes *b, const Shape *s)
{
    bool flexible = is_flexible(s);
    if (flexible)
        put8(b, 0);
    else
        put16(b, 0xffff);
    put16(b, 1);
    put32(b, 30000);
    put_count(b, flexible, 1);
    put_string(b, flexible, s->topic, strlen(s->topic));
    put_count(b, flexible, 1);
    put32(b, 0);
    size_t records = records_in(s);
    put_count(b, flexible, records);
    uint8_t header[BATCH_HEADER];
    batch_header(header, records);
    put_raw(b, header, records < BATCH_HEADER ? records : BATCH_HEADER);
    for (size_t at = BATCH_HEADER; at < records;) {
        size_t from = at % PERIOD;
        size_t part = PERIOD - from < records - at ? PERIOD - from : records - at;
        put_raw(b, pattern + from, part);
        at += part;
    }
    for (int i = 0; i < 3; i++)
        put_tags(b, flexible);
}

static void put_fetch(Bytes *b, const Shape *s)
{
    bool flexible = is_flexible(s);
    put32(b, UINT32_MAX);
    put32(b, 500);
    put32(b, 1);
    put32(b, 0x7fffffff);
    put8(b, 0);
    put32(b, 0);
    put32(b, UINT32_MAX);
    put_count(b, flexible, 1);
    put_string(b, flexible, s->topic, strlen(s->topic));
    put_count(b, flexible, 1);
    put32(b, 0);
    put32(b, UINT32_MAX);
    put64(b, 0);
    if (s->version >= 12)
        put32(b, UINT32_MAX);
    put64(b, UINT64_MAX);
    put32(b, records_in(s));
    put_tags(b, flexible);
    put_tags(b, flexible);
    put_count(b, flexible, 0);
    put_string(b, flexible, "", 0);
    put_tags(b, flexible);
}

static void put_metadata(Bytes *b, const Shape *s)
{
    bool flexible = is_flexible(s);
    uint8_t id[16] = {0};
    put_count(b, flexible, 1);
    if (s->version >= 10)
        put_raw(b, id, 16);
    put_string(b, flexible, s->topic, strlen(s->topic));
    put_tags(b, flexible);
    if (s->version >= 4)
        put8(b, 0);
    if (s->version >= 8 && s->version <= 10)
        put8(b, 0);
    if (s->version >= 8)
        put8(b, 0);
    put_tags(b, flexible);
}

Bytes make_request(const Shape *s)
{
    Bytes b = {0};
    put_header(&b, s->api, s->version, is_flexible(s));
    if (s->api == PRODUCE) {
        put_produce(&b, s);
    } else if (s->api == FETCH) {
        put_fetch(&b, s);
    } else if (s->api == METADATA) {
        put_metadata(&b, s);
    } else if (is_flexible(s)) {
        put_string(&b, true, "bench", 5);
        put_string(&b, true, "1", 1);
        put_tags(&b, true);
    }
    patch32(b.data, b.length - 4);
    return b;
}

/* Bytes before the length field of the records, and after the records. */
static void around(const Shape *s, size_t *before, size_t *after)
{
    bool flexible = is_flexible(s);
    size_t name = strlen(s->topic) + (flexible ? 1 : 2), count = flexible ? 1 : 4;
    *after = flexible ? 3 : 0;
    if (s->api == PRODUCE)
        *before = 4 + 2 + 2 + 4 + 3 + flexible + (flexible ? 1 : 2) + 2 + 4 + count + name + count + 4;
    else
        *before = 4 + 4 + flexible + 4 + 2 + 4 + count + name + count + 4 + 2 + 8 + 8 + 8 + count + 4;
}

size_t records_in(const Shape *s)
{
    size_t before, after;
    if (s->api != PRODUCE && s->api != FETCH)
        return 0;
    around(s, &before, &after);
    size_t left = s->frame > before + after + 5 ? s->frame - before - after : 5;
    return left - count_size(is_flexible(s), left);
}

size_t records_at(const Shape *s)
{
    size_t before, after;
    if (s->api != FETCH)
        return 0;
    around(s, &before, &after);
    return before + (is_flexible(s) ? uvarint_size(records_in(s) + 1) : 4);
}

size_t error_code_at(const Shape *s)
{
    bool flexible = is_flexible(s);
    size_t count = flexible ? 1 : 4;
    if (s->api != PRODUCE)
        return 0;
    return 4 + 4 + flexible + count + (flexible ? 1 : 2) + strlen(s->topic) + count + 4;
}

static bool exchange(int fd, Bytes *request, uint16_t *error)
{
    uint8_t head[4], body[4096];
    patch32(request->data, request->length - 4);
    if (send(fd, request->data, request->length, MSG_NOSIGNAL) != (ssize_t)request->length)
        return false;
    if (recv(fd, head, 4, MSG_WAITALL) != 4)
        return false;
    Reader r = {head, head + 4, false};
    size_t length = get32(&r);
    if (length < 6 || length > sizeof body)
        return false;
    if (recv(fd, body, length, MSG_WAITALL) != (ssize_t)length)
        return false;
    r = (Reader){body + 4, body + length, false};
    *error = get16(&r);
    return true;
}

bool authenticate(int fd, const char *user, const char *token)
{
    Bytes b = {0}, plain = {0};
    uint16_t error = 1;
    put_header(&b, SASL_HANDSHAKE, 1, false);
    put_string(&b, false, "PLAIN", 5);
    bool fine = exchange(fd, &b, &error) && !error;
    b.length = 0;
    put8(&plain, 0);
    put_raw(&plain, user, strlen(user));
    put8(&plain, 0);
    put_raw(&plain, token, strlen(token));
    put_header(&b, SASL_AUTHENTICATE, 1, false);
    put_count(&b, false, plain.length);
    put_raw(&b, plain.data, plain.length);
    fine = fine && exchange(fd, &b, &error) && !error;
    free(b.data);
    free(plain.data);
    return fine;
}
