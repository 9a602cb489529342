/* For one machine of the lab: the wall clock, and only that, is off by what /run/ayni-lab-clock says.

   "SECONDS SYNCHRONISED\n", looked at in every call. The monotonic clocks stay, so that nothing hangs; what asks
   the kernel whether the clock is kept right (adjtimex) hears what the file says. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include <errno.h>

static time_t shift(int *synchronised)
{
    char text[48];
    int before = errno;
    int file = open("/run/ayni-lab-clock", O_RDONLY | O_CLOEXEC);
    *synchronised = -1;
    if (file < 0) {
        errno = before;
        return 0;
    }
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    errno = before;
    if (length <= 0)
        return 0;
    text[length] = 0;
    char *end;
    time_t seconds = strtoll(text, &end, 10);
    *synchronised = *end == ' ' ? atoi(end + 1) : 1;
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int ignored, result = syscall(SYS_clock_gettime, clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += shift(&ignored);
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

int adjtimex(struct timex *asked)
{
    int synchronised, result;
    shift(&synchronised);
    result = syscall(SYS_adjtimex, asked);
    if (result < 0 || synchronised < 0)
        return result;
    asked->status = synchronised ? asked->status & ~STA_UNSYNC : asked->status | STA_UNSYNC;
    return synchronised ? TIME_OK : TIME_ERROR;
}
