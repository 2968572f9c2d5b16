/* helper/init/anchor.h - the one process of carrel.service, which keeps the delegated cgroup. */
#ifndef CARREL_HELPER_INIT_ANCHOR_H
#define CARREL_HELPER_INIT_ANCHOR_H

/*
 * systemd removes the cgroup of a unit without processes. This process moves itself into the
 * sub-cgroup "anchor" (a cgroup that hands controllers down may hold no processes itself,
 * cgroups(7) "no internal processes") and waits for SIGTERM. Returns the exit status.
 */
int anchor_main(void);

#endif
