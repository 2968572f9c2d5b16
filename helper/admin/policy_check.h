/* helper/admin/policy_check.h - does this machine have what the policy files ask for? */
#ifndef CARREL_HELPER_ADMIN_POLICY_CHECK_H
#define CARREL_HELPER_ADMIN_POLICY_CHECK_H

#include "helper/admin/report.h"
#include "policy/policy.h"

/*
 * Check every policy and pool of a sound set of files: images, bound directories, limits, system
 * call names, users and groups, policies that can never match. The topic of a finding is its
 * "FILE:LINE"; without `quiet` every file without a problem gets a line "ok" as well.
 */
void policies_report(const struct config *config, bool quiet, struct report *report);

/* Who is exempt, and is that enough not to lock an admin out? */
void exemptions_report(const struct config *config, struct report *report);

#endif
