import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withCode } from '../../test/fakes/job-kit.ts';
import { createRunKit, type RunKit } from '../../test/fakes/run-kit.ts';
import { createRunRecord, finishRunRecord, getRun, listRuns, listStepRequests, type NewRun } from './run-record.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const newRun: NewRun = {
  name: 'variants.cwl',
  document: 'file:///home/ada/variants.cwl#main',
  packed: { $graph: [] },
  inputs: { reads: { class: 'File', location: 'file:///home/ada/s1.fq' } },
  storedInputs: { reads: { class: 'File', location: 'keep:x' } },
  flags: { pull: 'newer' },
  gitFacts: { 'arv:gitCommit': 'abc' },
};

describe('a run', () => {
  it('is an uncommitted request that stock Arvados shows as a workflow run', async () => {
    const uuid = await createRunRecord(kit.api, newRun);
    expect(await kit.api.get('container_requests', uuid)).toMatchObject({
      name: 'variants.cwl',
      state: 'Uncommitted',
      container_uuid: null,
      command: ['cwl-runner', '--local', '/var/lib/cwl/workflow.json', '/var/lib/cwl/cwl.input.json'],
      mounts: {
        '/var/lib/cwl/workflow.json': { kind: 'json', content: newRun.packed },
        '/var/lib/cwl/cwl.input.json': { kind: 'json', content: newRun.storedInputs },
      },
      properties: { 'arv:gitCommit': 'abc', cwl_input: newRun.storedInputs },
    });
  });

  it('can be done again from its record', async () => {
    const uuid = await createRunRecord(kit.api, newRun);
    expect(await getRun(kit.api, uuid)).toEqual({
      uuid,
      name: 'variants.cwl',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      status: 'running',
      document: newRun.document,
      inputs: newRun.inputs,
      flags: newRun.flags,
    });
  });

  it('says how it ended, and keeps what it said before', async () => {
    const uuid = await createRunRecord(kit.api, newRun);
    await finishRunRecord(kit.api, uuid, 'success', { out: 1 });
    expect(await getRun(kit.api, uuid)).toMatchObject({ status: 'success', outputs: { out: 1 }, flags: newRun.flags });
    const failed = await createRunRecord(kit.api, newRun);
    await finishRunRecord(kit.api, failed, 'failure');
    expect(await getRun(kit.api, failed)).not.toHaveProperty('outputs');
  });
});

describe('runs', () => {
  it('are listed the newest first; the newest is "last"', async () => {
    const uuids = [];
    for (const name of ['one', 'two', 'three']) uuids.push(await createRunRecord(kit.api, { ...newRun, name }));
    await kit.api.create('container_requests', { name: 'no run', command: ['true'] });
    expect((await listRuns(kit.api, 10)).map(({ name }) => name)).toEqual(['three', 'two', 'one']);
    expect((await listRuns(kit.api, 2)).map(({ name }) => name)).toEqual(['three', 'two']);
    expect(await getRun(kit.api, 'last')).toMatchObject({ uuid: uuids[2] });
  });

  it('that do not exist are named', async () => {
    await expect(getRun(kit.api, 'last')).rejects.toMatchObject({
      code: 'run/no-such-run',
      message: 'there is no run yet',
      hint: 'cwl-runner DOCUMENT [INPUTS] makes one',
    });
    await expect(getRun(kit.api, 'yesterday')).rejects.toEqual(
      withCode('run/no-such-run', /^expected the uuid of a run or "last", got "yesterday"$/),
    );
    const { uuid } = await kit.api.create('container_requests', { name: 'no run', command: ['true'] });
    await expect(getRun(kit.api, uuid)).rejects.toEqual(withCode('run/no-such-run'));
    await expect(getRun(kit.api, 'zzzzz-xvhdp-000000000000000')).rejects.toEqual(withCode('api/not-found'));
  });

  it('know their requests in order, however many', async () => {
    const uuid = await createRunRecord(kit.api, newRun);
    const names = Array.from({ length: 1005 }, (_, index) => `step ${index}`);
    for (const name of names)
      await kit.api.create('container_requests', { name, command: ['true'], properties: { 'hm:run': uuid } });
    await kit.api.create('container_requests', { name: 'other', command: ['true'], properties: { 'hm:run': 'x' } });
    expect((await listStepRequests(kit.api, uuid)).map(({ name }) => name)).toEqual(names);
  });
});
