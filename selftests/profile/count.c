// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts the instructions of the guest's kernel. QEMU
 * translates the guest's code in blocks. The plugin counts how often each block
 * is executed, and at the end it writes a line for each block:
 *
 *	ADDRESS INSTRUCTIONS EXECUTIONS
 *
 * The address is in hexadecimal. All blocks of user space have one line, with
 * the address 0, as if each of their instructions were a block.
 *
 *	-plugin count.so,out=FILE
 *
 */
#include "qemu_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT		__attribute__((visibility("default")))
#define BUCKET_BITS	16

EXPORT int qemu_plugin_version = 1;

/* struct block - a block of code; QEMU may translate it several times */
struct block {
	uint64_t address, instructions, executions;
	struct block *next;
};

static struct block *buckets[1 << BUCKET_BITS];
static uint64_t user_instructions;
static const char *out;

static struct block *find_or_add(uint64_t address, uint64_t instructions)
{
	uint64_t hash = (address ^ instructions) * 0x9e3779b97f4a7c15;
	struct block **bucket = &buckets[hash >> (64 - BUCKET_BITS)], *block;

	for (block = *bucket; block; block = block->next)
		if (block->address == address &&
		    block->instructions == instructions)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = address;
	block->instructions = instructions;
	block->next = *bucket;
	*bucket = block;
	return block;
}

/* A kernel address has its highest bit set. */
static void count_block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	uint64_t n = qemu_plugin_tb_n_insns(tb);
	uint64_t *word = &user_instructions, number = n;

	if (address >> 63) {
		word = &find_or_add(address, n)->executions;
		number = 1;
	}
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 word, number);
}

static void write_counts(qemu_plugin_id_t id, void *data)
{
	FILE *f = fopen(out, "w");
	int i;

	if (!f)
		return;
	fprintf(f, "0 1 %llu\n", (unsigned long long)user_instructions);
	for (i = 0; i < 1 << BUCKET_BITS; i++)
		for (struct block *b = buckets[i]; b; b = b->next)
			if (b->executions)
				fprintf(f, "%llx %llu %llu\n",
					(unsigned long long)b->address,
					(unsigned long long)b->instructions,
					(unsigned long long)b->executions);
	fclose(f);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			       char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return -1;
	out = strdup(argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
	qemu_plugin_register_atexit_cb(id, write_counts, NULL);
	return 0;
}
