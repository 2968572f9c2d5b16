/* pam_module/deadline.h - a point in time that a login must not wait past. */
#ifndef CARREL_PAM_MODULE_DEADLINE_H
#define CARREL_PAM_MODULE_DEADLINE_H

#include <limits.h>
#include <time.h>

/* CLOCK_MONOTONIC: setting the machine's clock neither ends nor prolongs a wait. */
static inline struct timespec deadline_in(long milliseconds)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += milliseconds / 1000;
	at.tv_nsec += (milliseconds % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* For poll(2): milliseconds that are left, rounded up, 0 when it has passed. */
static inline int deadline_left(const struct timespec *at)
{
	struct timespec now;
	long long left;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	left = (at->tv_sec - now.tv_sec) * 1000LL + (at->tv_nsec - now.tv_nsec + 999999) / 1000000;
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

#endif
