/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The test programs share the functions of these headers. No function reports
 * to the harness: a function returns -1 with errno, or a value that the test
 * compares.
 */
#ifndef _ALTCONN_TEST_H
#define _ALTCONN_TEST_H

#include <errno.h>
#include <poll.h>
#include "addr.h"
#include "child.h"
#include "dump.h"
#include "event.h"
#include "fault.h"
#include "file.h"
#include "job.h"
#include "kernel.h"
#include "netns.h"
#include "option.h"
#include "page.h"
#include "rule.h"
#include "sock.h"
#include "sum.h"
#include "tool.h"
#include "trace.h"
#include "wait.h"

#endif /* _ALTCONN_TEST_H */
