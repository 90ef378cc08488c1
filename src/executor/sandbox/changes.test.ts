import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readMembers } from '../../../test/contract/layers.ts';
import { readChanges } from './changes.ts';

const upper = mkdtempSync(join(tmpdir(), 'changes-'));
afterAll(() => rmSync(upper, { recursive: true }));

/** Runs the rest of a command line and passes on what it writes in two pieces, the second well after the first. */
const inTwoPieces = ['sh', '-c', '"$@" | { head -c 5120; sleep 0.3; cat; }', 'sh'];

describe('readChanges', () => {
  it('ends also when what fills the last record of the tar comes late', async () => {
    writeFileSync(join(upper, 'made'), 'by a build step');
    const members = await readMembers(await readChanges(upper, inTwoPieces, 1_000_000));
    expect(members.map(({ path, text }) => [path, text])).toEqual([['made', 'by a build step']]);
  });
});
