#!/usr/bin/env python3
"""Validates with cwltool each document named on standard input; a line of JSON for each: path, exit code, what it said.

cwltool and its schemas are loaded once; each document gets a process of its own.
"""
import json
import os
import signal
import sys
import tempfile

import cwltool.main
import cwltool.process

TIME_LIMIT_SECONDS = 180
SAID_CHARACTERS = 4000


def validate(path):
    return cwltool.main.main(["--validate", "--skip-schemas", "--enable-ext", "--disable-color", path])


def in_own_process(path):
    """The exit code is that of the process: what ends it early is told by a number above those of cwltool."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            signal.alarm(TIME_LIMIT_SECONDS)
            code = 99
            try:
                code = validate(path)
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        text = said.read().decode(errors="replace")[-SAID_CHARACTERS:]
    code = os.waitstatus_to_exitcode(status)
    return {"path": path, "code": code if code in (0, 1, 33) else None, "said": text}


for version in ("v1.0", "v1.1", "v1.2"):
    cwltool.process.get_schema(version)
for line in sys.stdin:
    print(json.dumps(in_own_process(line.rstrip("\n"))), flush=True)
