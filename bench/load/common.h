/* What both ends of the load need: growing buffers, Kafka's primitives, the payload, clocks. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PRODUCE = 0, FETCH = 1, METADATA = 3, SASL_HANDSHAKE = 17, API_VERSIONS = 18, SASL_AUTHENTICATE = 36 };

enum {
    BATCH_HEADER = 61,          /* bytes of a record batch before its records */
    PERIOD = 1 << 20,           /* bytes after which the payload repeats */
    BULK = 64 * 1024,           /* a rest this long is discarded in the kernel */
    RECEIVE = 256 * 1024,       /* bytes asked for at once */
};

typedef struct {
    uint8_t *data;
    size_t length, capacity;
} Bytes;

void put_raw(Bytes *b, const void *data, size_t length);
void put8(Bytes *b, uint8_t value);
void put16(Bytes *b, uint16_t value);
void put32(Bytes *b, uint32_t value);
void put64(Bytes *b, uint64_t value);
void put_uvarint(Bytes *b, uint32_t value);
/* A string, array length or byte array length in the spelling of the version. */
void put_string(Bytes *b, bool flexible, const void *text, size_t length);
void put_count(Bytes *b, bool flexible, uint32_t count);
void put_tags(Bytes *b, bool flexible);
void patch32(uint8_t *at, uint32_t value);

/* Reads forwards; after the end, or a length that cannot be, `bad` is set and all is 0. */
typedef struct {
    const uint8_t *at, *end;
    bool bad;
} Reader;

uint32_t get8(Reader *r);
uint32_t get16(Reader *r);
uint32_t get32(Reader *r);
uint32_t get_uvarint(Reader *r);
void skip(Reader *r, size_t length);
/* Length of a string (null: 0), and where it is; the reader steps over it. */
size_t get_string(Reader *r, bool flexible, const uint8_t **text);
uint32_t get_count(Reader *r, bool flexible);

/* The payload: byte i of the records of every Produce request and Fetch response. */
extern uint8_t pattern[PERIOD];
void make_pattern(void);
void batch_header(uint8_t out[BATCH_HEADER], size_t records);
/* Whether `length` bytes are those at `offset` in records that are `records` long. */
bool is_payload(const uint8_t *data, size_t length, size_t offset, size_t records);

uint64_t now_ns(void);
void die(const char *what);
void raise_file_limit(void);
int set_nodelay(int fd);

int broker_main(int argc, char **argv);
int client_main(int argc, char **argv);

#endif
