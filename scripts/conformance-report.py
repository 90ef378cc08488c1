"""conformance-report.py REPORT.xml: counts a JUnit report of cwltest.

Standard output: "passed failed". Standard error: each failed test by id and name, and the tags that have failures.
A test that the runner calls unsupported (exit 33) is a failure: the suites are run without exceptions.
"""
import collections
import sys
import xml.etree.ElementTree as tree


def is_failed(case):
    return any(case.find(outcome) is not None for outcome in ("failure", "error", "skipped"))


def main(path):
    cases = list(tree.parse(path).iter("testcase"))
    failed = [case for case in cases if is_failed(case)]
    totals, failures = collections.Counter(), collections.Counter()
    for case in cases:
        for tag in (case.get("class") or "").split(", "):
            totals[tag] += 1
            failures[tag] += is_failed(case)
    for case in failed:
        print(f"failed: {case.get('file')}: {case.get('name')}", file=sys.stderr)
    for tag in sorted(tag for tag in failures if failures[tag]):
        print(f"  tag {tag}: {totals[tag] - failures[tag]} of {totals[tag]}", file=sys.stderr)
    print(len(cases) - len(failed), len(failed))


main(sys.argv[1])
