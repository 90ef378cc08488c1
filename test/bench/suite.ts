/**
 * The suite of CWL v1.2 under `cwltest -j2` on the host, with this runner and with cwltool: `node test/bench/suite.ts [1-120]`. Takes
 * many minutes. The suites are looked for in `HALLMARK_CONFORMANCE`; tests that need a container or the internet are left out for both.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suiteFolder } from '../conformance/suites.ts';
import { find, type Measure, measureOnce } from './measure.ts';
import { formatLine, heading } from './table.ts';

const root = resolve(import.meta.dirname, '../..');
const suite = suiteFolder('v1.2');
const cwltest = find(join(root, '.cache/cwltest/bin/cwltest')) ?? find('cwltest');
const cwltool = process.env.CWLTOOL ?? find('cwltool');
const skipped = ['networkaccess', 'dockeroutputdir', 'docker_entrypoint', 'iwd-container-entryname1'];
const [numbers] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), 'hallmark-bench-suite-'));

interface Run extends Measure {
  readonly passed: number;
  readonly failed: number;
}

function runSuite(program: string, tool: string, args: readonly string[]): Run {
  const report = join(dir, 'report.xml');
  const tests = ['--test', join(suite ?? '', 'conformance_tests.yaml'), '-S', skipped.join(',')];
  const chosen = numbers === undefined ? [] : ['-n', numbers];
  const options = ['--tool', tool, '-j2', '--timeout', '120', '--junit-xml', report];
  const measure = measureOnce(
    [program, ...tests, ...chosen, ...options, '--', ...args],
    dir,
    join(dir, 'home'),
    [0, 1],
  );
  const text = readFileSync(report, 'utf8');
  const failed = text.match(/<(failure|error|skipped)\b/g)?.length ?? 0;
  const total = text.match(/<testcase\b/g)?.length ?? 0;
  return { ...measure, passed: total - failed, failed };
}

function compare(program: string): void {
  const ours = runSuite(program, join(root, 'bin/cwl-runner'), ['--no-container', '--disable-reuse']);
  const theirs = cwltool === undefined ? undefined : runSuite(program, cwltool, ['--no-container']);
  const counts = [ours, theirs].map((run) =>
    run === undefined ? 'none' : `${run.passed} passed, ${run.failed} failed`,
  );
  console.log(heading('cwltool'));
  const name = `v1.2 suite, -j2, host${numbers === undefined ? '' : `, tests ${numbers}`}`;
  console.log(formatLine({ name, ours, theirs, bound: { ratio: 0.25 }, note: counts.join('; cwltool: ') }));
}

try {
  if (suite === undefined) console.log('v1.2 suite skipped: HALLMARK_CONFORMANCE names no folder of the suites');
  else if (cwltest === undefined) console.log('v1.2 suite skipped: no cwltest (make conformance installs one)');
  else compare(cwltest);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
