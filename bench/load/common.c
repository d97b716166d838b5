#define _GNU_SOURCE
#include "common.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

uint8_t pattern[PERIOD];

void put_raw(Bytes *b, const void *data, size_t length)
{
    if (b->length + length > b->capacity) {
        b->capacity = (b->length + length) * 2 + 256;
        b->data = realloc(b->data, b->capacity);
        if (!b->data)
            die("realloc");
    }
    memcpy(b->data + b->length, data, length);
    b->length += length;
}

void patch32(uint8_t *at, uint32_t value)
{
    at[0] = value >> 24, at[1] = value >> 16, at[2] = value >> 8, at[3] = value;
}

void put8(Bytes *b, uint8_t value) { put_raw(b, &value, 1); }

void put16(Bytes *b, uint16_t value)
{
    uint8_t raw[2] = {value >> 8, value};
    put_raw(b, raw, 2);
}

void put32(Bytes *b, uint32_t value)
{
    uint8_t raw[4];
    patch32(raw, value);
    put_raw(b, raw, 4);
}

void put64(Bytes *b, uint64_t value)
{
    put32(b, value >> 32);
    put32(b, value);
}

void put_uvarint(Bytes *b, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        put8(b, value | 0x80);
    put8(b, value);
}

void put_string(Bytes *b, bool flexible, const void *text, size_t length)
{
    if (flexible)
        put_uvarint(b, length + 1);
    else
        put16(b, length);
    put_raw(b, text, length);
}

void put_count(Bytes *b, bool flexible, uint32_t count)
{
    if (flexible)
        put_uvarint(b, count + 1);
    else
        put32(b, count);
}

void put_tags(Bytes *b, bool flexible)
{
    if (flexible)
        put8(b, 0);
}

static uint32_t get(Reader *r, size_t size)
{
    uint32_t value = 0;
    if ((size_t)(r->end - r->at) < size) {
        r->bad = true;
        r->at = r->end;
        return 0;
    }
    while (size--)
        value = value << 8 | *r->at++;
    return value;
}

uint32_t get8(Reader *r) { return get(r, 1); }
uint32_t get16(Reader *r) { return get(r, 2); }
uint32_t get32(Reader *r) { return get(r, 4); }

uint32_t get_uvarint(Reader *r)
{
    uint32_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        uint32_t byte = get8(r);
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    r->bad = true;
    return 0;
}

void skip(Reader *r, size_t length)
{
    if ((size_t)(r->end - r->at) < length) {
        r->bad = true;
        length = r->end - r->at;
    }
    r->at += length;
}

size_t get_string(Reader *r, bool flexible, const uint8_t **text)
{
    int32_t length = flexible ? (int32_t)get_uvarint(r) - 1 : (int16_t)get16(r);
    if (length < 0)
        length = 0;
    if (text)
        *text = r->at;
    skip(r, length);
    return length;
}

uint32_t get_count(Reader *r, bool flexible)
{
    uint32_t count = flexible ? get_uvarint(r) : get32(r);
    return flexible && count ? count - 1 : count;
}

void make_pattern(void)
{
    uint64_t state = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < PERIOD; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        pattern[i] = state >> 24;
    }
}

/* One batch of one record, magic 2, without a producer id. The CRC is not that of the bytes. */
void batch_header(uint8_t out[BATCH_HEADER], size_t records)
{
    memset(out, 0, BATCH_HEADER);
    patch32(out + 8, records > 12 ? records - 12 : 0);
    out[16] = 2;
    patch32(out + 17, 0x1234abcd);
    memset(out + 43, 0xff, 8 + 2 + 4);
    out[60] = 1;
}

bool is_payload(const uint8_t *data, size_t length, size_t offset, size_t records)
{
    uint8_t header[BATCH_HEADER];
    if (offset < BATCH_HEADER && length) {
        size_t part = BATCH_HEADER - offset < length ? BATCH_HEADER - offset : length;
        batch_header(header, records);
        if (memcmp(data, header + offset, part))
            return false;
        data += part, offset += part, length -= part;
    }
    while (length) {
        size_t start = offset % PERIOD;
        size_t part = PERIOD - start < length ? PERIOD - start : length;
        if (memcmp(data, pattern + start, part))
            return false;
        data += part, offset += part, length -= part;
    }
    return true;
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void die(const char *what)
{
    perror(what);
    exit(1);
}

void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int set_nodelay(int fd)
{
    int one = 1;
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}
