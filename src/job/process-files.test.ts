import { describe, expect, it } from 'vitest';
import { commandTool } from '../../test/fakes/drive.ts';
import { loadWorkflow } from '../../test/fakes/job-kit.ts';
import type { Workflow } from '../cwl/model.ts';
import { mapProcessFiles } from './process-files.ts';

describe('files that a document names', () => {
  it('are replaced wherever they stand, and one process stays one', async () => {
    const tool = commandTool([], {
      requirements: { InitialWorkDirRequirement: { listing: [{ class: 'File', location: 'file:///d/script' }] } },
      inputs: { x: { type: 'File', default: { class: 'File', location: 'file:///d/default' } } },
    });
    const loaded = await loadWorkflow({
      inputs: {},
      outputs: {},
      steps: { s: { run: tool, in: { x: { default: { class: 'Directory', location: 'file:///d' } } }, out: [] } },
    });
    const step = loaded.steps[0];
    if (!step) throw new Error('no step');
    const process = { ...loaded, steps: [step, { ...step, name: 't' }] };
    const seen: string[] = [];
    const mapped = (await mapProcessFiles(process, async (object) => {
      seen.push(String(object.location));
      return { ...object, location: 'keep:stored' };
    })) as Workflow;
    expect(seen.sort()).toEqual(['file:///d', 'file:///d/default', 'file:///d/script']);
    expect(mapped.steps[0]?.in[0]?.default).toMatchObject({ location: 'keep:stored' });
    expect(mapped.steps[0]?.run).toBe(mapped.steps[1]?.run);
    expect(process.steps[0]?.run).not.toBe(mapped.steps[0]?.run);
  });

  it('leave a process without any as it is', async () => {
    const process = await loadWorkflow({ steps: { s: { run: commandTool([]), in: {}, out: [] } } });
    expect(await mapProcessFiles(process, async (object) => object)).toBe(process);
  });
});
