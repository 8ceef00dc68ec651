# SPDX-License-Identifier: GPL-2.0
"""The directive source-file:: PATH shows a source file: the comment at its top,
and the kernel-doc comments of its functions and structures. The kernel's
script kernel-doc extracts these. Each source file with kernel-doc comments has
to be on a page."""

import re
import subprocess

import sphinx
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

log = logging.getLogger(__name__)


def opening(text):
    """The first comment of more than one line, without its stars."""
    comment = re.search(r"^/\*\n(.*?)\n \*/$", text, flags=re.M | re.S)
    if not comment or re.search(r"^(#|\w)", text[:comment.start()], flags=re.M):
        return None
    return re.sub(r"^ \* ?", "", comment.group(1), flags=re.M).expandtabs(8)


class SourceFile(SphinxDirective):
    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        file = self.config.source_top / name
        self.env.note_dependency(str(file))
        self.env.source_files.add(name)
        text = file.read_text()
        section = nodes.section(ids=[nodes.make_id(name)])
        section += nodes.title("", "", nodes.literal("", name))
        if opening(text):
            section += nodes.literal_block("", opening(text))
        if re.search(r"^/\*\*", text, flags=re.M):
            lines = StringList(list(self.extract(file)), source=str(file))
            self.state.nested_parse(lines, 0, section)
        return [section]

    def extract(self, file):
        done = subprocess.run(
            [self.config.kernel_doc, "-rst", "-sphinx-version",
             sphinx.__version__, str(file)], capture_output=True, text=True)
        for line in done.stderr.splitlines():
            # The netlink specification has no entry for the highest value.
            if not re.search(r"_MAX' not described in enum", line):
                log.warning("kernel-doc: %s", line)
        if done.returncode:
            log.warning("kernel-doc fails for %s", file)
        for line in done.stdout.splitlines():
            # C lets a function and a structure, or an enum, have one name.
            # Sphinx does not.
            if line.startswith(".. c:"):
                function = re.match(r"\.\. c:function::.*?(\w+) \(", line)
                shared = function and function.group(1) in self.env.structures
                yield f".. c:namespace:: {'functions' if shared else 'NULL'}"
                yield ""
            # The IPv6 address :: at the end of a line begins no block.
            yield re.sub(r"\s::$", r" :\\:", line)


def check(app, env):
    """Every source file with kernel-doc comments is on a page."""
    for file in sources(app):
        name = str(file.relative_to(app.config.source_top))
        if name not in env.source_files and \
                re.search(r"^/\*\*", file.read_text(), flags=re.M):
            log.warning("no page shows %s", name)


def sources(app):
    for pattern in ("kmod/*.[ch]", "uapi/linux/*.h"):
        yield from sorted(app.config.source_top.glob(pattern))


def prepare(app, env, docnames):
    if not hasattr(env, "source_files"):
        env.source_files = set()
    env.structures = set()
    for file in sources(app):
        env.structures |= set(re.findall(r"^ \* (?:struct|enum) (\w+) - ",
                                         file.read_text(), flags=re.M))


def setup(app):
    app.add_config_value("kernel_doc", "scripts/kernel-doc", "env")
    app.add_config_value("source_top", None, "env")
    app.add_directive("source-file", SourceFile)
    app.connect("env-before-read-docs", prepare)
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": False, "version": "1"}
