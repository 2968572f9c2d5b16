/* policy/nearest.h - guess the word that was meant by a misspelt one. */
#ifndef CARREL_POLICY_NEAREST_H
#define CARREL_POLICY_NEAREST_H

#include <stddef.h>

/*
 * Edit distance: characters to insert, delete, replace or swap with their neighbour.
 * NEAREST_TOO_FAR when a word is longer than any that we know.
 */
#define NEAREST_TOO_FAR 1000u
unsigned edit_distance(const char *a, const char *b);

/* A search over candidates, one at a time; `best` is NULL while nothing is near enough. */
struct nearest {
	const char *word; /* as it was written */
	const char *best;
	unsigned distance; /* of best */
};
void nearest_start(struct nearest *search, const char *word);
void nearest_offer(struct nearest *search, const char *candidate);

#endif
