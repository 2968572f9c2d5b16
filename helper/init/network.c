/* helper/init/network.c - make the network namespace beside PID 1, which joins it when it needs it.
 */
#include "helper/init/network.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "helper/init/channel.h"

static bool raise_loopback(int control)
{
	struct ifreq request = {.ifr_name = "lo"};

	if (ioctl(control, SIOCGIFFLAGS, &request) < 0)
		return false;
	request.ifr_flags |= IFF_UP;
	return ioctl(control, SIOCSIFFLAGS, &request) == 0;
}

/* A socket tells which namespace: there is no /proc here that has a file for it. */
bool network_make(int channel)
{
	_cleanup_close_ int control = -1;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return control >= 0 && raise_loopback(control) && channel_send(channel, "", 1, &control, 1);
}

bool network_join(int channel)
{
	_cleanup_close_ int control = -1;
	_cleanup_close_ int namespace = -1;
	size_t count = 1;
	char byte;

	if (channel_receive(channel, &byte, 1, &control, &count) != 1 || count != 1) {
		errno = ECONNABORTED; /* whoever makes it has told the helper why it cannot */
		return false;
	}
	namespace = ioctl(control, SIOCGSKNS);
	return namespace >= 0 && setns(namespace, CLONE_NEWNET) == 0;
}
