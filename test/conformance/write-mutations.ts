/**
 * Writes the mutated documents of `cwl-documents.test.ts` to files, for cwltool to judge: `node write-mutations.ts FOLDER` makes a
 * copy of the v1.2 suite there, with each mutation beside the document that it was made from, and prints the paths.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createFileFetcher } from '../../src/adapters/fetch/file.ts';
import { loadDocument } from '../../src/cwl/load.ts';
import { createRandom, mutate } from './cwl-mutations.ts';
import { documentsOf, suiteFolder } from './suites.ts';

const [folder] = process.argv.slice(2);
const suite = suiteFolder('v1.2');
if (folder === undefined || suite === undefined)
  throw new Error('expected FOLDER, and the suites in HALLMARK_CONFORMANCE');
cpSync(suite, folder, { recursive: true });
const random = createRandom(7);
const fetcher = createFileFetcher();
for (const path of documentsOf(folder)) {
  const isValid = await loadDocument(pathToFileURL(path).href, { fetcher }).catch(() => undefined);
  if (!isValid) continue;
  for (const [index, { text }] of mutate(readFileSync(path, 'utf8'), 4, random).entries()) {
    const mutated = join(dirname(path), `${basename(path, '.cwl')}.mutated-${index}.cwl`);
    writeFileSync(mutated, text);
    console.log(mutated);
  }
}
