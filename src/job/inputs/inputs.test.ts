import { describe, expect, it } from 'vitest';
import { loadTool, withCode } from '../../../test/fakes/job-kit.ts';
import { checkFormats, type FormatCheck } from './inputs.ts';

const literal = { evaluate: async (value: unknown) => value as string, evaluateText: async () => null };
const bam = 'http://x/bam';

async function check(format: string, fits?: FormatCheck): Promise<void> {
  const tool = await loadTool({ inputs: { reads: { type: 'File[]', format: ['http://x/sam', bam] } } });
  const reads = [{ class: 'File', location: 'keep:a', format } as const];
  await checkFormats(tool, { reads }, literal, fits);
}

describe('formats of Files', () => {
  it('may be kinds of those that are asked for', async () => {
    const asked: string[] = [];
    const fits: FormatCheck = async (actual, expected) => {
      asked.push(`${actual} ${expected}`);
      return actual === 'http://x/sorted-bam' && expected === bam;
    };
    await check('http://x/sorted-bam', fits);
    expect(asked).toEqual(['http://x/sorted-bam http://x/sam', `http://x/sorted-bam ${bam}`]);
    await expect(check('http://x/fasta', fits)).rejects.toEqual(
      withCode('job/format-mismatch', /got http:\/\/x\/fasta/),
    );
  });

  it('that are equal need no ontology', async () => {
    await check(bam, async () => {
      throw new Error('asked');
    });
    await expect(check('http://x/sorted-bam')).rejects.toEqual(withCode('job/format-mismatch'));
  });
});
