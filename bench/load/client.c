/* The client: producers or consumers, as fast as they are answered, or at a fixed rate. */
#define _GNU_SOURCE
#include "common.h"
#include "meter.h"
#include "requests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 160, WAITING = 4096, EVENTS = 256, CODES = 128, MOST_PIDS = 16 };

typedef struct {
    int fd;
    uint32_t first, next;       /* correlation ids: of the oldest unanswered, of the next */
    uint64_t *began;            /* by correlation id modulo WAITING: when it was, or was due */
    uint32_t due;               /* correlation id after the last that was due (fixed rate) */
    uint8_t start[12];          /* of the frame being sent */
    size_t sent;                /* bytes of it sent; 0: none is */
    bool blocked;
    size_t have, frame;         /* bytes of the current response seen, length included; its size */
    uint8_t head[HEAD];
} Connection;

static struct {
    const char *host;
    int port, connections, depth;
    double seconds, warmup, rate;
    const char *user, *token;
    bool check;
    int pids[MOST_PIDS], pid_count;
    Shape shape;
} options = {"127.0.0.1", 0, 1, 1, 0.4, 0.1, 0, "sa", NULL, false, {0}, 0, {PRODUCE, 9, "t", 1024}};

static uint8_t buffer[RECEIVE];
static Bytes request;
static size_t error_at, payload_at, payload;
static int epoll_fd;
static bool counting, stopping;
static Histogram latencies;
static uint64_t requests, bytes, errors[CODES], other_errors, damaged;
static const char *fault;

static void failed(const char *why)
{
    if (!fault)
        fault = why;
    stopping = true;
}

static void watch(Connection *c, bool blocked)
{
    if (c->blocked == blocked)
        return;
    c->blocked = blocked;
    struct epoll_event event = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static bool may_begin(const Connection *c)
{
    if (stopping)
        return false;
    uint32_t in_flight = c->next - c->first;
    return options.rate > 0 ? c->next != c->due && in_flight < WAITING
                            : in_flight < (uint32_t)options.depth;
}

/* Send until there is nothing to send or no room for it: one sendmsg a frame. */
static void send_frames(Connection *c)
{
    while (c->sent || may_begin(c)) {
        if (!c->sent) {
            memcpy(c->start, request.data, 12);
            patch32(c->start + 8, c->next);
            if (options.rate <= 0)
                c->began[c->next % WAITING] = now_ns();
        }
        size_t at = c->sent < 12 ? 12 : c->sent;
        struct iovec vectors[2] = {
            {c->start + (c->sent < 12 ? c->sent : 12), c->sent < 12 ? 12 - c->sent : 0},
            {request.data + at, request.length - at},
        };
        struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
        ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            failed("connection lost while sending");
            return;
        }
        if (n > 0)
            c->sent += n;
        if (c->sent < request.length) {
            watch(c, true);
            return;
        }
        c->sent = 0;
        c->next++;
    }
    watch(c, false);
}

static void answered(Connection *c, uint64_t now)
{
    Reader r = {c->head + 4, c->head + 8, false};
    if (get32(&r) != c->first || c->first == c->next) {
        failed("a response is out of order");
        return;
    }
    if (counting) {
        note(&latencies, now - c->began[c->first % WAITING]);
        requests++;
        bytes += request.length + c->frame;
        if (error_at) {
            r = (Reader){c->head + error_at, c->head + HEAD, false};
            uint32_t code = get16(&r);
            if (code < CODES)
                errors[code] += code != 0;
            else
                other_errors++;
        }
    }
    if (options.shape.api == FETCH && c->frame != options.shape.frame) {
        failed("a Fetch response has not the length asked for");
        return;
    }
    c->first++;
    c->have = 0;
}

static void inspect(const uint8_t *data, size_t length, size_t at)
{
    if (!payload_at || at + length <= payload_at)
        return;
    size_t skipped = at < payload_at ? payload_at - at : 0;
    data += skipped, length -= skipped, at += skipped;
    size_t offset = at - payload_at;
    if (offset >= payload)
        return;
    if (length > payload - offset)
        length = payload - offset;
    damaged += !is_payload(data, length, offset, payload);
}

static void take(Connection *c, const uint8_t *data, size_t length, uint64_t now)
{
    while (length && !fault) {
        size_t part = (c->have < 4 ? 4 : c->frame) - c->have;
        if (part > length)
            part = length;
        if (c->have < HEAD)
            memcpy(c->head + c->have, data, part < HEAD - c->have ? part : HEAD - c->have);
        if (options.check)
            inspect(data, part, c->have);
        c->have += part, data += part, length -= part;
        if (c->have == 4) {
            Reader r = {c->head, c->head + 4, false};
            c->frame = (size_t)get32(&r) + 4;
            if (c->frame < 8 || c->frame > 256u << 20) {
                failed("a response has an impossible length");
                return;
            }
        } else if (c->have > 4 && c->have == c->frame) {
            answered(c, now);
        }
    }
}

static void on_readable(Connection *c)
{
    size_t left = c->have >= 4 ? c->frame - c->have : 0;
    if (left > BULK && c->have >= HEAD && !options.check) {
        ssize_t n = recv(c->fd, NULL, left - 1, MSG_TRUNC);
        if (n > 0)
            c->have += n;
        else if (n == 0 || errno != EAGAIN)
            failed("connection lost");
        return;
    }
    ssize_t n = recv(c->fd, buffer, RECEIVE, 0);
    if (n > 0)
        take(c, buffer, n, now_ns());
    else if (n == 0 || errno != EAGAIN)
        failed("connection lost");
    if (!fault)
        send_frames(c);
}

static void open_connection(Connection *c)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    inet_pton(AF_INET, options.host, &address.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->began = calloc(WAITING, sizeof *c->began);
    if (c->fd < 0 || !c->began || connect(c->fd, (struct sockaddr *)&address, sizeof address))
        die("connect");
    set_nodelay(c->fd);
    struct timeval patience = {10, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (options.token && !authenticate(c->fd, options.user, options.token)) {
        fprintf(stderr, "authentication was refused\n");
        exit(1);
    }
}

/* The requests of a fixed rate that are due by now go to the connections in turn; then the timer
   is set to when the next is due. */
static void schedule(Connection *all, int timer, uint64_t began, uint64_t now, uint64_t *made)
{
    uint64_t due;
    for (; (due = began + (uint64_t)((double)*made * 1e9 / options.rate)) <= now; ++*made) {
        Connection *c = &all[*made % options.connections];
        if (c->due - c->first >= WAITING) {
            failed("the rate is more than can be served");
            return;
        }
        c->began[c->due++ % WAITING] = due;
        send_frames(c);
    }
    struct itimerspec spec = {{0, 0}, {due / 1000000000, due % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int make_timer(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &event);
    return timer;
}

/* Serve events until `end`. */
static void run(Connection *all, int timer, uint64_t began, uint64_t *made, uint64_t end)
{
    struct epoll_event events[EVENTS];
    for (uint64_t now; (now = now_ns()) < end && !fault;) {
        if (options.rate > 0)
            schedule(all, timer, began, now, made);
        int n = epoll_wait(epoll_fd, events, EVENTS, 50);
        for (int i = 0; i < n && !fault; i++) {
            Connection *c = events[i].data.ptr;
            if (!c) {
                uint64_t ticks;
                if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
                    die("timerfd");
                continue;
            }
            if (events[i].events & ~EPOLLOUT)
                on_readable(c);
            if (events[i].events & EPOLLOUT && !fault)
                send_frames(c);
        }
    }
}

static uint64_t own_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void print(double seconds, const uint64_t *cpu, uint64_t own, uint64_t busy)
{
    printf("{\"requests\": %llu, \"seconds\": %.6f, \"bytes\": %llu", (unsigned long long)requests,
           seconds, (unsigned long long)bytes);
    printf(", \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f",
           quantile_us(&latencies, 0.5), quantile_us(&latencies, 0.99),
           quantile_us(&latencies, 0.999), (double)latencies.largest / 1000);
    printf(", \"errors\": {");
    const char *comma = "";
    for (int code = 1; code < CODES; code++) {
        if (errors[code])
            printf("%s\"%d\": %llu", comma, code, (unsigned long long)errors[code]), comma = ", ";
    }
    if (other_errors)
        printf("%s\"other\": %llu", comma, (unsigned long long)other_errors);
    printf("}, \"damaged\": %llu, \"cpu_ns\": {", (unsigned long long)damaged);
    for (int i = 0; i < options.pid_count; i++)
        printf("%s\"%d\": %llu", i ? ", " : "", options.pids[i], (unsigned long long)cpu[i]);
    printf("}, \"own_cpu_ns\": %llu, \"busy_ns\": %llu", (unsigned long long)own,
           (unsigned long long)busy);
    if (fault)
        printf(", \"fault\": \"%s\"}\n", fault);
    else
        printf(", \"fault\": null}\n");
}

static int api_by_name(const char *name)
{
    if (strcmp(name, "produce") == 0)
        return PRODUCE;
    if (strcmp(name, "fetch") == 0)
        return FETCH;
    return strcmp(name, "metadata") == 0 ? METADATA : API_VERSIONS;
}

static void set_option(int option, const char *value)
{
    switch (option) {
    case 'a': options.shape.api = api_by_name(value); break;
    case 'v': options.shape.version = atoi(value); break;
    case 'f': options.shape.frame = strtoul(value, NULL, 10); break;
    case 't': options.shape.topic = value; break;
    case 'c': options.connections = atoi(value); break;
    case 'd': options.depth = atoi(value); break;
    case 's': options.seconds = atof(value); break;
    case 'w': options.warmup = atof(value); break;
    case 'r': options.rate = atof(value); break;
    case 'p': options.port = atoi(value); break;
    case 'u': options.user = value; break;
    case 'k': options.token = value; break;
    case 'x': options.check = true; break;
    case 'i':
        if (options.pid_count < MOST_PIDS)
            options.pids[options.pid_count++] = atoi(value);
        break;
    default: exit(2);
    }
}

static void prepare(Connection *all)
{
    make_pattern();
    request = make_request(&options.shape);
    error_at = error_code_at(&options.shape);
    payload_at = records_at(&options.shape);
    payload = records_in(&options.shape);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options.connections; i++) {
        open_connection(&all[i]);
        fcntl(all[i].fd, F_SETFL, fcntl(all[i].fd, F_GETFL) | O_NONBLOCK);
    }
}

int client_main(int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "a:v:f:t:c:d:s:w:r:p:u:k:xi:")) != -1;)
        set_option(option, optarg);
    if (!options.port || options.connections < 1 || options.depth < 1 || options.depth > WAITING
        || strlen(options.shape.topic) > 100)
        return 2;
    raise_file_limit();
    Connection *all = calloc(options.connections, sizeof *all);
    if (!all)
        die("calloc");
    prepare(all);
    int timer = make_timer();
    uint64_t made = 0, began = now_ns();
    for (int i = 0; i < options.connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, all[i].fd, &event))
            die("epoll_ctl");
        if (!fault)
            send_frames(&all[i]);
    }
    run(all, timer, began, &made, began + (uint64_t)(options.warmup * 1e9));
    uint64_t cpu[MOST_PIDS], busy = cpu_busy(), own = own_cpu(), start = now_ns();
    for (int i = 0; i < options.pid_count; i++)
        cpu[i] = cpu_of(options.pids[i]);
    counting = true;
    run(all, timer, began, &made, start + (uint64_t)(options.seconds * 1e9));
    uint64_t end = now_ns();
    for (int i = 0; i < options.pid_count; i++)
        cpu[i] = cpu_of(options.pids[i]) - cpu[i];
    print((double)(end - start) / 1e9, cpu, own_cpu() - own, cpu_busy() - busy);
    return fault ? 1 : 0;
}
