/* policy/grammar.h - the strict grammar of the files, checked before libconfuse reads them. */
#ifndef CARREL_POLICY_GRAMMAR_H
#define CARREL_POLICY_GRAMMAR_H

#include <stddef.h>

#include "base/failure.h"

/*
 * libconfuse lets pass what must not pass in a login's way: a block that the file's end cuts off,
 * a string or comment that never ends, bytes it does not know. It expands "${VAR}", appends with
 * "+=", counts lines wrongly after a block comment and refuses comments inside lists. So the text
 * is held to a strict grammar first:
 *
 *   file  = { key "=" value | key "=" "{" value { "," value } [","] "}" | key [name] "{" file "}" }
 *   key   = word;  name, value = word | "string" | 'string'
 *   word  = letters, digits and _ . % -
 *
 * and what libconfuse gets is the text without comments, line by line where it was, in which every
 * name of a block has its line and a running number in front: policy "students" becomes
 * policy "12.0:students".
 *
 * `file` names it in messages. NULL with *why on failure; the caller frees the result.
 */
char *grammar_check(const char *text, size_t length, const char *file, struct failure *why);

#endif
