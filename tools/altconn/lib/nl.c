// SPDX-License-Identifier: GPL-2.0
/*
 * This file finds the module's generic netlink family, sends one request at a
 * time, reads the whole answer, and prints each error as one line.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/genetlink.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/message.h"
#include "lib/nl.h"

#define NL_BUF_SIZE	32768	/* largest datagram of a dump */
#define NL_DUMP_TRIES	5
#define MODULE_DIR	"/sys/module/altconn"

static const char nl_malformed[] =
	"%s of the module is malformed; 'altconn doctor' compares the versions";
static const char nl_not_loaded[] =
	"the module is not loaded; load it with 'insmod kmod/altconn.ko' or 'modprobe altconn'";

/**
 * struct answer - state of the answer to one request
 * @cb: called with each message, or NULL if no message is expected
 * @data: argument of @cb
 * @interrupted: the list has changed during the dump
 * @offset: offset in the request of the attribute that caused an error, or 0
 * @message: the kernel's explanation of an error, or empty
 * @counts: the request is a dump, so its messages are counted
 * @read: number of messages read so far
 * @since: time when the 1024th message was read, seconds since 1970; 0 before
 * @printed: a line with the progress is on stderr
 */
struct answer {
	mnl_cb_t cb;
	void *data;
	bool interrupted;
	uint32_t offset;
	char message[256];
	bool counts, printed;
	unsigned long read;
	time_t since;
};

static int nl_extack_attr(const struct nlattr *attr, void *data)
{
	struct answer *a = data;

	switch (mnl_attr_get_type(attr)) {
	case NLMSGERR_ATTR_MSG:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
			return MNL_CB_STOP;
		snprintf(a->message, sizeof(a->message), "%s",
			 mnl_attr_get_str(attr));
		break;
	case NLMSGERR_ATTR_OFFS:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			return MNL_CB_STOP;
		a->offset = mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

/*
 * Show the progress of a long dump if stderr is a terminal, from one second
 * after the 1024th message on.
 */
static void nl_print_progress(struct answer *a)
{
	if (++a->read % 1024)
		return;
	if (!a->since)
		a->since = time(NULL);
	if (time(NULL) - a->since < 1 || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\raltconn: %lu read ...", a->read);
	a->printed = true;
}

static int nl_on_message(const struct nlmsghdr *nlh, void *data)
{
	struct answer *a = data;

	/*
	 * Skip notifications of nlctrl, which the group that nl_begin() has
	 * joined may send at any time.
	 */
	if (!nlh->nlmsg_seq && nlh->nlmsg_type == GENL_ID_CTRL)
		return MNL_CB_OK;
	if (a->counts)
		nl_print_progress(a);
	return a->cb ? a->cb(nlh, a->data) : MNL_CB_OK;
}

/* Handle an error, or the acknowledgment (error code 0) of a plain request. */
static int nl_on_error(const struct nlmsghdr *nlh, void *data)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	unsigned int skip = sizeof(*err);
	size_t len = mnl_nlmsg_get_payload_len(nlh);

	if (len < sizeof(*err)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (!err->error)
		return MNL_CB_STOP;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) &&
	    err->msg.nlmsg_len >= sizeof(err->msg))
		skip += err->msg.nlmsg_len - sizeof(err->msg);
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && skip <= len)
		mnl_attr_parse(nlh, skip, nl_extack_attr, data);
	errno = -err->error;
	return MNL_CB_ERROR;
}

/* Handle the end of a dump, with an error code if the dump was cut short. */
static int nl_on_done(const struct nlmsghdr *nlh, void *data)
{
	int32_t err;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(err))
		return MNL_CB_STOP;
	memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	if (err >= 0)
		return MNL_CB_STOP;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(nlh, sizeof(err), nl_extack_attr, data);
	errno = -err;
	return MNL_CB_ERROR;
}

/* The array is not const, since the prototype of mnl_cb_run2() is not. */
static mnl_cb_t nl_control_cbs[NLMSG_MIN_TYPE] = {
	[NLMSG_ERROR] = nl_on_error,
	[NLMSG_DONE] = nl_on_done,
};

/*
 * Clear NLM_F_DUMP_INTR in all messages of a datagram, and return whether any
 * message had it. libmnl gives up at the first message with the flag. The tool
 * reads the dump to its end, since it uses the socket again and the list may
 * still be useful.
 */
static bool nl_clear_interrupted(void *buf, int len)
{
	struct nlmsghdr *nlh = buf;
	bool interrupted = false;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (!(nlh->nlmsg_flags & NLM_F_DUMP_INTR))
			continue;
		interrupted = true;
		nlh->nlmsg_flags &= ~NLM_F_DUMP_INTR;
	}
	return interrupted;
}

static ssize_t nl_receive(struct nl *nl)
{
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(nl->sock, nl->buf, NL_BUF_SIZE);
	} while (len < 0 && errno == EINTR);
	return len;
}

/*
 * Send the request in nl->buf and read the whole answer. Return 0, or -1 with
 * errno set.
 */
static int nl_transact(struct nl *nl, struct answer *a)
{
	unsigned int portid = mnl_socket_get_portid(nl->sock);
	struct nlmsghdr *nlh = nl->buf;
	ssize_t len;
	int ret;

	nlh->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return -1;
	do {
		len = nl_receive(nl);
		if (len < 0)
			return -1;
		a->interrupted |= nl_clear_interrupted(nl->buf, len);
		ret = mnl_cb_run2(nl->buf, len, nl->seq, portid, nl_on_message,
				  a, nl_control_cbs, NLMSG_MIN_TYPE);
	} while (ret > 0);
	return ret;
}

static struct nlmsghdr *nl_put_header(struct nl *nl, uint16_t type, uint8_t cmd,
				      uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
	return nlh;
}

static int nl_family_attr(const struct nlattr *attr, void *data)
{
	struct nl *nl = data;

	if (mnl_attr_get_type(attr) != CTRL_ATTR_FAMILY_ID)
		return MNL_CB_OK;
	if (mnl_attr_validate(attr, MNL_TYPE_U16) < 0)
		return MNL_CB_ERROR;
	nl->type = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int nl_on_family(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), nl_family_attr,
			      data);
}

static int nl_resolve(struct nl *nl)
{
	struct answer a = { .cb = nl_on_family, .data = nl };
	struct nlmsghdr *nlh;

	nlh = nl_put_header(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ALTCONN_FAMILY_NAME);
	if (nl_transact(nl, &a) < 0)
		return -1;
	if (nl->type)
		return 0;
	errno = ENOENT;
	return -1;
}

static void nl_set_options(struct nl *nl)
{
	int on = 1;

	/* Older kernels lack some of these options, and none is required. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on,
			      sizeof(on));
}

static int nl_connect(struct nl *nl)
{
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sock)
		return -1;
	nl_set_options(nl);
	nl->buf = array_grow(NULL, NL_BUF_SIZE, 1);
	nl->seq = time(NULL);
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -1;
	return 0;
}

/**
 * nl_open - open a netlink socket and find the family
 * @nl: gets the socket; the caller calls nl_close() also after a failure
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int nl_open(struct nl *nl)
{
	memset(nl, 0, sizeof(*nl));
	if (nl_connect(nl) < 0) {
		message_error("cannot open a netlink socket: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (nl_resolve(nl) == 0)
		return EXIT_OK;
	if (errno == ENOENT)
		message_error("%s", nl_not_loaded);
	else
		message_error("cannot find the netlink family: %s",
			      strerror(errno));
	return EXIT_FAILED;
}

/**
 * nl_close - close the socket of nl_open() and free the buffer
 * @nl: the socket
 */
void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl->buf);
}

static int nl_print_error(const struct answer *a)
{
	if (errno == EPERM || errno == EACCES)
		message_error("no permission: %s", a->message[0] ? a->message :
			      "CAP_NET_ADMIN in this network namespace is needed");
	else if (errno == ENOENT && !a->message[0])
		message_error("the module has just been unloaded");
	else if (errno == EBADMSG || errno == ERANGE)
		message_error(nl_malformed, "the answer");
	else
		message_error("the module refuses: %s",
			      a->message[0] ? a->message : strerror(errno));
	return EXIT_FAILED;
}

/**
 * nl_request - begin a request
 * @nl: an open socket
 * @cmd: ALTCONN_CMD_*
 * @len: number of bytes that the attributes may take, or 0 if they fit into the
 *	buffer in any case
 *
 * The caller adds attributes with mnl_attr_put*() and calls nl_talk().
 *
 * Return: the request.
 */
struct nlmsghdr *nl_request(struct nl *nl, uint8_t cmd, size_t len)
{
	int size = NL_BUF_SIZE + len;

	if (len > NL_BUF_SIZE / 2) {
		nl->buf = array_grow(nl->buf, size, 1);
		/*
		 * Without CAP_NET_ADMIN the send buffer is limited. A request
		 * that exceeds it fails with an error.
		 */
		if (setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET,
			       SO_SNDBUFFORCE, &size, sizeof(size)))
			setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET,
				   SO_SNDBUF, &size, sizeof(size));
	}
	return nl_put_header(nl, nl->type, cmd, NLM_F_ACK);
}

/**
 * nl_talk - send the request of nl_request() and read the answer
 * @nl: an open socket
 * @cb: called with the answer, or NULL if no answer is expected
 * @data: argument of @cb
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int nl_talk(struct nl *nl, mnl_cb_t cb, void *data)
{
	struct answer a = { .cb = cb, .data = data };
	int ret = nl_transact(nl, &a) < 0 ? nl_print_error(&a) : EXIT_OK;

	nl->bad_offset = a.offset;
	return ret;
}

/**
 * nl_get - send a request without attributes and read the answer
 * @nl: an open socket
 * @cmd: ALTCONN_CMD_*
 * @cb: called with the answer, or NULL if no answer is expected
 * @data: argument of @cb
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int nl_get(struct nl *nl, uint8_t cmd, mnl_cb_t cb, void *data)
{
	nl_request(nl, cmd, 0);
	return nl_talk(nl, cb, data);
}

/**
 * struct group - a multicast group
 * @name: name of the group
 * @id: id of the group, or 0 if it has not been found
 */
struct group {
	const char *name;
	uint32_t id;
};

/* Read an attribute of a group, the name or the id, into @data. */
static int nl_group_attr(const struct nlattr *attr, void *data)
{
	struct group *one = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		one->name = mnl_attr_get_str(attr);
	else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID &&
		 mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		one->id = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int nl_groups_attr(const struct nlattr *attr, void *data)
{
	struct group *wanted = data, one = { };

	if (mnl_attr_parse_nested(attr, nl_group_attr, &one) < 0)
		return MNL_CB_ERROR;
	if (one.name && !strcmp(one.name, wanted->name))
		wanted->id = one.id;
	return MNL_CB_OK;
}

static int nl_family_groups(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) != CTRL_ATTR_MCAST_GROUPS)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attr, nl_groups_attr, data);
}

static int nl_on_groups(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), nl_family_groups,
			      data);
}

/* Receive buffer for bursts of events, if the kernel allows as much. */
#define LISTEN_BUF_SIZE	(8 << 20)

/*
 * Return the id of a multicast group, 0 if there is no such group, or -1 with
 * errno set.
 */
static int64_t nl_group_id(struct nl *nl, const char *family, const char *name)
{
	struct group group = { .name = name };
	struct answer a = { .cb = nl_on_groups, .data = &group };
	struct nlmsghdr *nlh;

	nlh = nl_put_header(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, family);
	if (nl_transact(nl, &a) < 0)
		return -1;
	return group.id;
}

/*
 * Join the group whose id nl_group_id() has returned. Return 0, or -1 with
 * errno set.
 */
static int nl_join_group(struct nl *nl, int64_t group)
{
	unsigned int id = group;

	if (!group)
		errno = ENOENT;
	if (group <= 0)
		return -1;
	return mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &id,
				     sizeof(id));
}

/**
 * nl_begin - prepare a socket to receive events
 * @nl: an open socket
 *
 * The caller then requests the events with ALTCONN_CMD_MONITOR.
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int nl_begin(struct nl *nl)
{
	int fd = mnl_socket_get_fd(nl->sock), size = LISTEN_BUF_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* When the module is unloaded, this group gets CTRL_CMD_DELFAMILY. */
	if (!nl_join_group(nl, nl_group_id(nl, "nlctrl", "notify")))
		return EXIT_OK;
	message_error("cannot join the group that reports the end of the module: %s",
		      strerror(errno));
	return EXIT_FAILED;
}

/**
 * struct listener - receiver of events
 * @nl: the socket
 * @cmd: command number of the messages to receive, ALTCONN_CMD_*
 * @cb: called with each message
 * @data: argument of @cb
 * @gone: the family has been unregistered
 */
struct listener {
	struct nl *nl;
	uint8_t cmd;
	mnl_cb_t cb;
	void *data;
	bool gone;
};

static int nl_gone_attr(const struct nlattr *attr, void *data)
{
	struct listener *l = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
	    mnl_attr_validate(attr, MNL_TYPE_U16) == 0 &&
	    mnl_attr_get_u16(attr) == l->nl->type)
		l->gone = true;
	return MNL_CB_OK;
}

static int nl_on_event(const struct nlmsghdr *nlh, void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct listener *l = data;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*genl))
		return MNL_CB_OK;
	if (nlh->nlmsg_type == l->nl->type && genl->cmd == l->cmd)
		return l->cb(nlh, l->data);
	if (nlh->nlmsg_type == GENL_ID_CTRL && genl->cmd == CTRL_CMD_DELFAMILY)
		mnl_attr_parse(nlh, sizeof(*genl), nl_gone_attr, l);
	return l->gone ? MNL_CB_STOP : MNL_CB_OK;
}

/**
 * nl_listen - receive the events of the module
 * @nl: a socket that nl_begin() has prepared
 * @cmd: command number of the messages to receive, ALTCONN_CMD_*
 * @cb: called with each message; returns MNL_CB_STOP to stop
 * @data: argument of @cb
 *
 * Return: EXIT_OK after @cb's MNL_CB_STOP, or EXIT_FAILED after an error
 * message.
 */
int nl_listen(struct nl *nl, uint8_t cmd, mnl_cb_t cb, void *data)
{
	struct listener l = { .nl = nl, .cmd = cmd, .cb = cb, .data = data };
	int ret = MNL_CB_OK;
	ssize_t len;

	while (ret == MNL_CB_OK) {
		len = nl_receive(nl);
		if (len < 0 && errno == ENOBUFS) {
			/* The lost message may have been CTRL_CMD_DELFAMILY. */
			if (access(MODULE_DIR, F_OK) == 0)
				continue;
			l.gone = true;
			break;
		}
		if (len < 0) {
			message_error("cannot receive events: %s",
				      strerror(errno));
			return EXIT_FAILED;
		}
		ret = mnl_cb_run(nl->buf, len, 0, 0, nl_on_event, &l);
	}
	if (l.gone)
		message_error("the module has been unloaded");
	else if (ret == MNL_CB_ERROR)
		message_error(nl_malformed, "an event");
	return l.gone || ret == MNL_CB_ERROR ? EXIT_FAILED : EXIT_OK;
}

/**
 * nl_dump_request - begin a dump request
 * @nl: an open socket
 * @cmd: ALTCONN_CMD_*
 *
 * The caller adds attributes with mnl_attr_put*() and calls nl_dump_talk().
 *
 * Return: the request.
 */
struct nlmsghdr *nl_dump_request(struct nl *nl, uint8_t cmd)
{
	return nl_put_header(nl, nl->type, cmd, NLM_F_DUMP);
}

/**
 * nl_dump_talk - send the request of nl_dump_request() and read the list
 * @nl: an open socket
 * @cb: called with each message of the list
 * @data: argument of @cb
 * @interrupted: set to true if the list changed during the dump, else unchanged
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int nl_dump_talk(struct nl *nl, mnl_cb_t cb, void *data, bool *interrupted)
{
	struct answer a = { .cb = cb, .data = data, .counts = true };
	int ret;

	ret = nl_transact(nl, &a);
	/* Erase the line with the progress. */
	if (a.printed)
		fputs("\r\033[K", stderr);
	if (ret < 0)
		return nl_print_error(&a);
	*interrupted |= a.interrupted;
	return EXIT_OK;
}

/**
 * nl_dump_once - read a whole list once, though it may change at any time
 * @nl: an open socket
 * @cmd: ALTCONN_CMD_*
 * @cb: called with each message of the list
 * @data: argument of @cb
 * @interrupted: set to true if the list changed during the dump, else unchanged
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int nl_dump_once(struct nl *nl, uint8_t cmd, mnl_cb_t cb, void *data,
		 bool *interrupted)
{
	nl_dump_request(nl, cmd);
	return nl_dump_talk(nl, cb, data, interrupted);
}

/**
 * nl_dump - read a whole list that seldom changes
 * @nl: an open socket
 * @cmd: ALTCONN_CMD_*
 * @cb: called with each message of the list
 * @reset: drops the messages that @cb has stored; called before each reading
 * @data: argument of @cb and @reset
 *
 * If the list changes during the dump, the list is read again, up to
 * NL_DUMP_TRIES times in all. Then the last reading stands, with a warning.
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int nl_dump(struct nl *nl, uint8_t cmd, mnl_cb_t cb, void (*reset)(void *data),
	    void *data)
{
	bool interrupted;
	int tries, ret;

	for (tries = 0; tries < NL_DUMP_TRIES; tries++) {
		reset(data);
		interrupted = false;
		ret = nl_dump_once(nl, cmd, cb, data, &interrupted);
		if (ret != EXIT_OK || !interrupted)
			return ret;
	}
	message_error("the list changed while it was read");
	return EXIT_OK;
}
