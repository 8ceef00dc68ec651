# SPDX-License-Identifier: GPL-2.0
"""The directive manual-pages:: lists the manual pages in the folder of the page
that has the directive. mandoc turns them into HTML, beside that page."""

import pathlib
import re
import subprocess

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

# mandoc takes the first form for a page that exists, else the second form.
LINKS = "%N.%S.html;https://manpages.debian.org/%N.%S"


def pages(folder):
    return sorted(folder.glob("*.[1-8]"), key=lambda page: (page.suffix, page))


class ManualPages(SphinxDirective):
    def run(self):
        here = pathlib.Path(self.env.doc2path(self.env.docname)).parent
        self.env.manual_pages = str(here.relative_to(self.env.srcdir))
        items = nodes.bullet_list()
        for page in pages(here):
            self.env.note_dependency(str(page))
            name = f"{page.stem}({page.suffix[1:]})"
            what = re.search(r"^\.Nd (.*)", page.read_text(), flags=re.M)
            line = nodes.paragraph()
            line += nodes.reference("", name, internal=False,
                                    refuri=f"{page.name}.html")
            line += nodes.Text(f": {what.group(1)}")
            items += nodes.list_item("", line)
        return [items]


def write(app, exception):
    if exception or app.builder.format != "html":
        return
    out = pathlib.Path(app.outdir) / app.env.manual_pages
    found = pages(pathlib.Path(app.srcdir) / app.env.manual_pages)
    for page in found:
        (out / f"{page.name}.html").touch()
    for page in found:
        html = subprocess.run(["mandoc", "-T", "html", "-O", f"toc,man={LINKS}",
                               str(page)], cwd=out, check=True,
                              capture_output=True).stdout
        (out / f"{page.name}.html").write_bytes(html)


def setup(app):
    app.add_directive("manual-pages", ManualPages)
    app.connect("build-finished", write)
    return {"parallel_read_safe": False, "version": "1"}
