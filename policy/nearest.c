/* policy/nearest.c - guess the word that was meant by a misspelt one. */
#include "policy/nearest.h"

#include <string.h>

#define LONGEST 64

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned least_of_two = a < b ? a : b;

	return least_of_two < c ? least_of_two : c;
}

/* Optimal string alignment; three rows suffice because a swap looks back two. */
unsigned edit_distance(const char *a, const char *b)
{
	unsigned rows[3][LONGEST + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > LONGEST || b_length > LONGEST)
		return NEAREST_TOO_FAR;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    above_that[j - 2] + 1 < row[j])
				row[j] = above_that[j - 2] + 1;
		}
	}
	return rows[a_length % 3][b_length];
}

void nearest_start(struct nearest *search, const char *word)
{
	/* One slip for every three characters, and one in the shortest words. */
	*search = (struct nearest){.word = word, .distance = (unsigned)(strlen(word) / 3) + 1};
	if (search->distance < 2)
		search->distance = 2;
}

void nearest_offer(struct nearest *search, const char *candidate)
{
	unsigned distance = edit_distance(search->word, candidate);

	/* A guess that shares nothing with the word is no help. */
	if (distance < search->distance && distance < strlen(search->word)) {
		search->best = candidate;
		search->distance = distance;
	}
}
