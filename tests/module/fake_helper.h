/* tests/module/fake_helper.h - the ways in which the fake helper answers. */
#ifndef CARREL_TESTS_MODULE_FAKE_HELPER_H
#define CARREL_TESTS_MODULE_FAKE_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/wire.h"

#define FAKE_DIR "/run/carrel-test"

/* Print to standard error, which the module gives to /dev/null, and end with status 98. */
void die(const char *what) __attribute__((noreturn));

/* One datagram with descriptors. */
void send_bytes(int channel, const void *data, size_t length, const int *fds, size_t fd_count);

/* Encode and send a reply; `fd_count` may differ from what the reply declares. */
void send_reply(int channel, const struct wire_reply *reply, const int *fds, size_t fd_count);

/* A container, more or less, for the modes in fake_contain.c. False: it has no such mode. */
bool answer_contain(int channel, const char *mode);

#endif
