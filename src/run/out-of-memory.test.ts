import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakeJavascript, loadTool, prepareJob, withCode } from '../../test/fakes/job-kit.ts';
import { createRunKit, type RunKit } from '../../test/fakes/run-kit.ts';
import type { Container } from '../api/records.ts';
import type { JsonObject } from '../core/json.ts';
import { mib } from '../core/units.ts';
import { withMoreMemory } from './out-of-memory.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const line = (text: string) => `2026-01-01T00:00:00.000000001Z ${text}\n`;

async function ramAfter(
  hint: JsonObject | undefined,
  container: Partial<Container>,
  log: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  const hints = { ResourceRequirement: { ramMin: 100 }, ...(hint && { 'arv:OutOfMemoryRetry': hint }) };
  const { job } = await prepareJob(await loadTool({ $namespaces: { arv: 'http://arvados.org/cwl#' }, hints }), {});
  const { portable_data_hash } = await kit.collection(log);
  const failed = { exit_code: 1, runtime_status: {}, log: portable_data_hash, ...container } as Container;
  const services = { ...kit.imageServices(), javascript: fakeJavascript };
  const larger = await withMoreMemory(job, failed, services);
  return larger && larger.resources.ramBytes / mib;
}

const killed = { exit_code: 137 };

it.each<[string, JsonObject | undefined, Partial<Container>, Record<string, string>, number | undefined]>([
  ['nobody asked for it', undefined, { ...killed, runtime_status: { outOfMemory: true } }, {}, undefined],
  ['the record says so', {}, { ...killed, runtime_status: { outOfMemory: true } }, {}, 200],
  ['killed, and nobody says why', {}, killed, {}, 200],
  ['killed by something else', {}, { ...killed, runtime_status: { outOfMemory: false } }, {}, undefined],
  ['a factor', { memoryRetryMultiplier: 1.5 }, killed, {}, 150],
  ['an ordinary failure', {}, {}, { 'stderr.txt': line('no such file') }, undefined],
  ['std::bad_alloc', {}, {}, { 'stderr.txt': line("what():  std::bad_alloc'") }, 200],
  ['java', {}, {}, { 'stdout.txt': line('java.lang.OutOfMemoryError: Java heap space') }, 200],
  ['a pattern', { memoryErrorRegex: '^heap: \\d+ full$' }, {}, { 'stderr.txt': line('a') + line('Heap: 7 full') }, 200],
  ['a pattern that is not there', { memoryErrorRegex: 'heap' }, {}, { 'stderr.txt': line('bad_alloc') }, undefined],
  ['no log', {}, { log: null }, {}, undefined],
])('%s', async (_name, hint, container, log, expected) => {
  expect(await ramAfter(hint, container, log)).toBe(expected);
  expect(kit.warnings()).toHaveLength(expected === undefined ? 0 : 1);
});

it('says what was not enough and what comes', async () => {
  await ramAfter({ memoryRetryMultiplier: 3 }, killed);
  expect(kit.warnings()).toEqual(['step main ran out of memory with 100 MiB: it is run again with 300 MiB']);
});

it('refuses a pattern that is none', async () => {
  const run = ramAfter({ memoryErrorRegex: '(' }, {}, { 'stderr.txt': line('a') });
  await expect(run).rejects.toEqual(withCode('run/bad-requirement', /memoryErrorRegex: cannot match "\("/));
});
