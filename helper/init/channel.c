/* helper/init/channel.c - datagrams with descriptors. */
#include "helper/init/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

bool channel_send(int channel, const void *data, size_t length, const int *fds, size_t fd_count)
{
	union {
		char bytes[CMSG_SPACE(CHANNEL_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (fd_count > CHANNEL_MAX_FDS) {
		errno = E2BIG;
		return false;
	}
	if (fd_count) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		memset(control.bytes, 0, message.msg_controllen);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
	}
	do
		sent = sendmsg(channel, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)length;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
}

long channel_receive(int channel, void *data, size_t size, int *fds, size_t *fd_count)
{
	union {
		char bytes[CMSG_SPACE(CHANNEL_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	size_t room = *fd_count;
	ssize_t length;

	*fd_count = 0;
	do
		length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -1;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
	     header = CMSG_NXTHDR(&message, header)) {
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int received[CHANNEL_MAX_FDS];

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(received, CMSG_DATA(header), count * sizeof(int));
		if (*fd_count + count > room) {
			close_all(received, count);
			message.msg_flags |= MSG_CTRUNC;
			continue;
		}
		memcpy(fds + *fd_count, received, count * sizeof(int));
		*fd_count += count;
	}
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		close_all(fds, *fd_count);
		*fd_count = 0;
		errno = EMSGSIZE;
		return -1;
	}
	return length;
}
