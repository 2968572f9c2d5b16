/* policy/kept.h - policies that were read once are not parsed again until a file changes. */
#ifndef CARREL_POLICY_KEPT_H
#define CARREL_POLICY_KEPT_H

#include "policy/policy.h"

/*
 * config_load(dir, exempt, why), by what an earlier call has kept in the directory `kept` (root's
 * alone to write; -1: nothing is kept) when `build`, which tells this program from others, and
 * every file and folder that would be read are what they were then: device, inode, size, owner,
 * mode, and the times of the last change of content and of state, which nobody can set. Files that
 * changed in the last two seconds are never kept: the kernel's clock for them is coarse, and one
 * more change could leave the same time.
 *
 * A kept file that is not whole is not used. When config_select finds that the policy which it
 * needs is damaged in there, config_forget_kept makes the next call read the files.
 */
struct config *config_load_kept(int dir, int kept, const char *build, struct config **exempt,
				struct failure *why);
void config_forget_kept(int kept);

#endif
