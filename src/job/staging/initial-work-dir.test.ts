import { describe, expect, it } from 'vitest';
import { createFakeKeep, loadTool, prepareJob, withCode } from '../../../test/fakes/job-kit.ts';
import type { JsonValue } from '../../core/json.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { hostPaths } from '../paths.ts';

const keep = createFakeKeep();
const file = { class: 'File' as const, location: await keep.storeFile('a.txt', 'A') };
const directory = {
  class: 'Directory' as const,
  location: `keep:${(await keep.store({ 'd/x/y': 'Y' })).portableDataHash}/d`,
};
const docker = { DockerRequirement: { dockerPull: 'x' } };

async function stage(listing: JsonValue, inputs: CwlObject = { f: file, d: directory }, requirements = {}) {
  const tool = await loadTool({
    inputs: { f: 'File?', d: 'Directory?', n: 'Any?' },
    requirements: { InlineJavascriptRequirement: {}, InitialWorkDirRequirement: { listing }, ...requirements },
    arguments: ['$(inputs.f.path)'],
  });
  return prepareJob(tool, inputs, { keep });
}

/** Staged entries: target → text, or the kind of what is there. */
async function entriesOf(listing: JsonValue, inputs?: CwlObject) {
  const { job, collections } = await stage(listing, inputs);
  const entries: [string, string][] = [];
  for (const mount of job.mounts) {
    if (mount.kind !== 'keep' || mount.target.startsWith('/keep/')) continue;
    const combined = collections.at(-1);
    const path = mount.location.slice(mount.location.indexOf('/') + 1);
    const text = combined?.files.has(path) ? await keep.readText(combined, path) : 'directory';
    entries.push([mount.target.replace('/var/spool/cwl/', ''), mount.writable ? `${text}, writable` : text]);
  }
  return Object.fromEntries(entries);
}

describe('InitialWorkDirRequirement', () => {
  it.each<[string, JsonValue, Record<string, string>]>([
    ['a file', ['$(inputs.f)'], { 'a.txt': 'A' }],
    ['a directory', ['$(inputs.d)'], { d: 'directory' }],
    ['an expression for all', '$([inputs.f, null])', { 'a.txt': 'A' }],
    ['nested lists and nulls', ['$([inputs.f, inputs.d])', '$(null)', null], { 'a.txt': 'A', d: 'directory' }],
    ['a new name', [{ entryname: 'sub/new', entry: '$(inputs.f)', writable: true }], { 'sub/new': 'A, writable' }],
    ['text', [{ entryname: 'conf', entry: 'x=$(inputs.n)\n' }], { conf: 'x=7\n' }],
    ['a file among white space: its JSON', [{ entryname: 'n', entry: '$(inputs.n)\n' }], { n: '7\n' }],
    ['a number', [{ entryname: 'n', entry: '$(inputs.n)' }], { n: '7' }],
    ['an object', [{ entryname: 'o', entry: '$({b: [1, "x"], a: null})' }], { o: '{"a": null, "b": [1, "x"]}' }],
    ['nothing', [{ entryname: 'o', entry: '$(null)' }], {}],
    ['a literal', ['$({class: "File", basename: "l", contents: "L"})'], { l: 'L' }],
    ['files of one directory', ['$({class: "Directory", basename: "all", listing: [inputs.f]})'], { all: 'directory' }],
    [
      'what lies in another entry',
      [
        { entryname: 'd', entry: '$(inputs.d)' },
        { entryname: 'd/more', entry: 'M' },
        { entryname: 'd-e', entry: 'E' },
      ],
      { d: 'directory', 'd-e': 'E' },
    ],
    ['a path in the output directory', [{ entryname: '$(runtime.outdir)/in/here', entry: 'H' }], { 'in/here': 'H' }],
    ['Dirents of an expression', '$([{entryname: "e", entry: "E", writable: true}])', { e: 'E, writable' }],
  ])('stages %s', async (_name, listing, expected) => {
    expect(await entriesOf(listing, { f: file, d: directory, n: 7 })).toEqual(expected);
  });

  it('lets a staged input be seen there only', async () => {
    const { job } = await stage(['$(inputs.f)']);
    expect(job.command).toEqual(['tool', '/var/spool/cwl/a.txt']);
    expect(job.mounts.map(({ target }) => target)).not.toContainEqual(
      expect.stringMatching(file.location.slice(5, 37)),
    );
  });

  it('stages secondaryFiles beside their file', async () => {
    const withIndex = {
      ...file,
      secondaryFiles: [{ class: 'File' as const, location: await keep.storeFile('a.idx', 'I') }],
    };
    expect(await entriesOf([{ entryname: 's/a.txt', entry: '$(inputs.f)' }], { f: withIndex })).toEqual({
      's/a.txt': 'A',
      's/a.idx': 'I',
    });
  });

  it('tells what may change in place', async () => {
    const listing = [{ entry: '$(inputs.f)', writable: true }];
    const { job } = await stage(listing, { f: file }, { InplaceUpdateRequirement: { inplaceUpdate: true } });
    expect([...job.inplace]).toEqual([[file.location, 'a.txt']]);
  });

  it('takes an absolute entryname where DockerRequirement is required', async () => {
    const listing = [{ entryname: '/data/in', entry: '$(inputs.f)' }];
    const { job } = await stage(listing, { f: file }, docker);
    expect(job.command).toEqual(['tool', '/data/in']);
    await expect(stage(listing)).rejects.toEqual(withCode('job/bad-name', /relative path, got "\/data\/in"/));
  });

  it.each(['../x', 'a/../../x', 'a\0b', '.', ''])('refuses the entryname %j', async (entryname) => {
    await expect(stage([{ entryname, entry: 'x' }])).rejects.toEqual(
      withCode('job/bad-name', /inside the output directory/),
    );
  });

  it.each(['/keep', '/keep/x', '/var', '/var/spool/cwl'])('refuses to hide %s', async (entryname) => {
    await expect(stage([{ entryname, entry: 'x' }], { f: file }, docker)).rejects.toEqual(
      withCode('job/bad-name', /would hide/),
    );
  });

  it.each<[JsonValue, RegExp]>([
    ['$(3)', /expected null, a File, a Directory or a Dirent, got 3/],
    [[{ entryname: '$(3)', entry: 'x' }], /expected entryname to be a string, got 3/],
    [[{ entry: 'text' }], /expected an entryname beside text/],
    [[{ entryname: 'x', entry: '$([inputs.f])' }], /expected no entryname beside a list of Files/],
  ])('refuses %j', async (listing, message) => {
    await expect(stage(listing)).rejects.toEqual(withCode('job/bad-requirement', message));
  });

  it('refuses two entries of one name', async () => {
    const listing = [
      { entryname: 'x', entry: '1' },
      { entryname: 'x', entry: '2' },
    ];
    await expect(stage(listing)).rejects.toEqual(withCode('job/staging-conflict', /"x"/));
  });

  it('keeps text with paths of the host out of collections', async () => {
    const listing = [
      { entryname: 'script', entry: 'cd $(runtime.outdir)' },
      { entryname: 'plain', entry: 'P' },
    ];
    const tool = await loadTool({ requirements: { InitialWorkDirRequirement: { listing } } });
    const { job } = await prepareJob(tool, {}, { keep, paths: hostPaths, inContainer: false });
    expect(job.mounts).toEqual([
      expect.objectContaining({ kind: 'keep', target: '/hallmark.host/out/plain' }),
      { kind: 'text', content: 'cd /hallmark.host/out', target: '/hallmark.host/out/script', secret: false },
    ]);
  });
});
