import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerOf, hostRequest, runThrough } from '../../test/fakes/cluster-work.ts';
import { withCode } from '../../test/fakes/job-kit.ts';
import { createRunKit, type RunKit } from '../../test/fakes/run-kit.ts';
import { awaitOrCancel, createRequestWaiter, type RequestWaiter } from './await-request.ts';

let kit: RunKit;
let waiter: RequestWaiter;
beforeEach(async () => {
  kit = await createRunKit();
  waiter = createRequestWaiter(kit.api);
});
afterEach(async () => {
  waiter.close();
  await kit.close();
});

const submit = (command: string) => kit.api.create('container_requests', hostRequest({ command: [command] }));

describe('waiting for a request', () => {
  it('ends once it is final, for each of many', async () => {
    const [one, two] = [await submit('one'), await submit('two')];
    const both = Promise.all([waiter.wait(one.uuid), waiter.wait(two.uuid)]);
    await runThrough(kit.api, containerOf(two));
    await runThrough(kit.api, containerOf(one), 3);
    expect(await both).toMatchObject([
      { uuid: one.uuid, state: 'Final' },
      { uuid: two.uuid, state: 'Final' },
    ]);
  });

  it('ends at once where it is final already', async () => {
    const request = await submit('done');
    await runThrough(kit.api, containerOf(request));
    expect(await waiter.wait(request.uuid)).toMatchObject({ state: 'Final' });
  });

  it('needs no event: the record is asked for too', async () => {
    const deaf = createRequestWaiter({ ...kit.api, watch: () => () => {} });
    const request = await submit('quiet');
    const final = deaf.wait(request.uuid);
    await runThrough(kit.api, containerOf(request));
    expect(await final).toMatchObject({ state: 'Final' });
  });

  it('fails for a request that is not there', async () => {
    await expect(waiter.wait('zzzzz-xvhdp-000000000000000' as never)).rejects.toEqual(withCode('api/not-found'));
  });

  it('ends with the reason of the signal', async () => {
    const { uuid } = await submit('long');
    const stop = new AbortController();
    const waiting = waiter.wait(uuid, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrowError('enough');
    expect(await kit.api.get('container_requests', uuid)).toMatchObject({ priority: 500 });
  });

  it('or cancelling, takes the request back', async () => {
    const { uuid } = await submit('long');
    const stop = new AbortController();
    const waiting = awaitOrCancel({ api: kit.api, waiter }, { uuid, what: 'step x' }, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toEqual(withCode('run/cancelled', /^step x was cancelled$/));
    expect(await kit.api.get('container_requests', uuid)).toMatchObject({ priority: 0 });
  });
});
