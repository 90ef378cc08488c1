import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFileFetcher } from '../../src/adapters/fetch/file.ts';
import { checkInputs } from '../../src/cwl/input/check.ts';
import { loadInputObject, parseInputObject } from '../../src/cwl/input/job.ts';
import { loadDocument, loadProcess } from '../../src/cwl/load.ts';
import { pack } from '../../src/cwl/output/pack.ts';
import { checkWithObjectModel } from '../contract/cwl-object-model.ts';
import { createRandom, mutate } from './cwl-mutations.ts';
import { documentsOf, type SuiteTest, suiteFolder, suiteVersions, testsOf } from './suites.ts';

const files = createFileFetcher();
const toUri = (path: string): string => {
  const [file = '', fragment] = path.split('#');
  return pathToFileURL(file).href + (fragment === undefined ? '' : `#${fragment}`);
};

async function load({ tool, job }: SuiteTest): Promise<void> {
  const process = await loadProcess(toUri(tool), { fetcher: files });
  const inputs = job === undefined ? parseInputObject('', 'file:///') : await loadInputObject(toUri(job), files);
  checkInputs(process, inputs);
}

/** Tests that fail by their documents or inputs alone, before anything runs. */
const refused: ReadonlySet<string> = new Set([
  'expression_any_nodefaultany',
  'expression_any_null_nodefaultany',
  'any_without_defaults_unspecified_fails',
  'any_without_defaults_specified_fails',
  'all_non_null_multi_with_non_array_output',
  'all_non_null_multi_with_non_array_output_nojs',
  'invalid_syntax_v10_uses_v12_tool',
  'invalid_syntax_v11_uses_v12_tool',
  'invalid_syntax_v10_uses_v12_workflow',
  'invalid_syntax_v11_uses_v12_workflow',
  'invalid_syntax_mixed_v12_workflow',
]);

describe.each(suiteVersions)('the suite of CWL %s', (version) => {
  const folder = suiteFolder(version);
  it.skipIf(folder === undefined)(
    '(skipped where HALLMARK_CONFORMANCE names no folder of the suites) has documents that load',
    async () => {
      const tests = testsOf(folder ?? '');
      expect(tests.length).toBeGreaterThan(190);
      const wrong: string[] = [];
      for (const test of tests) {
        const error: unknown = await load(test).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if ((error !== undefined) !== (test.shouldFail && refused.has(test.id)))
          wrong.push(`${test.id}: ${String(error)}`);
      }
      expect(wrong).toEqual([]);
    },
  );
});

describe('packed documents', () => {
  const folder = suiteFolder('v1.2');
  it.skipIf(folder === undefined)(
    '(skipped without the suites) read back the same, and pass the object model',
    async () => {
      const tools = new Set(testsOf(folder ?? '').flatMap(({ tool, shouldFail }) => (shouldFail ? [] : [tool])));
      expect(tools.size).toBeGreaterThan(200);
      for (const tool of tools) {
        const packed = pack(await loadProcess(toUri(tool), { fetcher: files }));
        const fetchText = () => Promise.resolve(JSON.stringify(packed));
        expect(pack(await loadProcess('file:///packed.cwl', { fetcher: { ...files, fetchText } })), tool).toEqual(
          packed,
        );
        await checkWithObjectModel(packed, 'file:///packed.cwl');
      }
    },
  );
});

describe('mutated documents', () => {
  const folder = suiteFolder('v1.2');
  it.skipIf(folder === undefined)(
    '(skipped without the suites) are refused with a position, or differ in nothing that matters',
    async () => {
      const random = createRandom(7);
      const counts = { refused: 0, accepted: 0 };
      for (const path of documentsOf(folder ?? '')) {
        const uri = toUri(path);
        const text = readFileSync(path, 'utf8');
        if (
          await loadDocument(uri, { fetcher: files }).then(
            () => false,
            () => true,
          )
        )
          continue;
        for (const mutation of mutate(text, 4, random)) {
          const fetchText = (asked: string) =>
            asked === uri ? Promise.resolve(mutation.text) : files.fetchText(asked);
          const error: unknown = await loadDocument(uri, { fetcher: { ...files, fetchText } }).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (error === undefined) counts.accepted += 1;
          else {
            counts.refused += 1;
            const where = { file: expect.any(String), line: expect.any(Number), column: expect.any(Number) };
            expect(error, `${path}: ${mutation.what}`).toMatchObject({ code: expect.stringMatching(/^cwl\//), where });
          }
        }
      }
      // Each of those accepted, as cwltool 3.3 accepts it: a type swapped for another that fits, a text that may be any text.
      expect(counts).toEqual({ refused: 1310, accepted: 30 });
    },
  );
});
