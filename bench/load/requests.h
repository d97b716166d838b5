/* What the client says, and where the error code is in what it hears. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "common.h"

typedef struct {
    int api, version;
    const char *topic;
    size_t frame;               /* bytes on the wire of a Produce request or Fetch response */
} Shape;

/* The whole frame, length included; its correlation id is to be patched in at byte 8. */
Bytes make_request(const Shape *shape);
/* Where a Produce response has its error code and a Fetch response its records, from the start
   of the frame, length included; 0: neither. */
size_t error_code_at(const Shape *shape);
size_t records_at(const Shape *shape);
/* Bytes of records in a Produce request or Fetch response of this shape. */
size_t records_in(const Shape *shape);
/* Handshake and authentication (SASL/PLAIN), before anything else; false: refused. */
bool authenticate(int fd, const char *user, const char *token);

#endif
