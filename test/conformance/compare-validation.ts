/**
 * Validates documents as `cwl-runner --validate` does and tells where cwltool judges otherwise:
 *
 *     find REPOSITORIES -name '*.cwl' | python3 test/conformance/peer-validate.py > peer.jsonl
 *     node test/conformance/compare-validation.ts peer.jsonl
 *
 * Each document is read as if it alone had been named, from its own folder: what it may read is part of the question.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createReach } from '../../src/cli/wire/documents.ts';
import { InvalidDocumentError } from '../../src/cwl/errors.ts';
import { loadDocument } from '../../src/cwl/load.ts';

interface PeerAnswer {
  readonly path: string;
  /** Null: it gave none. */
  readonly code: number | null;
  readonly said: string;
}

const exitCodes: Readonly<Record<string, number>> = { 'cwl/unsupported-requirement': 33 };

async function validate(path: string): Promise<{ readonly code: number; readonly said: string }> {
  const reach = createReach();
  const uri = pathToFileURL(path).href;
  reach.trust(uri);
  try {
    await loadDocument(uri, { fetcher: reach.fetcher });
    return { code: 0, said: 'valid' };
  } catch (error) {
    const { code = '', message, where } = error as InvalidDocumentError;
    const place = where?.line === undefined ? '' : `${where.file}:${where.line}: `;
    if (where?.line === undefined && error instanceof InvalidDocumentError) throw error;
    return { code: exitCodes[code] ?? 1, said: `${place}${message}` };
  }
}

const counts = { same: 0, different: 0, unanswered: 0 };
const [file = ''] = process.argv.slice(2);
for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
  const theirs = JSON.parse(line) as PeerAnswer;
  const ours = await validate(theirs.path);
  if (theirs.code === null) counts.unanswered += 1;
  else if ((ours.code === 0) === (theirs.code === 0)) counts.same += 1;
  else {
    counts.different += 1;
    const peer = theirs.said.trim().split('\n').slice(-6).join('\n    ') || 'valid';
    console.log(`${theirs.path}\n  ours (${ours.code}): ${ours.said}\n  cwltool (${theirs.code}): ${peer}`);
  }
}
console.log(counts);
