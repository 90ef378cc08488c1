"""conformance-report.py SUITE.yaml REPORT.xml LOG: counts what cwltest ran. Runs with the Python that has cwltest.

Standard output: "passed failed". Standard error: each failed test by id and name, and the tags that have failures.
A test that the runner calls unsupported (exit 33) is a failure: the suites are run without exceptions.

cwltest names the cases of its report by their place in the whole suite even where tests are left out, so that names and tags
shift. The cases are in the order of the suite; the log says which tests were run.
"""

import collections
import re
import sys
import xml.etree.ElementTree as tree

from cwltest.utils import load_and_validate_tests


def is_failed(case):
    return any(case.find(outcome) is not None for outcome in ("failure", "error", "skipped"))


def main(suite, report, log):
    tests, _ = load_and_validate_tests(suite)
    cases = list(tree.parse(report).iter("testcase"))
    with open(log, encoding="utf-8", errors="replace") as lines:
        numbers = {int(found[1]) for line in lines if (found := re.match(r"Test \[(\d+)/\d+\] ", line))}
    if len(numbers) != len(cases):
        sys.exit(f"conformance: {log} names {len(numbers)} tests, {report} {len(cases)}")
    totals, failures, failed = collections.Counter(), collections.Counter(), 0
    for number, case in zip(sorted(numbers), cases):
        test = tests[number - 1]
        for tag in test.get("tags", []):
            totals[tag] += 1
            failures[tag] += is_failed(case)
        if is_failed(case):
            failed += 1
            print(f"failed: {test.get('id', '').rpartition('#')[2]}: {test.get('doc', '').strip()}", file=sys.stderr)
    for tag in sorted(tag for tag in failures if failures[tag]):
        print(f"  tag {tag}: {totals[tag] - failures[tag]} of {totals[tag]}", file=sys.stderr)
    print(len(cases) - failed, failed)


main(*sys.argv[1:])
