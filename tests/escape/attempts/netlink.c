/* Attempts over the kernel's message sockets. */
#define _GNU_SOURCE
#include "attempt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Those that programs need are asked for something below, and no others are to exist. */
static void other_protocols(void)
{
	char name[32];

	for (int protocol = 1; protocol < 32; protocol++) {
		if (protocol == NETLINK_SOCK_DIAG || protocol == NETLINK_AUDIT ||
		    protocol == NETLINK_KOBJECT_UEVENT)
			continue;
		snprintf(name, sizeof(name), "protocol-%d", protocol);
		tell_descriptor(name, socket(AF_NETLINK, SOCK_RAW, protocol));
	}
}

/* The error that the kernel answers with; 0 for none. */
static int request(int protocol, int type, const void *body, size_t length)
{
	struct {
		struct nlmsghdr header;
		char body[256];
	} message = {.header = {.nlmsg_len = (unsigned)NLMSG_LENGTH(length),
				.nlmsg_type = (unsigned short)type,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	struct timeval patience = {.tv_sec = 2};
	int socket_fd = socket(AF_NETLINK, SOCK_RAW, protocol), result = 0;

	memcpy(message.body, body, length);
	(void)setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (socket_fd < 0 || send(socket_fd, &message, message.header.nlmsg_len, 0) < 0 ||
	    recv(socket_fd, &answer, sizeof(answer), 0) < 0)
		result = errno;
	else if (answer.header.nlmsg_type == NLMSG_ERROR)
		result = -answer.error.error;
	if (socket_fd >= 0)
		close(socket_fd);
	return result;
}

static void tell_request(const char *what, int protocol, int type, const void *body, size_t length)
{
	errno = request(protocol, type, body, length);
	tell(what, errno ? -1 : 0);
}

/* Switch the host's audit off, write lines of others into it, take its place. */
static void audit(void)
{
	struct audit_status status = {.mask = AUDIT_STATUS_ENABLED};
	static const char line[] = "op=login acct=\"root\" res=success";

	tell_request("audit-off", NETLINK_AUDIT, AUDIT_SET, &status, sizeof(status));
	status = (struct audit_status){.mask = AUDIT_STATUS_PID, .pid = (unsigned)getpid()};
	tell_request("audit-daemon", NETLINK_AUDIT, AUDIT_SET, &status, sizeof(status));
	tell_request("audit-get", NETLINK_AUDIT, AUDIT_GET, "", 0);
	tell_request("audit-line", NETLINK_AUDIT, AUDIT_FIRST_USER_MSG + 12, line, sizeof(line));
}

/* Tell the host's udev that a device has come, which runs programs as root. */
static void uevent(void)
{
	static const char event[] = "add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=x";
	struct sockaddr_nl everybody = {.nl_family = AF_NETLINK, .nl_groups = 2};
	int socket_fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);

	tell("uevent-send", sendto(socket_fd, event, sizeof(event), 0,
				   (struct sockaddr *)&everybody, sizeof(everybody)));
	close(socket_fd);
}

/* All listening TCP sockets that are seen, by port. */
static void listeners(void)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 diag;
	} ask = {.header = {.nlmsg_len = sizeof(ask),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		 .diag = {.sdiag_family = AF_INET,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = 1 << 10}};
	static char buffer[1 << 16];
	int socket_fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);

	if (socket_fd < 0 || send(socket_fd, &ask, sizeof(ask), 0) < 0) {
		tell("listeners", -1);
		return;
	}
	for (;;) {
		ssize_t length = recv(socket_fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *header = (struct nlmsghdr *)buffer;

		if (length <= 0)
			break;
		for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
			struct inet_diag_msg *found = NLMSG_DATA(header);

			if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) {
				tell("listeners", 0);
				close(socket_fd);
				return;
			}
			printf("listener-%d done\n", ntohs(found->id.idiag_sport));
		}
	}
	tell("listeners", -1);
	close(socket_fd);
}

static int netlink(char **arguments)
{
	(void)arguments;
	other_protocols();
	audit();
	uevent();
	listeners();
	return 0;
}

const struct attempt netlink_attempts[] = {
    {"netlink", netlink},
    {NULL, NULL},
};
