/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_GLOB_H
#define _ALTCONN_GLOB_H

#include "altconn.h"

struct altconn_glob;

bool altconn_glob_is_whole(const u8 *pattern, size_t len);
struct altconn_glob *altconn_glob_compile(const u8 *pattern, size_t len);
bool altconn_glob_match(const struct altconn_glob *glob, const u8 *text,
			size_t len);

#endif /* _ALTCONN_GLOB_H */
