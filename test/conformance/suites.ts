import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createSource, toJson } from '../../src/cwl/syntax/node.ts';
import { parseSource } from '../../src/cwl/syntax/parse.ts';

export interface SuiteTest {
  readonly id: string;
  /** Absolute path, with the fragment that the test names. */
  readonly tool: string;
  readonly job?: string;
  readonly shouldFail: boolean;
}

const root = process.env.HALLMARK_CONFORMANCE ?? resolve(import.meta.dirname, '../../../shared/conformance');

export const suiteVersions = ['v1.0', 'v1.1', 'v1.2'] as const;
export type SuiteVersion = (typeof suiteVersions)[number];

/** Folder of a suite; nothing, where the suites are not on this machine. */
export function suiteFolder(version: SuiteVersion): string | undefined {
  const folder = join(root, version);
  return existsSync(folder) ? folder : undefined;
}

export const documentsOf = (folder: string): readonly string[] =>
  globSync('**/*.cwl', { cwd: folder })
    .sort()
    .map((path) => join(folder, path));

/** The tests of a suite, those of the indexes that it imports too. */
export function testsOf(folder: string): readonly SuiteTest[] {
  const [index] = globSync('conformance_test*.yaml', { cwd: folder });
  return index === undefined ? [] : readIndex(join(folder, index));
}

function readIndex(path: string): readonly SuiteTest[] {
  const items = toJson(parseSource(createSource(path, readFileSync(path, 'utf8')))) as readonly Record<
    string,
    unknown
  >[];
  return items.flatMap((item) => {
    const folder = dirname(path);
    if (typeof item.$import === 'string') return readIndex(join(folder, item.$import));
    const job = typeof item.job === 'string' ? { job: join(folder, item.job) } : {};
    return [
      {
        id: String(item.id ?? item.label),
        tool: join(folder, String(item.tool)),
        ...job,
        shouldFail: item.should_fail === true,
      },
    ];
  });
}
