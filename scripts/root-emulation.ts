/** Prints, each ended by NUL, the words that run a command as root of a namespace with a single id; see src/executor/sandbox/emulated-root.ts. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRootEmulation } from '../src/executor/sandbox/emulated-root.ts';

const emulation = await makeRootEmulation(mkdtempSync(join(tmpdir(), 'root-emulation-')));
for (const word of emulation?.command ?? []) process.stdout.write(`${word}\0`);
