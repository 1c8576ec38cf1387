/*
 * Preloaded (LD_PRELOAD) into a server under test; never part of a build. It stands between the program and
 * the system and does three things that a test cannot do from outside:
 *
 *   1. It writes down, with a running number, when a marked callback arrives on a socket, when its mark is written
 *      to a file, when that file is synced, and when the 200 goes out. A kill cannot show this: what was not synced
 *      survives a kill.
 *   2. It makes writing or syncing files of a certain name fail, as a broken or full disk does, or syncing them slow.
 *   3. It moves the clock of the wall. The clock that only runs forward stays as it is.
 *
 * SHIM_CONTROL names a file of `struct control`, mapped into memory: the test changes it while the program runs.
 * SHIM_LOG names the file to write down into; SHIM_MARK the words with which every mark begins.
 *
 * The real work is done by system calls, so that nothing has to be looked up before the first call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MARK_DIGITS 12
#define MOST_DESCRIPTORS 4096

struct control {
    volatile int64_t clock_offset; /* seconds */
    volatile int64_t write_errno;  /* 0: writing works */
    volatile int64_t sync_errno;   /* 0: syncing works */
    volatile char pattern[64];     /* files whose path contains this; empty: none */
    volatile int64_t sync_delay;   /* microseconds that syncing such a file takes longer */
};

static struct control nothing;
static struct control *control = &nothing;
static int journal = -1;
static char mark[32];
static atomic_long running = 1;
/* The last mark that came in on each socket: the 200 on it answers that one. */
static char last_mark[MOST_DESCRIPTORS][sizeof mark + MARK_DIGITS];

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SHIM_CONTROL"), *log = getenv("SHIM_LOG"), *words = getenv("SHIM_MARK");
    if (path != NULL) {
        int file = open(path, O_RDWR | O_CLOEXEC);
        void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ, MAP_SHARED, file, 0);
        if (mapped == MAP_FAILED)
            abort();
        control = mapped;
        close(file);
    }
    if (log != NULL && words != NULL) {
        strncpy(mark, words, sizeof mark - 1);
        journal = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (journal < 0)
            abort();
    }
}

/* One line: number, what, which mark or file. The number is taken by the caller, at the moment that counts. */
static void note(long number, const char *what, const char *which)
{
    char line[PATH_MAX + 64];
    int keep = errno, length = snprintf(line, sizeof line, "%ld %s %s\n", number, what, which);
    if (length > 0)
        syscall(SYS_write, journal, line, (size_t)length);
    errno = keep;
}

/* The path behind a descriptor; false for sockets, pipes and what cannot be told. */
static int path_of(int file, char *path, size_t size)
{
    char link[48];
    int keep = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
    errno = keep;
    if (length <= 0 || path[0] != '/')
        return 0;
    path[length] = 0;
    return 1;
}

static int is_meant(const char *path)
{
    return control->pattern[0] != 0 && strstr(path, (const char *)control->pattern) != NULL;
}

static int is_to_fail(int64_t error, const char *path)
{
    if (error == 0 || !is_meant(path))
        return 0;
    if (journal >= 0)
        note(atomic_fetch_add(&running, 1), "failed", path);
    errno = (int)error;
    return 1;
}

/* The next mark: the words, then twelve digits. Returns where to look on. */
static const char *find_mark(const void *bytes, size_t length, char *found)
{
    size_t words = strlen(mark), whole = words + MARK_DIGITS;
    const char *from = bytes, *end = from + length, *at;
    while (words > 0 && (at = memmem(from, (size_t)(end - from), mark, words)) != NULL && at + whole <= end) {
        memcpy(found, at, whole);
        found[whole] = 0;
        from = at + words;
        if (strspn(found + words, "0123456789") == MARK_DIGITS)
            return from;
    }
    return NULL;
}

/* Every mark among bytes that were written to a file. */
static void note_marks(const char *path, const void *bytes, size_t length)
{
    char found[sizeof mark + MARK_DIGITS], line[PATH_MAX + sizeof found];
    const char *from = bytes, *end = from + length;
    while ((from = find_mark(from, (size_t)(end - from), found)) != NULL) {
        snprintf(line, sizeof line, "%s %s", found, path);
        note(atomic_fetch_add(&running, 1), "written", line);
    }
}

static int before_write(int file, char *path)
{
    if ((journal < 0 && control->write_errno == 0) || file == journal || !path_of(file, path, PATH_MAX)) {
        path[0] = 0;
        return 1;
    }
    return !is_to_fail(control->write_errno, path);
}

static ssize_t after_write(ssize_t written, const char *path, const void *bytes)
{
    if (written > 0 && journal >= 0 && path[0] != 0)
        note_marks(path, bytes, (size_t)written);
    return written;
}

static void before_answer(int file, const void *bytes, size_t length)
{
    if (journal < 0 || file < 0 || file >= MOST_DESCRIPTORS || last_mark[file][0] == 0)
        return;
    if (length >= 12 && memcmp(bytes, "HTTP/1.1 200", 12) == 0)
        note(atomic_fetch_add(&running, 1), "answered", last_mark[file]);
    last_mark[file][0] = 0;
}

static ssize_t after_arrival(int file, const void *bytes, ssize_t length)
{
    char found[sizeof mark + MARK_DIGITS];
    if (journal < 0 || length <= 0 || file >= MOST_DESCRIPTORS || !find_mark(bytes, (size_t)length, found))
        return length;
    strcpy(last_mark[file], found);
    note(atomic_fetch_add(&running, 1), "arrived", found);
    return length;
}

static int sync_by(long call, int file)
{
    char path[PATH_MAX];
    int idle = journal < 0 && control->sync_errno == 0 && control->sync_delay == 0;
    if (idle || !path_of(file, path, sizeof path))
        return (int)syscall(call, file);
    if (control->sync_delay > 0 && is_meant(path))
        usleep((useconds_t)control->sync_delay);
    if (is_to_fail(control->sync_errno, path))
        return -1;
    if (journal >= 0)
        note(atomic_fetch_add(&running, 1), "syncing", path);
    int result = (int)syscall(call, file);
    if (journal >= 0 && result == 0)
        note(atomic_fetch_add(&running, 1), "synced", path);
    return result;
}

int fsync(int file) { return sync_by(SYS_fsync, file); }

int fdatasync(int file) { return sync_by(SYS_fdatasync, file); }

ssize_t write(int file, const void *bytes, size_t length)
{
    char path[PATH_MAX];
    if (!before_write(file, path))
        return -1;
    if (path[0] == 0)
        before_answer(file, bytes, length);
    return after_write(syscall(SYS_write, file, bytes, length), path, bytes);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at)
{
    char path[PATH_MAX];
    if (!before_write(file, path))
        return -1;
    return after_write(syscall(SYS_pwrite64, file, bytes, length, at), path, bytes);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return pwrite64(file, bytes, length, at); }

ssize_t writev(int file, const struct iovec *parts, int count)
{
    char path[PATH_MAX];
    if (!before_write(file, path))
        return -1;
    if (path[0] == 0 && count > 0)
        before_answer(file, parts[0].iov_base, parts[0].iov_len);
    ssize_t written = syscall(SYS_writev, file, parts, count);
    for (int part = 0; written > 0 && part < count; part++)
        after_write((ssize_t)parts[part].iov_len, path, parts[part].iov_base);
    return written;
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at)
{
    char path[PATH_MAX];
    if (!before_write(file, path))
        return -1;
    return syscall(SYS_pwritev, file, parts, count, at, 0);
}

ssize_t send(int file, const void *bytes, size_t length, int flags)
{
    before_answer(file, bytes, length);
    return syscall(SYS_sendto, file, bytes, length, flags, NULL, 0);
}

ssize_t recv(int file, void *bytes, size_t length, int flags)
{
    return after_arrival(file, bytes, syscall(SYS_recvfrom, file, bytes, length, flags, NULL, NULL));
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += (time_t)control->clock_offset;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec time;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &time) == 0) {
        now->tv_sec = time.tv_sec;
        now->tv_usec = time.tv_nsec / 1000;
    }
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
