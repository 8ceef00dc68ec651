# SPDX-License-Identifier: GPL-2.0
"""How Sphinx builds the pages of this folder. `make htmldocs` runs it."""

import os
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "Documentation/sphinx"))

project = "altconn"
author = "the authors of altconn"
version = re.search(r'ALTCONN_VERSION\s+"(.*)"',
                    (TOP / "kmod/altconn.h").read_text()).group(1)
release = version

extensions = ["myst_parser", "source_file", "manual_pages"]
exclude_patterns = ["sphinx"]
# Annotations of the kernel in declarations.
c_id_attributes = ["__init", "__exit", "__percpu", "__rcu", "__user"]
html_title = f"altconn {version}"
html_copy_source = False
html_show_copyright = False
highlight_language = "none"

source_top = TOP

# The path of the script that extracts kernel-doc comments from C.
kernel_doc = os.environ.get("KERNEL_DOC", "scripts/kernel-doc")

# Every reference has to resolve. The types of C and of the kernel have no page
# here, so only the names of this module and its structures count.
nitpicky = True
nitpick_ignore_regex = [("c:identifier", r"(?!altconn|sockaddr_altconn).*")]
