/* A machine whose wall clock is stepped and whose disk is full when a file says so; preloaded into a server.
 *
 * MACHINE_FILE holds two 64-bit integers: nanoseconds to add to the wall clock, and whether files below MACHINE_DISK
 * cannot grow. The monotonic clock is left alone, as a step leaves it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct machine {
    volatile int64_t step_ns;
    volatile int64_t full;
};
static struct machine well;
static struct machine *machine = &well;
static const char *disk;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("MACHINE_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof *machine, PROT_READ, MAP_SHARED, file, 0);
    if (found != MAP_FAILED) machine = found;
    close(file);
    disk = getenv("MACHINE_DISK");
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t which, struct timespec *at) {
    static __typeof__(&clock_gettime) real;
    if (!real) real = REAL(clock_gettime);
    int failed = real(which, at);
    if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        int64_t ns = at->tv_sec * INT64_C(1000000000) + at->tv_nsec + machine->step_ns;
        at->tv_sec = ns / 1000000000;
        at->tv_nsec = ns % 1000000000;
    }
    return failed;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec exact;
    (void)zone;
    int failed = clock_gettime(CLOCK_REALTIME, &exact);
    at->tv_sec = exact.tv_sec;
    at->tv_usec = exact.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *out) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (out) *out = exact.tv_sec;
    return exact.tv_sec;
}

/* What has its place on the disk may be written again. */
static int is_full(int file, off64_t until) {
    char link[64], path[4096];
    struct stat found;
    if (!machine->full || !disk || fstat(file, &found) || until <= found.st_size) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return !strncmp(path, disk, strlen(disk));
}

#define REFUSE(file, until) if (is_full(file, until)) { errno = ENOSPC; return -1; }

static off64_t sum(const struct iovec *parts, int count) {
    off64_t size = 0;
    for (int part = 0; part < count; part++) size += parts[part].iov_len;
    return size;
}

ssize_t write(int file, const void *data, size_t size) {
    static __typeof__(&write) real;
    if (!real) real = REAL(write);
    REFUSE(file, lseek64(file, 0, SEEK_CUR) + (off64_t)size)
    return real(file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    static __typeof__(&pwrite) real;
    if (!real) real = REAL(pwrite);
    REFUSE(file, at + (off64_t)size)
    return real(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    static __typeof__(&pwrite64) real;
    if (!real) real = REAL(pwrite64);
    REFUSE(file, at + (off64_t)size)
    return real(file, data, size, at);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
    static __typeof__(&pwritev) real;
    if (!real) real = REAL(pwritev);
    REFUSE(file, at + sum(parts, count))
    return real(file, parts, count, at);
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
    static __typeof__(&pwritev64) real;
    if (!real) real = REAL(pwritev64);
    REFUSE(file, at + sum(parts, count))
    return real(file, parts, count, at);
}

int posix_fallocate(int file, off_t at, off_t size) {
    static __typeof__(&posix_fallocate) real;
    if (!real) real = REAL(posix_fallocate);
    if (is_full(file, at + size)) return ENOSPC;
    return real(file, at, size);
}

int posix_fallocate64(int file, off64_t at, off64_t size) {
    static __typeof__(&posix_fallocate64) real;
    if (!real) real = REAL(posix_fallocate64);
    if (is_full(file, at + size)) return ENOSPC;
    return real(file, at, size);
}
