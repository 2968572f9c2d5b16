/* tests/unit/suites.h - every suite of unit tests, in the order in which they run. */

/*
 * One line SUITE(NAME) for each tests/unit/test_NAME.c, which defines `Suite *NAME_suite(void)`.
 * The list is read twice: here to declare the suites, in main.c to run them.
 */
#ifndef SUITE
#include <check.h>
#undef fail /* Check's old name for ck_abort_msg, ours for struct failure */
#define SUITE(name) Suite *name##_suite(void);
#endif

SUITE(failure)
SUITE(files)
SUITE(holds)
SUITE(hours)
SUITE(budget)
SUITE(policy_values)
SUITE(policy_template)
SUITE(policy_grammar)
SUITE(policy_select)
SUITE(policy_load)
SUITE(policy_kept)
SUITE(policy_keys)
SUITE(policy_mistakes)
SUITE(wire)
SUITE(accounts_id_map)
SUITE(accounts_entries)
SUITE(accounts_lookup)
SUITE(etc_snapshot)
SUITE(etc_generations)
SUITE(etc_races)
SUITE(queue)
SUITE(registry)
SUITE(plan)
SUITE(control)
SUITE(lean_memory)
SUITE(leash)
SUITE(status)
SUITE(welcome)
SUITE(events)
SUITE(events_writing)
SUITE(seccomp_program)
SUITE(seccomp)
SUITE(seccomp_cache)
SUITE(confine)
SUITE(ext4)
SUITE(tree_size)
SUITE(tar)
SUITE(images)
SUITE(limits_layout)
SUITE(limits_table)
SUITE(limits_texts)
SUITE(limits_check)
SUITE(expire)
SUITE(admin_text)
SUITE(admin_pam)
SUITE(admin_events)
SUITE(admin_explain)
SUITE(admin_quota)
SUITE(watch_audit)
SUITE(watch_record)

#undef SUITE
