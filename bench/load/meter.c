#define _GNU_SOURCE
#include "meter.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int bucket(uint64_t value)
{
    if (value < 64)
        return value;
    int octave = 63 - __builtin_clzll(value);
    return (octave - 5) * 64 + (int)((value >> (octave - 6)) & 63);
}

static double middle(int index)
{
    if (index < 64)
        return index;
    int octave = index / 64 + 5;
    double step = (double)(1ull << (octave - 6));
    return (double)(1ull << octave) + (index % 64 + 0.5) * step;
}

void note(Histogram *h, uint64_t ns)
{
    h->counts[bucket(ns)]++;
    h->total++;
    if (ns > h->largest)
        h->largest = ns;
}

double quantile_us(const Histogram *h, double q)
{
    uint64_t wanted = (uint64_t)(q * (double)h->total), seen = 0;
    for (int i = 0; i < BUCKETS; i++) {
        seen += h->counts[i];
        if (seen > wanted) {
            double value = middle(i), most = (double)h->largest;
            return (value < most ? value : most) / 1000;
        }
    }
    return (double)h->largest / 1000;
}

uint64_t cpu_of(int pid)
{
    char path[300];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return 0;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.')
            continue;
        unsigned long long ns;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        if (fscanf(file, "%llu", &ns) == 1)
            sum += ns;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

uint64_t cpu_busy(void)
{
    unsigned long long user, nice, sys, idle, wait, irq, soft, steal;
    FILE *file = fopen("/proc/stat", "r");
    if (!file)
        return 0;
    int n = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &sys, &idle,
                   &wait, &irq, &soft, &steal);
    fclose(file);
    if (n != 8)
        return 0;
    return (user + nice + sys + irq + soft + steal) * (1000000000ull / sysconf(_SC_CLK_TCK));
}
