/* Latencies and processor time. */
#ifndef METER_H
#define METER_H

#include "common.h"

enum { BUCKETS = 64 * 64 };

/* Logarithmic buckets of 64 steps an octave: values are right within 1.6 %. */
typedef struct {
    uint64_t counts[BUCKETS], total, largest;
} Histogram;

void note(Histogram *h, uint64_t ns);
double quantile_us(const Histogram *h, double q);

/* Nanoseconds on a processor, all threads; what the kernel's scheduler accounts. */
uint64_t cpu_of(int pid);
/* Nanoseconds that the machine's processors were not idle (kernel ticks: steps of 10 ms). */
uint64_t cpu_busy(void);

#endif
