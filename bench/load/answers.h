/* What the broker says: one answer to one request. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "common.h"

typedef struct {
    const char *topic;
    uint32_t partitions;
    uint16_t port;
} Cluster;

/* The start of a request frame, without its length. */
typedef struct {
    int api, version;
    uint32_t correlation;
    bool flexible;
    Reader body;
    /* Produce: where the records begin in the frame and how long they are. */
    size_t records_at, records;
    bool silent;                /* acks=0 */
    const uint8_t *topic;
    size_t topic_length;
    uint32_t partition;
} Request;

/* Read the header, and of a Produce request all but the records; false: not to be served. */
bool read_request(Request *request, const uint8_t *head, size_t length);

/* Append the answer: `out` up to `*split`, then `*bulk` bytes of payload, then the rest of `out`.
   `error` is the code to give for Produce. False: not to be served. */
bool answer(const Cluster *cluster, Request *request, uint16_t error, Bytes *out, size_t *split,
            size_t *bulk);

#endif
