/* helper/seccomp/cache.h - compiled programs, kept until the next boot. */
#ifndef CARREL_HELPER_SECCOMP_CACHE_H
#define CARREL_HELPER_SECCOMP_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/seccomp/program.h"
#include "helper/seccomp/rules.h"

/*
 * All that decides what the compiler makes of the rules, as text: the rules, the architecture, and
 * which build of this program compiles. NULL when the build cannot be
 * told or a name is not one: then nothing is kept. The caller frees it.
 */
char *cache_key(const struct seccomp_rules *rules);

/*
 * The program that was kept under this key. Vetted by its descriptor (ours, regular, one link,
 * 0600, of the size that it says), compared whole with the key and with the sum of its code.
 * False when there is none such; then the caller compiles.
 */
bool cache_load(int cache, const char *key, struct seccomp_program *program);

/*
 * Keep a program under its key, put in place by a rename. That it cannot be kept (a full tmpfs)
 * costs the next login a millisecond and is no reason to refuse this one.
 */
void cache_store(int cache, const char *key, const struct seccomp_program *program);

#endif
