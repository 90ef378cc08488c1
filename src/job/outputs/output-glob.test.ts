import { describe, expect, it } from 'vitest';
import { loadTool, prepareJob } from '../../../test/fakes/job-kit.ts';
import type { JsonValue } from '../../core/json.ts';

const json = 'cwl.output.json';

describe('output_glob', () => {
  it.each<[JsonValue, readonly string[]]>([
    [{}, []],
    [{ x: { type: 'File', outputBinding: { glob: '*.txt' } } }, ['*.txt', '*.txt/**', json]],
    [{ x: { type: 'Directory', outputBinding: { glob: '$(runtime.outdir)/d/' } } }, ['d/**', json]],
    [{ x: { type: 'Directory', outputBinding: { glob: '.' } } }, []],
    [
      { x: { type: 'File', secondaryFiles: '^.bai', outputBinding: { glob: 'a.bam' } } },
      ['a.bam', 'a.bam/**', 'a.bai', 'a.bai/**', json],
    ],
    [{ x: { type: 'File', secondaryFiles: '^.bai', outputBinding: { glob: 'a*' } } }, []],
    [{ x: { type: 'File', secondaryFiles: '$(self.nameroot).bai', outputBinding: { glob: 'a' } } }, []],
    [{ x: { type: 'File', outputBinding: { outputEval: '$({class: "File", path: "any"})' } } }, []],
    [{ x: { type: 'File', outputBinding: { glob: '$(inputs.none.name)' } } }, []],
    [
      { x: { type: { type: 'record', fields: [{ name: 'f', type: 'File', outputBinding: { glob: 'f' } }] } } },
      ['f', 'f/**', json],
    ],
    [{ x: 'stdout' }, ['out', 'out/**', json]],
  ])('of %j', async (outputs, expected) => {
    const tool = await loadTool({ outputs, stdout: 'out', requirements: { InlineJavascriptRequirement: {} } });
    expect((await prepareJob(tool, {})).job.outputGlob).toEqual(expected);
  });
});
