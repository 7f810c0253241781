/* Between a program of ours and the system: counts the calls that it makes about files of one folder, and has the one of a given number fail,
 * or kills the process at it. Loaded with LD_PRELOAD, by the fault drill alone; no program of ours knows of it.
 *
 * strace can do this, too, but counts the calls of each thread for itself, and can't tell a file from the pipe with which a runtime wakes its
 * own threads. Here number N is the same call each time, and every call is hit.
 *
 * What is to fail stands in a file that the drill writes and that is mapped here (FAULT_CONTROL), below the folder FAULT_ROOT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct control {
    _Atomic long calls;    /* since the drill set it to 0 */
    _Atomic long fire_at;  /* the call that fails; 0: none */
    _Atomic long error;    /* its errno; -1: the process is killed instead */
    _Atomic long fired;    /* 1 once it has */
    _Atomic long resynced; /* syncs of a descriptor whose sync has failed */
    _Atomic long sockets;  /* 1: what is written into sockets counts, too: each word to Postgres, each reply */
    char name[64];         /* which call it was */
};

static struct control *control;
static const char *root;
static size_t root_length;
static _Atomic long failed_sync = -1; /* a descriptor */

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULT_CONTROL");
    root = getenv("FAULT_ROOT");
    unsetenv("LD_PRELOAD");
    if (!path || !root) return;
    root_length = strlen(root);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) control = mapped;
}

static int is_ours(const char *path) {
    return control && path && strncmp(path, root, root_length) == 0;
}

static int is_ours_open(int descriptor) {
    char link[64], path[4096];
    if (!control) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, "socket:", 7) == 0) return atomic_load(&control->sockets) == 1;
    return is_ours(path);
}

/* Whether this call fails; then errno says why. */
static int fails(const char *name) {
    long call = atomic_fetch_add(&control->calls, 1) + 1;
    if (call != atomic_load(&control->fire_at)) return 0;
    strncpy(control->name, name, sizeof control->name - 1);
    atomic_store(&control->fired, 1);
    long error = atomic_load(&control->error);
    if (error < 0) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    errno = (int)error;
    return 1;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define MODE(flags, last) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, last); mode = va_arg(more, mode_t); va_end(more); }

int open64(const char *path, int flags, ...) {
    REAL(int, "open64", const char *, int, ...);
    MODE(flags, flags)
    if (is_ours(path) && fails("open")) return -1;
    return real(path, flags, mode);
}
int open(const char *path, int flags, ...) {
    REAL(int, "open", const char *, int, ...);
    MODE(flags, flags)
    if (is_ours(path) && fails("open")) return -1;
    return real(path, flags, mode);
}
ssize_t write(int file, const void *bytes, size_t count) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (is_ours_open(file) && fails("write")) return -1;
    return real(file, bytes, count);
}
ssize_t writev(int file, const struct iovec *pieces, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (is_ours_open(file) && fails("writev")) return -1;
    return real(file, pieces, count);
}
ssize_t send(int file, const void *bytes, size_t count, int flags) {
    REAL(ssize_t, "send", int, const void *, size_t, int);
    if (is_ours_open(file) && fails("send")) return -1;
    return real(file, bytes, count, flags);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    if (is_ours_open(file) && fails("pwrite")) return -1;
    return real(file, bytes, count, at);
}
ssize_t read(int file, void *bytes, size_t count) {
    REAL(ssize_t, "read", int, void *, size_t);
    if (is_ours_open(file) && fails("read")) return -1;
    return real(file, bytes, count);
}
ssize_t pread64(int file, void *bytes, size_t count, off64_t at) {
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    if (is_ours_open(file) && fails("pread")) return -1;
    return real(file, bytes, count, at);
}
static int syncs(int file, const char *name, int (*real)(int)) {
    if (!is_ours_open(file)) return real(file);
    if (atomic_load(&failed_sync) == file) atomic_fetch_add(&control->resynced, 1);
    if (fails(name)) {
        atomic_store(&failed_sync, file);
        return -1;
    }
    return real(file);
}
int fsync(int file) {
    REAL(int, "fsync", int);
    return syncs(file, "fsync", real);
}
int fdatasync(int file) {
    REAL(int, "fdatasync", int);
    return syncs(file, "fdatasync", real);
}
int close(int file) {
    REAL(int, "close", int);
    if (atomic_load(&failed_sync) == file) atomic_store(&failed_sync, -1);
    return real(file);
}
int ftruncate64(int file, off64_t length) {
    REAL(int, "ftruncate64", int, off64_t);
    if (is_ours_open(file) && fails("ftruncate")) return -1;
    return real(file, length);
}
int linkat(int from, const char *path, int to, const char *target, int flags) {
    REAL(int, "linkat", int, const char *, int, const char *, int);
    if (is_ours(target) && fails("link")) return -1;
    return real(from, path, to, target, flags);
}
int link(const char *path, const char *target) {
    REAL(int, "link", const char *, const char *);
    if (is_ours(target) && fails("link")) return -1;
    return real(path, target);
}
int rename(const char *path, const char *target) {
    REAL(int, "rename", const char *, const char *);
    if (is_ours(target) && fails("rename")) return -1;
    return real(path, target);
}
int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    if (is_ours(path) && fails("unlink")) return -1;
    return real(path);
}
int mkdir(const char *path, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    if (is_ours(path) && fails("mkdir")) return -1;
    return real(path, mode);
}
int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict about) {
    REAL(int, "statx", int, const char *, int, unsigned, struct statx *);
    int ours = *path ? is_ours(path) : is_ours_open(folder);
    if (ours && fails("stat")) return -1;
    return real(folder, path, flags, mask, about);
}
