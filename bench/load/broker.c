/* The broker: answers as Kafka does, and never waits for anybody. One thread, epoll. */
#define _GNU_SOURCE
#include "answers.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEAD = 512, PIECES = 64, EVENTS = 256 };
static const size_t LARGEST = 128u << 20;

/* What is to be sent: so many bytes of `out`, then so many of the payload. */
typedef struct {
    size_t small, bulk, bulk_at;
} Piece;

typedef struct {
    int fd;
    uint8_t head[HEAD];         /* start of the current frame, after its length */
    uint8_t size[4];
    size_t have, frame;         /* bytes of the current frame seen, length included; its length */
    bool parsed, damaged;
    Request request;
    Bytes out;
    size_t out_at;
    Piece pieces[PIECES];
    size_t first, count;
    bool blocked;
} Connection;

static uint8_t buffer[RECEIVE];
static Cluster cluster = {"t", 1, 0};
static bool check;
static int epoll_fd;

static void add_piece(Connection *c, size_t small, size_t bulk)
{
    if (c->count) {
        Piece *last = &c->pieces[(c->first + c->count - 1) % PIECES];
        if (!last->bulk) {
            last->small += small, last->bulk = bulk, last->bulk_at = BATCH_HEADER;
            return;
        }
    }
    c->pieces[(c->first + c->count++) % PIECES] = (Piece){small, bulk, BATCH_HEADER};
}

/* Point `vectors` at what comes next. */
static int next_vectors(Connection *c, struct iovec *vectors, int most)
{
    int n = 0;
    size_t at = c->out_at;
    for (size_t i = 0; i < c->count && n < most - 1; i++) {
        Piece *p = &c->pieces[(c->first + i) % PIECES];
        if (p->small)
            vectors[n++] = (struct iovec){c->out.data + at, p->small};
        at += p->small;
        size_t left = p->bulk, from = p->bulk_at % PERIOD;
        while (left && n < most) {
            size_t part = PERIOD - from < left ? PERIOD - from : left;
            vectors[n++] = (struct iovec){pattern + from, part};
            left -= part, from = 0;
        }
        if (left)
            break;
    }
    return n;
}

static void sent(Connection *c, size_t done)
{
    while (done) {
        Piece *p = &c->pieces[c->first];
        size_t part = p->small < done ? p->small : done;
        p->small -= part, c->out_at += part, done -= part;
        part = p->bulk < done ? p->bulk : done;
        p->bulk -= part, p->bulk_at += part, done -= part;
        if (!p->small && !p->bulk)
            c->first = (c->first + 1) % PIECES, c->count--;
    }
    if (!c->count)
        c->out.length = c->out_at = 0;
}

/* Send what waits; false: the peer is gone. */
static bool flush(Connection *c)
{
    struct iovec vectors[24];
    while (c->count) {
        struct msghdr message = {.msg_iov = vectors, .msg_iovlen = next_vectors(c, vectors, 24)};
        ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN)
                return false;
            break;
        }
        sent(c, n);
    }
    if (c->blocked != (c->count > 0)) {
        c->blocked = !c->blocked;
        uint32_t events = c->blocked ? EPOLLOUT : EPOLLIN;
        struct epoll_event event = {.events = events, .data.ptr = c};
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
    }
    return true;
}

static bool end_of_frame(Connection *c)
{
    Request *q = &c->request;
    c->have = 0, c->parsed = false; /* or bytes of the next length would be taken for this frame's */
    if (q->api == PRODUCE && q->silent)
        return true;
    if (c->count >= PIECES - 2 && !flush(c))
        return false;
    if (c->count >= PIECES - 2)
        return false;           /* more unread answers than any client of ours has in flight */
    size_t before = c->out.length, split, bulk;
    if (!answer(&cluster, q, c->damaged ? 87 : 0, &c->out, &split, &bulk))
        return false;
    add_piece(c, split - before, bulk);
    if (c->out.length > split)
        add_piece(c, c->out.length - split, 0);
    return true;
}

/* In checking mode: are these bytes of the frame (`at`: after its length) what was sent? */
static void inspect(Connection *c, const uint8_t *data, size_t length, size_t at)
{
    Request *q = &c->request;
    if (q->api != PRODUCE || at + length <= q->records_at)
        return;
    size_t skipped = at < q->records_at ? q->records_at - at : 0;
    data += skipped, length -= skipped, at += skipped;
    size_t offset = at - q->records_at;
    if (offset >= q->records)
        return;
    if (length > q->records - offset)
        length = q->records - offset;
    if (!is_payload(data, length, offset, q->records))
        c->damaged = true;
}

/* Take bytes of one frame; how many, or 0: close. */
static size_t take(Connection *c, const uint8_t *data, size_t length)
{
    if (c->have < 4) {
        size_t part = 4 - c->have < length ? 4 - c->have : length;
        memcpy(c->size + c->have, data, part);
        c->have += part;
        if (c->have == 4) {
            Reader r = {c->size, c->size + 4, false};
            c->frame = get32(&r);
            c->parsed = c->damaged = false;
            if (c->frame < 8 || c->frame > LARGEST)
                return 0;
        }
        return part;
    }
    size_t at = c->have - 4, left = c->frame - at;
    size_t part = left < length ? left : length;
    if (!c->parsed) {
        size_t wanted = c->frame < HEAD ? c->frame : HEAD;
        if (part > wanted - at)
            part = wanted - at;
        memcpy(c->head + at, data, part);
        if (at + part == wanted) {
            c->parsed = true;
            if (!read_request(&c->request, c->head, wanted))
                return 0;
            if (check)
                inspect(c, c->head, wanted, 0);
        }
    } else if (check) {
        inspect(c, data, part, at);
    }
    c->have += part;
    if (c->have == c->frame + 4 && !end_of_frame(c))
        return 0;
    return part;
}

/* Read once, answer what is complete; false: close. */
static bool on_readable(Connection *c)
{
    size_t left = c->parsed && c->have ? c->frame + 4 - c->have : 0;
    if (left > BULK && !check) {
        ssize_t n = recv(c->fd, NULL, left - 1, MSG_TRUNC);
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        c->have += n;
        return true;
    }
    ssize_t n = recv(c->fd, buffer, RECEIVE, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    for (size_t at = 0; at < (size_t)n;) {
        size_t part = take(c, buffer + at, n - at);
        if (!part)
            return false;
        at += part;
    }
    return flush(c);
}

static void accept_all(int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        Connection *c = calloc(1, sizeof *c);
        if (!c)
            die("calloc");
        c->fd = fd;
        set_nodelay(fd);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
            die("epoll_ctl");
    }
}

static int listen_on(uint16_t port)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, 4096))
        die("listen");
    getsockname(fd, (struct sockaddr *)&address, &length);
    cluster.port = ntohs(address.sin_port);
    return fd;
}

int broker_main(int argc, char **argv)
{
    uint16_t port = 0;
    for (int option; (option = getopt(argc, argv, "l:n:t:x")) != -1;) {
        if (option == 'l')
            port = atoi(optarg);
        else if (option == 'n')
            cluster.partitions = atoi(optarg);
        else if (option == 't')
            cluster.topic = optarg;
        else if (option == 'x')
            check = true;
        else
            return 2;
    }
    raise_file_limit();
    make_pattern();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event))
        die("epoll_ctl");
    printf("%d\n", cluster.port);
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            Connection *c = events[i].data.ptr;
            if (!c) {
                accept_all(listener);
                continue;
            }
            bool alive = events[i].events & EPOLLOUT ? flush(c) : on_readable(c);
            if (!alive) {
                close(c->fd);
                free(c->out.data);
                free(c);
            }
        }
    }
}
