import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { toImageSource } from '../../src/run/image/requirement.ts';
import { loadInline } from '../fakes/job-kit.ts';

const path = join(import.meta.dirname, '../../schemas/image-build.schema.json');
const fits = new Ajv2020().compile(JSON.parse(readFileSync(path, 'utf8')) as object);

/** Whether the hint is taken, from the document to where the image comes from. */
async function isTaken(hint: JsonObject): Promise<boolean> {
  const document = {
    $namespaces: { hm: 'urn:hallmark:cwl#' },
    class: 'CommandLineTool',
    ...{ baseCommand: 'tool', inputs: {}, outputs: {} },
    requirements: { DockerRequirement: { dockerFile: 'FROM debian' } },
    hints: [{ class: 'hm:ImageBuild', ...hint }],
  };
  try {
    const { requirements, hints } = await loadInline(document);
    return toImageSource(requirements[0], hints[0])?.kind === 'build';
  } catch {
    return false;
  }
}

it.each<[hint: JsonObject, isGood: boolean]>([
  [{}, true],
  [{ context: { class: 'Directory', location: 'tools' } }, true],
  [{ context: 'keep:d41d8cd98f00b204e9800998ecf8427e+0' }, true],
  [{ context: 3 }, false],
  [{ dockerfile: 'docker/Dockerfile' }, true],
  [{ dockerfile: ['a'] }, false],
  [{ buildArgs: { VERSION: '1', THREADS: 2, DEBUG: true } }, true],
  [{ buildArgs: { VERSION: ['1'] } }, false],
  [{ target: 'run', platform: 'linux/arm64' }, true],
  [{ target: { name: 'run' } }, false],
  [{ buildargs: { VERSION: '1' } }, false],
])('schemas/image-build.schema.json and the reader agree on %j', async (hint, isGood) => {
  expect(fits({ class: 'hm:ImageBuild', ...hint })).toBe(isGood);
  expect(await isTaken(hint)).toBe(isGood);
});
