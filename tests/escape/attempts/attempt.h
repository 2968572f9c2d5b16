/* One program with many attempts. Each prints lines "WHAT ANSWER", where the answer is "done" or
 * the name of the error that an attacker sees. */
#pragma once

struct attempt {
	const char *name;
	int (*run)(char **arguments);
};

extern const struct attempt process_attempts[];
extern const struct attempt kernel_attempts[];
extern const struct attempt file_attempts[];
extern const struct attempt flood_attempts[];
extern const struct attempt netlink_attempts[];

/* Print what came of it; errno tells the error when `result` is -1. */
void tell(const char *what, long result);

/* As tell(), and close the descriptor that the attempt wrongly got. */
void tell_descriptor(const char *what, int descriptor);
