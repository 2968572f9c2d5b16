/* helper/init/network.h - make the network namespace beside PID 1, which joins it when it needs it.
 */
#ifndef CARREL_HELPER_INIT_NETWORK_H
#define CARREL_HELPER_INIT_NETWORK_H

#include <stdbool.h>

/*
 * Leave for a new network namespace, bring its loopback interface up, and tell whoever has the
 * other end of `channel` (SOCK_SEQPACKET). False with errno.
 */
bool network_make(int channel);

/* Wait for network_make at the other end and join what it made. False with errno. */
bool network_join(int channel);

#endif
