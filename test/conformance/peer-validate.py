#!/usr/bin/env python3
"""Validates with cwltool each document named on standard input; a line of JSON for each: path, exit code, what it said.

cwltool and its schemas are loaded once; each document gets a process of its own.
"""
import contextlib
import io
import json
import os
import signal
import sys

import cwltool.main
import cwltool.process

TIME_LIMIT_SECONDS = 180


def validate(path):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        arguments = ["--validate", "--skip-schemas", "--enable-ext", "--disable-color", path]
        code = cwltool.main.main(arguments, stdout=io.StringIO(), stderr=said)
    return {"path": path, "code": code, "said": said.getvalue()[-4000:]}


def in_own_process(path):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(TIME_LIMIT_SECONDS)
        try:
            os.write(writer, json.dumps(validate(path)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as result:
        text = result.read().decode()
    os.waitpid(child, 0)
    return text or json.dumps({"path": path, "code": None, "said": "no answer in time, or it crashed"})


for version in ("v1.0", "v1.1", "v1.2"):
    cwltool.process.get_schema(version)
for line in sys.stdin:
    print(in_own_process(line.rstrip("\n")), flush=True)
