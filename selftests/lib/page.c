// SPDX-License-Identifier: GPL-2.0
#include "page.h"
#include "sock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

int at_page_file(char byte, int n)
{
	int fd = memfd_create("altconn", MFD_ALLOW_SEALING);
	char page[AT_PAGE];

	memset(page, byte, sizeof(page));
	while (n--)
		if (write(fd, page, sizeof(page)) != sizeof(page))
			return -1;
	return fd;
}

ssize_t at_sendfile(int sock, int file, off_t at, size_t n)
{
	return sendfile(sock, file, &at, n);
}

int at_seal(int file)
{
	return at_err(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
}

bool at_all_are(const char *buf, size_t n, char byte)
{
	while (n--)
		if (buf[n] != byte)
			return false;
	return true;
}

ssize_t at_to_pipe(int sock, int to, size_t n, int flags)
{
	return splice(sock, NULL, to, NULL, n, flags);
}
