import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadTool } from '../../test/fakes/job-kit.ts';
import { createRunKit, type RunKit } from '../../test/fakes/run-kit.ts';
import type { JsonValue } from '../core/json.ts';
import { inheritRequirements, noRequirements } from '../job/requirements.ts';
import { storeDocumentFiles } from './document-files.ts';
import { createInputStore } from './inputs.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const inKeep = expect.stringMatching(/^keep:[0-9a-f]{32}\+\d+/);

/** The location of a new file of this machine. */
async function hostFile(name: string): Promise<string> {
  const path = join(kit.folder, name);
  await writeFile(path, name);
  return pathToFileURL(path).href;
}

async function store(fields: { readonly [field: string]: JsonValue }, inputs = {}) {
  const process = await loadTool(fields);
  const requirements = inheritRequirements(noRequirements, process);
  const inputStore = createInputStore({ api: kit.api, blocks: kit.blocks });
  return storeDocumentFiles({ id: 1, name: 'step', process, inputs, requirements }, inputStore);
}

describe('the files that a document names', () => {
  it('as defaults are in Keep, beside the values that are given', async () => {
    const location = await hostFile('default.txt');
    const inputs = { a: { type: 'File', default: { class: 'File', location } }, b: 'int' };
    const job = await store({ inputs }, { b: 3 });
    expect(job.inputs).toMatchObject({
      a: { class: 'File', location: inKeep, basename: 'default.txt', size: 11 },
      b: 3,
    });
  });

  it.each(['requirements', 'hints'] as const)(
    'in an InitialWorkDirRequirement of the %s are in Keep',
    async (where) => {
      const location = await hostFile('staged.txt');
      await mkdir(join(kit.folder, 'folder'));
      await writeFile(join(kit.folder, 'folder/in'), 'x');
      const folder = pathToFileURL(join(kit.folder, 'folder')).href;
      const listing = [
        { class: 'File', location },
        { entryname: 'as', entry: { class: 'Directory', location: folder } },
        { entryname: 'text', entry: 'plain' },
      ];
      const job = await store({ [where]: { InitialWorkDirRequirement: { listing } } });
      const [staged] = job.requirements[where];
      expect(staged?.fields.listing).toEqual([
        expect.objectContaining({ class: 'File', location: inKeep }),
        expect.objectContaining({ entryname: 'as', entry: expect.objectContaining({ location: inKeep }) }),
        expect.objectContaining({ entryname: 'text', entry: 'plain' }),
      ]);
    },
  );

  it('stay as they are where an expression makes the listing, and in other requirements', async () => {
    const listing = '$(inputs.files)';
    const envDef = [{ envName: 'A', envValue: 'file:///a' }];
    const job = await store({
      requirements: { InitialWorkDirRequirement: { listing }, EnvVarRequirement: { envDef } },
    });
    expect(job.requirements.requirements.map(({ fields }) => fields)).toEqual([{ listing }, { envDef }]);
  });

  it('and that are not there are named', async () => {
    const listing = [{ class: 'File', location: pathToFileURL(join(kit.folder, 'none')).href }];
    await expect(store({ requirements: { InitialWorkDirRequirement: { listing } } })).rejects.toMatchObject({
      code: 'run/input-missing',
      message: expect.stringContaining('/none'),
    });
  });
});
