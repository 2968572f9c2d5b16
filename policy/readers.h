/* policy/readers.h - put one value from a file into its field, or say what it should have been. */
#ifndef CARREL_POLICY_READERS_H
#define CARREL_POLICY_READERS_H

#include "policy/schema.h"

/* All have the shape of struct key's `read`; the field is at key->offset in `into`. */
#define READER(name)                                                                               \
	bool name(const struct reader *reader, const struct key *key, const char *text,            \
		  void *into, struct failure *why)

READER(read_word);          /* one of key->words, into an enum */
READER(read_switch);        /* yes or no, into a bool */
READER(read_unmatched);     /* host or deny, into a bool that is true for deny */
READER(read_prose);         /* text for people, into a char * */
READER(read_account);       /* a user's, group's or PAM service's name, into a string_list */
READER(read_name);          /* a name of ours, into a char * */
READER(read_name_item);     /* the same, into a string_list */
READER(read_name_template); /* a container's name with %u, %g, %p, into a char * */
READER(read_host_template); /* the same for a host name */
READER(read_state_dir);     /* an absolute path, into a char * */
READER(read_target);        /* a path inside a container, into a char * */
READER(read_cgroup_parent); /* a relative path, into a char * */
READER(read_number);        /* from key->low to key->high, decimal or 0x, into a uint32_t */
READER(read_id_base);       /* the same, a multiple of 65536 */
READER(read_mask);          /* octal, into a mode_t */
READER(read_duration);      /* from words[0] to words[1], or never when words[2], uint64_t */
READER(read_hours);         /* "Mo-Fr 08:00-20:00", into a struct policy */
READER(read_environment);   /* NAME=value, into a string_list */
READER(read_system_call);   /* a name, into a string_list */
READER(read_policy_limit);  /* of the limit key->low, into a struct policy */
READER(read_pool_limit);    /* the same, into a struct pool */

#endif
