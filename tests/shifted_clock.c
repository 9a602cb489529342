/* Preloaded (LD_PRELOAD), the wall clock of a program is behind by $AYNI_BEHIND_S seconds; no other clock is.
 * $AYNI_AHEAD is a file with the seconds that it is ahead, read in every call, so that it can be set meanwhile.
 * With $AYNI_UNSURE the kernel says that nobody keeps it right. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static time_t ahead_s(void) {
    const char *behind = getenv("AYNI_BEHIND_S"), *path = getenv("AYNI_AHEAD");
    time_t seconds = behind ? -strtoll(behind, 0, 10) : 0;
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        char text[40];
        ssize_t length = read(file, text, sizeof text - 1);
        close(file);
        text[length > 0 ? length : 0] = 0;
        seconds += strtoll(text, 0, 10);
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += ahead_s();
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

int adjtimex(struct timex *state) {
    int result = syscall(SYS_adjtimex, state);
    if (getenv("AYNI_UNSURE")) {
        state->status |= STA_UNSYNC;
        return TIME_ERROR;
    }
    return result;
}
