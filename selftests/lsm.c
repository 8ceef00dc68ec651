// SPDX-License-Identifier: GPL-2.0
/*
 * Test that connect() obeys the LSM hook of the core (E-PERM-RULE): a BPF
 * program at the hook returns EPERM, whatever the address is. libbpf finds the
 * hook. The program has seven instructions and needs no compiler.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

FIXTURE(lsm) {
	struct at_addr a;
	int lfd;
	int prog;
	int link;
};

FIXTURE_VARIANT(lsm) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(lsm, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(lsm, native_seqpacket) {
	.format = AT_NATIVE, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(lsm, native_dgram) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(lsm, unix_stream) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(lsm, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(lsm, inet6_dgram) {
	.format = AT_IN6, .kind = AT_INET, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(lsm, oracle_stream) {
	.format = AT_ORACLE, .kind = AT_PATH, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(lsm, oracle_in_stream) {
	.format = AT_ORACLE_IN, .kind = AT_INET, .type = SOCK_STREAM,
};

/* Load a program that returns -EPERM to this process and 0 to any other. */
static int load_program(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL,
		  .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0,
		  .imm = 32 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_0,
		  .off = 2, .imm = getpid() },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0,
		  .imm = -EPERM },
		{ .code = BPF_JMP | BPF_EXIT },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0,
		  .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_LSM_MAC);
	int id = libbpf_find_vmlinux_btf_id("socket_connect", BPF_LSM_MAC);

	if (id < 0) {
		errno = -id;
		return -1;
	}
	opts.attach_btf_id = id;
	return bpf_prog_load(BPF_PROG_TYPE_LSM, "altconn_deny", "GPL", insns,
			     sizeof(insns) / sizeof(*insns), &opts);
}

FIXTURE_SETUP(lsm)
{
	/* Without BTF there is no program, and the tests are skipped. */
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return;
	self->prog = load_program();
	ASSERT_LE(0, self->prog) TH_LOG("%s", strerror(errno));
	if (variant->type == SOCK_DGRAM)
		self->lfd = at_bound(&self->a, variant->format, variant->kind,
				     variant->type);
	else
		self->lfd = at_listener(&self->a, variant->format,
					variant->kind, variant->type, 4);
	ASSERT_LE(0, self->lfd);
	self->link = bpf_raw_tracepoint_open(NULL, self->prog);
	ASSERT_LE(0, self->link) TH_LOG("%s", strerror(errno));
}

FIXTURE_TEARDOWN(lsm)
{
	if (self->link > 0)
		close(self->link);
	if (self->prog > 0)
		close(self->prog);
	at_cleanup();
}

TEST_F_TIMEOUT(lsm, E_PERM_RULE, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);
	struct at_addr peer;

	if (!self->prog)
		SKIP(return, "no BTF in this kernel");
	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, at_err(at_connect(fd, &self->a)));
	ASSERT_EQ(0, at_nonblock(fd, true));
	EXPECT_EQ(EPERM, at_err(at_connect(fd, &self->a)));
	/* The socket is unchanged. */
	EXPECT_EQ(0, at_so_error(fd));
	EXPECT_EQ(ENOTCONN, at_err(at_getpeername(fd, &peer)));
	ASSERT_EQ(0, at_nonblock(fd, false));

	close(self->link);
	self->link = 0;
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(0, at_err(at_getpeername(fd, &peer)));
	close(fd);
}

/*
 * The hook decides on connect() of a connected socket too. After EPERM the
 * socket is still connected.
 */
TEST_F_TIMEOUT(lsm, connected_socket_stays_connected, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);
	struct at_addr peer;

	if (!self->prog)
		SKIP(return, "no BTF in this kernel");
	ASSERT_LE(0, fd);
	close(self->link);
	ASSERT_EQ(0, at_err(at_connect(fd, &self->a)));
	self->link = bpf_raw_tracepoint_open(NULL, self->prog);
	ASSERT_LE(0, self->link);
	EXPECT_EQ(EPERM, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(EPERM, at_err(at_connect_unspec(fd)));
	EXPECT_EQ(0, at_err(at_getpeername(fd, &peer)));
	close(fd);
}

TEST_HARNESS_MAIN
