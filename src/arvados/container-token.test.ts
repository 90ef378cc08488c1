import { expect, it } from 'vitest';
import { containerOf, hostRequest, lock } from '../../test/fakes/cluster-work.ts';
import { inTurn, json, startServer } from '../../test/fakes/http-server.ts';
import { openRemote, startFace, token } from '../../test/fakes/remote-cluster.ts';
import { discoveryDocument } from '../cluster/http/discovery.ts';
import type { Uuid } from '../core/ids.ts';

it('secret mounts come with the token of the container, once it is locked', async () => {
  const { url } = await startFace();
  const remote = await openRemote(url);
  const secret_mounts = { '/s': { kind: 'text', content: 'hush' } } as const;
  const uuid = containerOf(await remote.create('container_requests', hostRequest({ secret_mounts })));
  await expect(remote.secretMounts(uuid)).rejects.toMatchObject({ code: 'api/not-authorized' });
  await lock(remote, uuid);
  expect(await remote.secretMounts(uuid)).toEqual(secret_mounts);
  expect(await remote.containerToken(uuid)).toMatch(new RegExp(`^v2/[0-9a-z]{5}-gj3su-[0-9a-z]{15}/${token}$`));
});

it('and nothing else stands for them', async () => {
  const uuid = 'zzzzz-dz642-000000000000001' as Uuid;
  const auth = json({ uuid: 'zzzzz-gj3su-000000000000001', api_token: 'x' });
  const document = json(discoveryDocument('http://127.0.0.1', 'zzzzz'));
  const server = await startServer(inTurn(document, auth, json({ mounts: {} }), json({ api_token: 7 })));
  const remote = await openRemote(server.url);
  await expect(remote.secretMounts(uuid)).rejects.toMatchObject({
    code: 'api/bad-response',
    message: `expected the secret mounts of container ${uuid}, got something else`,
  });
  await expect(remote.secretMounts(uuid)).rejects.toMatchObject({
    code: 'api/bad-response',
    message: `expected the token of container ${uuid}, got something else`,
  });
});
