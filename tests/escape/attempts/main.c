#define _GNU_SOURCE
#include "attempt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void tell(const char *what, long result)
{
	printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "done");
	(void)fflush(stdout);
}

void tell_descriptor(const char *what, int descriptor)
{
	tell(what, descriptor);
	if (descriptor >= 0)
		close(descriptor);
}

int main(int count, char **arguments)
{
	const struct attempt *tables[] = {process_attempts, kernel_attempts, file_attempts,
					  flood_attempts, netlink_attempts};

	for (size_t i = 0; count > 1 && i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct attempt *attempt = tables[i]; attempt->name; attempt++)
			if (strcmp(attempt->name, arguments[1]) == 0)
				return attempt->run(arguments + 2);
	(void)fprintf(stderr, "attempt: no such attempt\n");
	return 2;
}
