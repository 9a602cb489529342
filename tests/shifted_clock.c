/* Preloaded (LD_PRELOAD), the wall clock of a program is behind by $AYNI_BEHIND_S seconds; no other clock is.
 * With $AYNI_UNSURE the kernel says that nobody keeps it right. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    const char *behind = getenv("AYNI_BEHIND_S");
    if (!result && behind && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec -= strtoll(behind, 0, 10);
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
