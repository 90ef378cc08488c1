// Prints "passed failed skipped" of a vitest JSON report; on standard error it names each skipped test, and with its first failure each
// that passed only at its second try.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const tests = report.testResults.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
for (const test of skipped) console.error(`skipped: ${test.fullName}`);
for (const test of tests.filter(({ status, failureMessages }) => status === 'passed' && failureMessages?.length > 0)) {
  console.error(`unsteady: ${test.fullName}: ${test.failureMessages[0].split('\n')[0]}`);
}
const brokenFiles = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
).length;
console.log(report.numPassedTests, report.numFailedTests + brokenFiles, skipped.length);
