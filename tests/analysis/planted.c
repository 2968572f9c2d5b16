/* tests/analysis/planted.c - a mistake for each of the tools, which tests/analysis/run has them
 * find. */
#include <stdio.h>

int planted(int number);

int planted(int number)
{
	char text[4];
	int unused_by_anybody; /* clang as a compiler */

	fflush(stdout); /* clang-tidy: nobody looks whether that worked */
	text[0] = (char)number;
	text[sizeof(text)] = '\0'; /* cppcheck */
	return text[0];
}
