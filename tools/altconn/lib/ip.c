// SPDX-License-Identifier: GPL-2.0
/*
 * This file converts IP addresses.
 */
#include <arpa/inet.h>
#include <string.h>

#include "lib/ip.h"

/* The bytes before the IPv4 address in a v4-mapped address. */
static const unsigned char ip_v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

/**
 * ip_parse - parse an IP address
 * @text: the address as the user typed it, without brackets
 * @family: AF_INET or AF_INET6
 * @ip: gets the 16 bytes of the address
 *
 * Return: whether @text is an address of the family.
 */
bool ip_parse(const char *text, int family, unsigned char *ip)
{
	struct in_addr v4;

	if (family == AF_INET6)
		return inet_pton(AF_INET6, text, ip) == 1;
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;
	ip_from_v4(&v4, ip);
	return true;
}

/**
 * ip_is_v4 - check whether an address is an IPv4 address
 * @ip: the 16 bytes of the address
 *
 * Return: true if the address is v4-mapped, else false.
 */
bool ip_is_v4(const unsigned char *ip)
{
	return !memcmp(ip, ip_v4_prefix, sizeof(ip_v4_prefix));
}

/**
 * ip_from_v4 - make a v4-mapped address
 * @v4: the 4 bytes of an IPv4 address
 * @ip: gets the 16 bytes of the address
 */
void ip_from_v4(const void *v4, unsigned char *ip)
{
	memcpy(ip, ip_v4_prefix, sizeof(ip_v4_prefix));
	memcpy(ip + sizeof(ip_v4_prefix), v4, 4);
}

/**
 * ip_to_text - write an address as text
 * @ip: the 16 bytes of the address
 * @v4: write the IPv4 address of a v4-mapped address
 * @text: gets the text, without brackets; space for IP_TEXT_MAX bytes
 */
void ip_to_text(const unsigned char *ip, bool v4, char *text)
{
	if (v4)
		inet_ntop(AF_INET, ip + sizeof(ip_v4_prefix), text,
			  IP_TEXT_MAX);
	else
		inet_ntop(AF_INET6, ip, text, IP_TEXT_MAX);
}
