"""conformance-report.py --skips|--counts|--table SUITE.yaml TAGS FOLDER…: tells what cwltest ran. Runs with the Python that has cwltest.

A folder is called VERSION-EXECUTOR and holds report.xml and cwltest.txt, what cwltest wrote, and skipped.txt, the tests that
are left out, each with its reason. A test that the runner calls unsupported (exit 33) is a failure: the suites are run without
exceptions. TAGS are those that the tests were chosen by, if any.

--skips: the tests of skipped.txt that TAGS choose, as cwltest takes them: it refuses to leave out what it would not run.
--counts: a line of counts, the skipped and the failed tests with it; "passed failed skipped" into counts.txt. Exit code 1 if
a test failed, or none was run: then counts.txt stays as it was.
--table: for each tag and folder how many of its tests passed, and what a folder's outputs have otherwise than the first one's.

cwltest names the cases of its report by their place in the whole suite even where tests are left out, so that names and tags
shift. The cases are in the order of the suite; the log says which of the tests with the chosen tags were run.
"""

import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as tree

from ruamel.yaml import YAML

Result = collections.namedtuple("Result", "id doc tags failed output")


def load_suite(path):
    """The tests in order, those of the indexes that it imports too."""
    for test in YAML(typ="safe").load(path):
        if "$import" in test:
            yield from load_suite(path.parent / test["$import"])
        else:
            yield test


def short_id(test):
    return str(test.get("id", test.get("label", "")))


def executor_of(folder):
    return folder.name.partition("-")[2]


def read_results(tests, folder):
    cases = list(tree.parse(folder / "report.xml").iter("testcase"))
    log = (folder / "cwltest.txt").read_text(encoding="utf-8", errors="replace")
    numbers = sorted({int(number) for number in re.findall(r"^Test \[(\d+)/\d+\] ", log, re.MULTILINE)})
    if len(numbers) != len(cases):
        sys.exit(f"conformance: the log in {folder} names {len(numbers)} tests, its report {len(cases)}")
    return [to_result(tests[number - 1], case) for number, case in zip(numbers, cases)]


def to_result(test, case):
    failed = any(case.find(outcome) is not None for outcome in ("failure", "error", "skipped"))
    return Result(short_id(test), test.get("doc", "").strip(), test.get("tags", []), failed, case.findtext("system-out") or "")


def read_skipped(tests, folder):
    """Those that would have been run."""
    ids = {short_id(test) for test in tests}
    lines = (line.partition(" ") for line in (folder / "skipped.txt").read_text().splitlines())
    return [(id, why) for id, _, why in lines if id in ids]


def print_counts(tests, folder):
    version, executor = folder.name.partition("-")[0], executor_of(folder)
    if not (folder / "report.xml").exists():
        print(f"{version:<6} {executor:<9} cwltest did not run")
        return False
    results, skipped = read_results(tests, folder), read_skipped(tests, folder)
    failed = [result for result in results if result.failed]
    counts = (len(results) - len(failed), len(failed), len(skipped))
    print("{:<6} {:<9} {:4} passed {:4} failed {:4} skipped".format(version, executor, *counts))
    for id, why in skipped:
        print(f"  skipped: {id}: {why}")
    for result in failed:
        print(f"  failed: {result.id}: {result.doc}")
    (folder / "counts.txt").write_text("{} {} {}\n".format(*counts))
    return not failed


def print_tags(runs):
    """runs: results by executor."""
    totals = {executor: collections.Counter(tag for result in results for tag in result.tags) for executor, results in runs.items()}
    passed = {
        executor: collections.Counter(tag for result in results if not result.failed for tag in result.tags)
        for executor, results in runs.items()
    }
    tags = sorted({tag for counter in totals.values() for tag in counter})
    print("  {:<26}".format("tag") + "".join(f"{executor:>11}" for executor in runs))
    for tag in tags:
        cells = (f"{passed[executor][tag]}/{totals[executor][tag]}" for executor in runs)
        print(f"  {tag:<26}" + "".join(f"{cell:>11}" for cell in cells))


def normal(value, folder):
    """An output without the place that it lies in, which is another one in each run."""
    if isinstance(value, dict):
        return {key: normal(one, folder) for key, one in sorted(value.items())}
    if isinstance(value, list):
        return [normal(one, folder) for one in value]
    if isinstance(value, str):
        return re.sub(rf"(file://)?{re.escape(str(folder))}/[^/]+/|/.*/work/scratch/[^/]+/[^/]+/", "", value)
    return value


def read_outputs(results, folder):
    outputs = {}
    for result in results:
        try:
            outputs[result.id] = normal(json.loads(result.output), folder)
        except ValueError:
            outputs[result.id] = None
    return outputs


def print_differences(outputs):
    """outputs: by executor, then by test. A test that only one of them runs differs from nothing."""
    (first, expected), *others = outputs.items() or [("", {})]
    for executor, got in others:
        same = [id for id in got if id in expected and got[id] == expected[id]]
        differing = [id for id in got if id in expected and got[id] != expected[id]]
        print(f"  outputs of {executor} and {first}: {len(same)} equal, {len(differing)} differ")
        for id in differing:
            print(f"    {id}:\n      {first}: {json.dumps(expected[id])[:400]}\n      {executor}: {json.dumps(got[id])[:400]}")


def print_table(tests, folders):
    present = {executor_of(folder): folder for folder in folders if (folder / "report.xml").exists()}
    runs = {executor: read_results(tests, folder) for executor, folder in present.items()}
    print_tags(runs)
    print_differences({executor: read_outputs(runs[executor], folder) for executor, folder in present.items()})


def main(mode, suite, tags, *names):
    chosen = {tag for tag in tags.split(",") if tag}
    tests = [test for test in load_suite(pathlib.Path(suite)) if not chosen or chosen & set(test.get("tags", []))]
    folders = [pathlib.Path(name) for name in names]
    if mode == "--table":
        print_table(tests, folders)
    elif mode == "--skips":
        print(",".join(id for id, _ in read_skipped(tests, *folders)))
    elif not print_counts(tests, *folders):
        sys.exit(1)


main(*sys.argv[1:])
