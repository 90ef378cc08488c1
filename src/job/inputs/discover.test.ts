import { describe, expect, it } from 'vitest';
import { fakeJavascript, loadTool, withCode } from '../../../test/fakes/job-kit.ts';
import type { JsonValue } from '../../core/json.ts';
import { InvalidDocumentError } from '../../cwl/errors.ts';
import { parseInputObject } from '../../cwl/input/job.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { inheritRequirements, noRequirements } from '../requirements.ts';
import { discoverSecondaryFiles } from './discover.ts';
import { applyPattern } from './secondary-files.ts';

const host = new Map<string, 'File' | 'Directory'>([
  ['file:///d/a.bam', 'File'],
  ['file:///d/a.bam.bai', 'File'],
  ['file:///d/a.dict', 'File'],
  ['file:///d/my%20dir', 'Directory'],
]);
const reads = { class: 'File' as const, location: 'file:///d/a.bam' };

async function discover(input: JsonValue, value: CwlObject[string]) {
  const process = await loadTool({ requirements: { InlineJavascriptRequirement: {} }, inputs: { x: input } });
  const requirements = inheritRequirements(noRequirements, process);
  const probe = async (location: string) => host.get(location);
  const { root } = parseInputObject('{}', 'file:///job.yml');
  const options = { javascript: fakeJavascript, requirements, probe, root };
  const { x } = await discoverSecondaryFiles(process, { x: value }, options);
  return [...JSON.stringify(x).matchAll(/"location":"([^"]*)"/g)].map(([, location]) => location);
}

const secondaryFiles = ['.bai', '^.dict', '.none?', '$("my dir")'];
const all = ['file:///d/a.bam', 'file:///d/a.bam.bai', 'file:///d/a.dict', 'file:///d/my%20dir'];

describe('secondaryFiles of the inputs of a run', () => {
  it.each<[string, JsonValue, CwlObject[string], readonly string[]]>([
    ['of a file', { type: 'File', secondaryFiles }, reads, all],
    ['of files in a list', { type: 'File[]', secondaryFiles }, [reads, reads], [...all, ...all]],
    [
      'of a field of a record',
      { type: { type: 'record', fields: [{ name: 'f', type: 'File', secondaryFiles }] } },
      { f: reads },
      all,
    ],
    [
      'that are given already',
      { type: 'File', secondaryFiles: ['.bai'] },
      { ...reads, secondaryFiles: [{ class: 'File', location: 'file:///other/a.bam.bai' }] },
      ['file:///d/a.bam', 'file:///other/a.bam.bai'],
    ],
    [
      'that an expression names in full',
      { type: 'File', secondaryFiles: ['$({class: "File", location: "file:///d/x/y"})'] },
      reads,
      ['file:///d/a.bam', 'file:///d/x/y'],
    ],
    ['of nothing', { type: 'File?', secondaryFiles }, null, []],
  ])('are found: %s', async (_name, input, value, expected) => expect(await discover(input, value)).toEqual(expected));

  it.each([
    '$({class: "File", location: "file:///etc/passwd"})',
    '$({class: "Directory", basename: "d", listing: [{class: "File", location: "/etc/passwd"}]})',
    '$("../../etc/passwd")',
    '/../../etc/passwd',
  ])('lie nowhere else: %s', async (pattern) => {
    const run = discover({ type: 'File', secondaryFiles: [pattern] }, reads);
    await expect(run).rejects.toEqual(
      withCode('job/bad-location', /^secondaryFiles of x: expected a File that the step was given, got .*etc\/passwd$/),
    );
  });

  it('must be there when they are required', async () => {
    const run = discover({ type: 'File', secondaryFiles: ['.csi'] }, reads);
    await expect(run).rejects.toEqual(withCode('cwl/bad-input', /^input x: there is no "a.bam.csi" beside "a.bam"$/));
  });

  it('are told all at once, each with its place and what asked for it', async () => {
    const { root, values } = parseInputObject(
      `x: {class: File, location: 'file:///d/b.bam'}
y:
- {class: File, location: 'file:///d/a.bam'}
- f: {class: File, location: 'file:///d/c.bam'}
`,
      'file:///job.yml',
    );
    const record = { type: 'record', fields: [{ name: 'f', type: 'File', secondaryFiles: ['^.dict'] }] };
    const process = await loadTool({
      inputs: {
        x: { type: 'File', secondaryFiles: ['.bai', '^.dict', '.none?'] },
        y: { type: { type: 'array', items: ['File', record] }, secondaryFiles: ['.csi'] },
      },
    });
    const options = { javascript: fakeJavascript, requirements: noRequirements, probe: async () => undefined, root };
    const error: unknown = await discoverSecondaryFiles(process, values, options).catch((thrown: unknown) => thrown);
    const problems = error instanceof InvalidDocumentError ? error.problems : [];
    expect(problems.map(({ position, message, hint }) => [position.line, position.column, message, hint])).toEqual([
      [1, 4, 'input x: there is no "b.bam.bai" beside "b.bam"', expect.stringMatching(/asks for it with "\.bai": /)],
      [1, 4, 'input x: there is no "b.dict" beside "b.bam"', expect.stringMatching(/:\d+ asks for it with "\^\.dict"/)],
      [3, 3, 'input y[0]: there is no "a.bam.csi" beside "a.bam"', expect.stringMatching(/"\.csi"/)],
      [4, 6, 'input y[1].f: there is no "c.dict" beside "c.bam"', expect.stringMatching(/"\^\.dict"/)],
    ]);
  });

  it('are names, or objects', async () => {
    await expect(discover({ type: 'File', secondaryFiles: ['$(3)'] }, reads)).rejects.toEqual(
      withCode('job/bad-binding', /got 3/),
    );
  });

  it.each([
    ['a.tar.gz', '.md5', 'a.tar.gz.md5'],
    ['a.tar.gz', '^.md5', 'a.tar.md5'],
    ['a.tar.gz', '^^.md5', 'a.md5'],
    ['a', '^^.md5', 'a.md5'],
    ['d.x/a', '^.md5', 'd.x/a.md5'],
  ])('%s with %s is %s', (name, pattern, expected) => expect(applyPattern(name, pattern)).toBe(expected));
});
