/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An IP address has 16 bytes everywhere in the tool. An IPv4 address is
 * v4-mapped.
 */
#ifndef ALTCONN_TOOL_IP_H
#define ALTCONN_TOOL_IP_H

#include <netinet/in.h>
#include <stdbool.h>

#define IP_TEXT_MAX	INET6_ADDRSTRLEN

bool ip_parse(const char *text, int family, unsigned char *ip);
bool ip_is_v4(const unsigned char *ip);
void ip_from_v4(const void *v4, unsigned char *ip);
void ip_to_text(const unsigned char *ip, bool v4, char *text);

#endif /* ALTCONN_TOOL_IP_H */
