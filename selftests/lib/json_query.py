# SPDX-License-Identifier: GPL-2.0
"""Answers questions about JSON documents, for json() in tap.sh.

json_query.py [DEFINITIONS]

A question is one line of the standard input: the name of a file, a tab, and a
Python expression. In the expression, docs is the list of the documents in the
file, and doc is the last of them. DEFINITIONS are Python statements that define
further names from these two. The answer is one line: "ok" and the value of the
expression, or "error" and the reason. The values of an expression "a, b" have
a space between them.
"""

import json
import re
import sys

DECODER = json.JSONDecoder()
BLANK = re.compile(r"\s*")


def documents(text):
    """Yields each document of a text that contains several."""
    at = BLANK.match(text).end()
    while at < len(text):
        doc, at = DECODER.raw_decode(text, at)
        yield doc
        at = BLANK.match(text, at).end()


def answer(file, definitions, expression):
    with open(file, encoding="utf-8") as stream:
        docs = list(documents(stream.read()))
    names = {"docs": docs, "doc": docs[-1] if docs else None,
             "_values": lambda *values: " ".join(map(str, values))}
    exec(definitions, names)
    return eval(f"_values({expression})", names)


def main():
    definitions = compile("".join(sys.argv[1:]), "definitions", "exec")
    for question in sys.stdin:
        file, _, expression = question.rstrip("\n").partition("\t")
        try:
            line = f"ok {answer(file, definitions, expression)}"
        except Exception as error:
            line = f"error {error!r}"
        print(line.replace("\n", "\\n"), flush=True)


main()
