/* helper/admin/commands.h - the commands of `carrel`, one file each; the table is in main.c. */
#ifndef CARREL_HELPER_ADMIN_COMMANDS_H
#define CARREL_HELPER_ADMIN_COMMANDS_H

#include "helper/admin/admin.h"

/* Each understands its own command line and returns the exit status. */
int run_list(const struct command *command, int argc, char **argv);
int run_status(const struct command *command, int argc, char **argv);
int run_quota(const struct command *command, int argc, char **argv);
int run_metrics(const struct command *command, int argc, char **argv);
int run_top(const struct command *command, int argc, char **argv);
int run_quota_apply(const struct command *command, int argc, char **argv);
int run_show(const struct command *command, int argc, char **argv);
int run_enter(const struct command *command, int argc, char **argv);
int run_exec(const struct command *command, int argc, char **argv);
int run_cp(const struct command *command, int argc, char **argv);
int run_message(const struct command *command, int argc, char **argv);
int run_start(const struct command *command, int argc, char **argv);
int run_freeze(const struct command *command, int argc, char **argv);
int run_thaw(const struct command *command, int argc, char **argv);
int run_collect(const struct command *command, int argc, char **argv);
int run_push(const struct command *command, int argc, char **argv);
int run_stop(const struct command *command, int argc, char **argv);
int run_remove(const struct command *command, int argc, char **argv);
int run_reset(const struct command *command, int argc, char **argv);
int run_snapshot(const struct command *command, int argc, char **argv);
int run_snapshots(const struct command *command, int argc, char **argv);
int run_rollback(const struct command *command, int argc, char **argv);
int run_export(const struct command *command, int argc, char **argv);
int run_import(const struct command *command, int argc, char **argv);
int run_gc(const struct command *command, int argc, char **argv);
int run_image_build(const struct command *command, int argc, char **argv);
int run_image_import(const struct command *command, int argc, char **argv);
int run_image_list(const struct command *command, int argc, char **argv);
int run_image_use(const struct command *command, int argc, char **argv);
int run_image_remove(const struct command *command, int argc, char **argv);
int run_policy_check(const struct command *command, int argc, char **argv);
int run_policy_explain(const struct command *command, int argc, char **argv);
int run_pam_enable(const struct command *command, int argc, char **argv);
int run_pam_disable(const struct command *command, int argc, char **argv);
int run_pam_status(const struct command *command, int argc, char **argv);
int run_events(const struct command *command, int argc, char **argv);
int run_doctor(const struct command *command, int argc, char **argv);

#endif
