/* tests/analysis/planted.c - mistakes that tests/analysis/run has each of the tools find. */
#include <stdio.h>

#include "base/files.h"

int planted(int number);

int planted(int number)
{
	char text[4];
	struct failure why;
	int unused_by_anybody; /* clang as a compiler */

	fflush(stdout);                           /* clang-tidy: nobody looks whether that worked */
	file_read_at(number, "x", 1, NULL, &why); /* the scan: nor here */
	text[0] = (char)number;
	text[sizeof(text)] = '\0'; /* cppcheck */
	return text[0];
}
