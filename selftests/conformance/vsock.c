// SPDX-License-Identifier: GPL-2.0
/* Try AF_VSOCK over its loopback: no packet goes to a hypervisor or guest. */
#include "conformance.h"

void vsock_fresh(const struct family *f, struct addr *a)
{
	(void)f;
	memset(a, 0, sizeof(*a));
	a->vm.svm_family = AF_VSOCK;
	a->vm.svm_cid = VMADDR_CID_LOCAL;
	a->vm.svm_port = 0x100000 + getpid() * 256 + unique() % 256;
	a->len = sizeof(a->vm);
}

const char *vsock_malformed(const struct family *f, struct addr *a, int i)
{
	(void)f;
	switch (i) {
	case 0:
		a->len = 1;
		return "with half of an address family";
	case 1:
		a->len = sizeof(a->vm) - 1;
		return "with a byte too few";
	case 2:
		a->vm.svm_flags = 0x80;
		return "with an unknown flag";
	}
	return NULL;
}

/* Make an address for bind() only: connect() would send a packet there. */
void vsock_elsewhere(const struct family *f, struct addr *a)
{
	(void)f;
	a->vm.svm_cid = 77;
}

/*
 * Return what the kernel lacks, or NULL. Without the loopback an attempt would
 * go to the hypervisor.
 */
const char *vsock_missing(void)
{
	struct addr a;
	int fd, err;

	fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (fd < 0)
		return "this kernel has no AF_VSOCK";
	vsock_fresh(NULL, &a);
	err = go_bind(fd, &a);
	close(fd);
	return err ? "the module vsock_loopback is not loaded" : NULL;
}

const struct exempt vsock_exempt[] = {
	NO_PATHS,
	{ .clause = "S-DONE", .types = CONN,
	  .why = "this is what TCP does, and no manual demands it" },
	{ .clause = "S-UNSPEC", .types = CONN,
	  .why = "the manual says this only of TCP and of datagram sockets" },
	{ .clause = "E-ACCES-BCAST", .types = ANY,
	  .why = "the family has no broadcast address" },
	{ .clause = "E-PERM-RULE", .types = ANY,
	  .why = "no firewall filters the family" },
	{ .clause = "E-HOSTUNREACH", .types = ANY,
	  .why = "the attempt would leave the machine" },
	{ .clause = "E-NETUNREACH", .types = ANY,
	  .why = "the attempt would leave the machine" },
	{ .clause = "E-AGAIN-PORT", .types = ANY,
	  .why = "the range of ephemeral ports cannot be made smaller" },
	{ .clause = "E-AGAIN-TABLE", .types = ANY,
	  .why = "the family has no table with a limit" },
	{ .clause = "E-ALREADY", .types = CONN,
	  .why = "no attempt of the family can be made to wait" },
	{ .clause = "E-INTR", .types = CONN,
	  .why = "no attempt of the family can be made to wait" },
	{ .clause = "E-TIMEDOUT", .types = CONN,
	  .why = "no attempt of the family can be made to wait" },
	{}
};
