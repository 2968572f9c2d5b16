/* helper/admin/doctor.h - can this machine do what Carrel needs? One function for each part of it.
 */
#ifndef CARREL_HELPER_ADMIN_DOCTOR_H
#define CARREL_HELPER_ADMIN_DOCTOR_H

#include "helper/admin/report.h"
#include "policy/policy.h"

/* Each adds its findings; `config` is NULL when not even carrel.conf could be read. */
void doctor_kernel(const struct config *config, struct report *report);
void doctor_programs(const struct config *config, struct report *report);
void doctor_policies(const struct config *config, struct report *report);
void doctor_cgroups(const struct config *config, struct report *report);
void doctor_storage(const struct config *config, struct report *report);
void doctor_disks(const struct config *config, struct report *report);
void doctor_layers(const struct config *config, struct report *report);
void doctor_ids(const struct config *config, struct report *report);
void doctor_pam(const struct config *config, struct report *report);
void doctor_sshd(const struct config *config, struct report *report);
void doctor_mail(const struct config *config, struct report *report);

/*
 * state_dir, or while it has not been made yet the directory that it will be made in, in path;
 * false when neither is there.
 */
bool doctor_state_place(const struct config *config, char *path, size_t size);

/* What, when wrong, would refuse every contained user: looked at before Carrel is put into a stack.
 */
void doctor_essentials(struct report *report);

#endif
