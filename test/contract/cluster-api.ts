import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiErrorCode } from '../../src/api/errors.ts';
import type { ClusterApi, Filter } from '../../src/api/port.ts';
import type { ContainerRequest, Resource } from '../../src/api/records.ts';
import type { Uuid } from '../../src/core/ids.ts';

export interface OpenedApi {
  readonly api: ClusterApi;
  close(): Promise<void> | void;
}

const fooManifest = '. acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo\n';
const fooHash = '1f4b0bc7583c2a7f9102c395f4ffc5e3+45';

/** A request that needs no image, so that every cluster can take it up to its commit. */
export const pullRequest = (more: Partial<ContainerRequest> = {}): Partial<ContainerRequest> => ({
  name: 'pull',
  container_image: 'arvados/builtin',
  command: ['docker', 'pull', 'debian:12'],
  mounts: {},
  output_path: '/',
  runtime_constraints: { API: true, ram: 1 << 20, vcpus: 1 },
  ...more,
});

/** Fails with the code; the message is checked too where one is given. */
export async function expectCode(code: ApiErrorCode, call: Promise<unknown>, message?: RegExp): Promise<void> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code, ...(message ? { message: expect.stringMatching(message) as string } : {}) });
}

/** What every `ClusterApi` does, the embedded one and a remote one. Works beside other records of the same cluster. */
export function describeClusterApi(name: string, open: () => Promise<OpenedApi>): void {
  describe(`ClusterApi: ${name}`, () => {
    let opened: OpenedApi;
    let api: ClusterApi;
    beforeEach(async () => {
      opened = await open();
      api = opened.api;
    });
    afterEach(async () => {
      await opened.close();
    });

    const uuidsOf = async (resource: Resource, ...filters: Filter[]) =>
      (await api.list(resource, { filters, select: ['uuid'] })).items.map((item) => item.uuid);

    describe('records', () => {
      it('gives collections a uuid, the hash of their content and times', async () => {
        const made = await api.create('collections', { name: 'foo', manifest_text: fooManifest, properties: { a: 1 } });
        expect(made.uuid).toMatch(/^[0-9a-z]{5}-4zz18-[0-9a-z]{15}$/);
        expect(made.portable_data_hash).toBe(fooHash);
        expect(made.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
        const read = await api.get('collections', made.uuid);
        expect(read).toMatchObject({ name: 'foo', properties: { a: 1 }, portable_data_hash: fooHash, trash_at: null });
        expect(read.manifest_text.replace(/\+A[^ ]+/g, '')).toBe(fooManifest);
      });

      it('names the content without the hints of its locators', async () => {
        const signed = fooManifest.replace('+3', '+3+A0123456789abcdef0123456789abcdef01234567@69aaaaaa');
        const made = await api.create('collections', { manifest_text: signed });
        expect(made.portable_data_hash).toBe(fooHash);
      });

      it('refuses manifests that cannot be read and hashes that do not fit', async () => {
        await expectCode('api/bad-attribute', api.create('collections', { manifest_text: '. nonsense\n' }));
        const wrong = { manifest_text: fooManifest, portable_data_hash: 'd41d8cd98f00b204e9800998ecf8427e+0' as never };
        await expectCode('api/bad-attribute', api.create('collections', wrong), /portable_data_hash/);
      });

      it('keeps links, logs and workflows', async () => {
        const link = await api.create('links', { link_class: 'tag', name: 'x', properties: { deep: { er: [1] } } });
        expect(link.uuid).toMatch(/-o0j2j-/);
        expect(await api.get('links', link.uuid)).toMatchObject({ properties: { deep: { er: [1] } }, head_uuid: null });
        const log = await api.create('logs', { event_type: 'stderr', properties: { text: 'line\n' } });
        expect(log.uuid).toMatch(/-57u5n-/);
        const workflow = await api.create('workflows', { name: 'w', definition: '{}' });
        const renamed = await api.update('workflows', workflow.uuid, { name: 'v' });
        expect(renamed).toMatchObject({ name: 'v', definition: '{}' });
        expect(renamed.modified_at >= workflow.modified_at).toBe(true);
        await api.remove('links', link.uuid);
        await expectCode('api/not-found', api.get('links', link.uuid));
      });

      it('keeps numbers inside objects as they are written', async () => {
        const long = 2n ** 60n + 1n;
        const numbers = { float: 1n, long, whole: 1, list: [0.5, -2n, 3], huge: 10n ** 20n };
        const made = await api.create('links', { properties: numbers });
        expect((await api.get('links', made.uuid)).properties).toEqual(numbers);
        const mounts = { '/in.json': { kind: 'json', content: numbers } } as const;
        const request = await api.create('container_requests', { mounts });
        expect((await api.get('container_requests', request.uuid)).mounts).toEqual(mounts);
        const isFound = async (...filter: Filter) => (await uuidsOf('links', filter)).includes(made.uuid);
        expect(await isFound('properties.long', '=', long)).toBe(true);
        expect(await isFound('properties.long', '=', long - 1n)).toBe(false);
        expect(await isFound('properties.long', '<', long)).toBe(false);
        expect(await isFound('properties.long', 'in', [1, long])).toBe(true);
        expect(await isFound('properties.float', '=', 1)).toBe(true);
        expect(await isFound('properties.whole', '=', 1n)).toBe(true);
        expect(await isFound('properties.huge', '>', 10n ** 19n)).toBe(true);
        expect(await isFound('properties', '=', numbers)).toBe(true);
        expect(await isFound('properties', '=', JSON.stringify(numbers))).toBe(true);
      });

      it('takes amounts as numbers, however they are written', async () => {
        const amounts = { ram: 2n, vcpus: 1n } as never;
        const request = { priority: 7n as never, runtime_constraints: amounts };
        const made = await api.create('container_requests', request);
        const kept = { priority: 7, runtime_constraints: { ram: 2, vcpus: 1 } };
        expect(await api.get('container_requests', made.uuid)).toMatchObject(kept);
        const found = await uuidsOf('container_requests', ['priority', '=', 7n], ['uuid', '=', made.uuid]);
        expect(found).toEqual([made.uuid]);
        await expectCode('api/bad-attribute', api.create('container_requests', { priority: (2n ** 60n) as never }));
      });

      it('says what is not there and what no record has', async () => {
        await expectCode('api/not-found', api.get('collections', 'zzzzz-4zz18-zzzzzzzzzzzzzzz' as Uuid));
        await expectCode('api/bad-attribute', api.create('links', { nonsense: 1 } as never));
        await expectCode('api/bad-attribute', api.create('links', { name: 7 } as never));
      });

      it('does not find what has been trashed', async () => {
        const made = await api.create('collections', { name: 'gone', manifest_text: '' });
        await api.remove('collections', made.uuid);
        await expectCode('api/not-found', api.get('collections', made.uuid));
        expect(await uuidsOf('collections', ['uuid', '=', made.uuid])).toEqual([]);
      });
    });

    describe('lists', () => {
      const tag = () => `t${Math.random()}`;

      it('filters by comparison, set and pattern', async () => {
        const link_class = tag();
        const names = ['alpha', 'Beta', 'gamma_1', 'gammax1'];
        for (const name of names) await api.create('links', { link_class, name });
        const named = async (...filters: Filter[]) => {
          const page = await api.list('links', {
            filters: [['link_class', '=', link_class], ...filters],
            order: ['name'],
          });
          return page.items.map((item) => item.name).sort();
        };
        expect(await named(['name', '=', 'alpha'])).toEqual(['alpha']);
        expect(await named(['name', '!=', 'alpha'])).toEqual(['Beta', 'gamma_1', 'gammax1']);
        expect(await named(['name', '>=', 'gamma_1'])).toEqual(['gamma_1', 'gammax1']);
        expect(await named(['name', 'in', ['alpha', 'Beta']])).toEqual(['Beta', 'alpha']);
        expect(await named(['name', 'not in', ['alpha', 'Beta']])).toEqual(['gamma_1', 'gammax1']);
        expect(await named(['name', 'like', 'gamma%'])).toEqual(['gamma_1', 'gammax1']);
        expect(await named(['name', 'like', 'gamma\\_1'])).toEqual(['gamma_1']);
        expect(await named(['name', 'like', 'beta'])).toEqual([]);
        expect(await named(['name', 'ilike', 'beta'])).toEqual(['Beta']);
        expect(await named(['name', 'like', 'a[a-z]%'])).toEqual([]);
      });

      it('filters by properties', async () => {
        const link_class = tag();
        const make = (name: string, properties: object) =>
          api.create('links', { link_class, name, properties: properties as never });
        await make('text', { 'a-b': 'v1', list: ['x', 'y'] });
        await make('number', { 'a-b': 1, flag: true });
        await make('none', {});
        const named = async (filter: Filter) => {
          const page = await api.list('links', {
            filters: [['link_class', '=', link_class], filter],
            order: ['created_at'],
          });
          return page.items.map((item) => item.name);
        };
        expect(await named(['properties.a-b', '=', 'v1'])).toEqual(['text']);
        expect(await named(['properties.a-b', '=', 1])).toEqual(['number']);
        expect(await named(['properties.a-b', '!=', 'v1'])).toEqual(['number', 'none']);
        expect(await named(['properties.a-b', 'in', ['v1', 'v2']])).toEqual(['text']);
        expect(await named(['properties.a-b', 'like', 'v%'])).toEqual(['text']);
        expect(await named(['properties.flag', '=', true])).toEqual(['number']);
        expect(await named(['properties.a-b', 'exists', false])).toEqual(['none']);
        expect(await named(['properties.a-b', 'exists', true])).toEqual(['text', 'number']);
        expect(await named(['properties', 'exists', 'flag'])).toEqual(['number']);
        expect(await named(['properties.list', 'contains', 'y'])).toEqual(['text']);
        expect(await named(['properties', 'contains', ['a-b', 'list']])).toEqual(['text']);
      });

      it('orders, pages, counts and selects', async () => {
        const link_class = tag();
        for (const name of ['b', 'c', 'a']) await api.create('links', { link_class, name });
        const filters: Filter[] = [['link_class', '=', link_class]];
        const page = await api.list('links', { filters, order: ['name desc'], limit: 2, offset: 1, select: ['name'] });
        expect(page.items).toEqual([{ name: 'b' }, { name: 'a' }]);
        expect(page.itemsAvailable).toBe(3);
        expect((await api.list('links', { filters, order: ['created_at'] })).items.map((item) => item.name)).toEqual([
          'b',
          'c',
          'a',
        ]);
        expect((await api.list('links', { filters, limit: 0 })).itemsAvailable).toBe(3);
      });

      it('leaves manifests out unless they are selected', async () => {
        const { uuid } = await api.create('collections', { manifest_text: fooManifest });
        const filters: Filter[] = [['uuid', '=', uuid]];
        const [plain] = (await api.list('collections', { filters })).items;
        expect(plain).toMatchObject({ portable_data_hash: fooHash });
        expect(plain).not.toHaveProperty('manifest_text');
        const [full] = (await api.list('collections', { filters, select: ['uuid', 'manifest_text'] })).items;
        expect(full?.manifest_text).toContain('0:3:foo');
      });

      it('refuses filters that mean nothing', async () => {
        await expectCode('api/bad-filter', api.list('links', { filters: [['name', '~' as never, 'x']] }));
        await expectCode('api/bad-filter', api.list('links', { filters: [['name', 'in', 'x']] }));
        await expectCode('api/bad-filter', api.list('links', { filters: [['name'] as never] }));
        await expectCode('api/bad-filter', api.list('links', { order: ['name sideways'] }));
      });
    });

    describe('container requests', () => {
      it('are uncommitted, incomplete and changeable at first', async () => {
        const made = await api.create('container_requests', { command: ['echo'] });
        expect(made).toMatchObject({ state: 'Uncommitted', container_uuid: null, priority: 0, use_existing: true });
        const changed = await api.update('container_requests', made.uuid, pullRequest({ name: 'now complete' }));
        expect(changed).toMatchObject({ name: 'now complete', command: ['docker', 'pull', 'debian:12'] });
      });

      it('get a queued container when they are committed with a priority', async () => {
        const made = await api.create(
          'container_requests',
          pullRequest({ state: 'Committed', priority: 1, use_existing: false }),
        );
        expect(made).toMatchObject({ state: 'Committed', container_count: 1 });
        const container = await api.get('containers', made.container_uuid as Uuid);
        expect(container).toMatchObject({ command: made.command, exit_code: null });
        await api.update('container_requests', made.uuid, { priority: 0 });
      });

      it('do not change their work once committed', async () => {
        const made = await api.create('container_requests', pullRequest({ state: 'Committed' }));
        await expectCode(
          'api/forbidden-change',
          api.update('container_requests', made.uuid, { command: ['docker', 'pull', 'x'] }),
        );
        await expectCode('api/forbidden-change', api.update('container_requests', made.uuid, { state: 'Uncommitted' }));
        const renamed = await api.update('container_requests', made.uuid, { name: 'other', properties: { a: 1 } });
        expect(renamed).toMatchObject({ name: 'other', properties: { a: 1 } });
      });

      it('never show their secrets', async () => {
        const secret_mounts = { '/secret': { kind: 'text', content: 'hush' } } as const;
        const made = await api.create('container_requests', { secret_mounts });
        expect(JSON.stringify(made)).not.toContain('hush');
        expect(JSON.stringify(await api.get('container_requests', made.uuid))).not.toContain('hush');
      });

      it('are refused when a rule is broken', async () => {
        const commit = (more: Partial<ContainerRequest>) =>
          api.create('container_requests', pullRequest({ state: 'Committed', ...more }));
        await expectCode('api/bad-attribute', commit({ priority: 1001 }), /priority/);
        await expectCode('api/bad-attribute', commit({ command: [] }), /command/);
        await expectCode('api/bad-attribute', commit({ runtime_constraints: { ram: 0, vcpus: 1 } }), /ram/);
        await expectCode('api/bad-attribute', commit({ runtime_constraints: { ram: 1, vcpus: 0.5 } }), /vcpus/);
        for (const cores of [-1, 1.5, '1']) {
          const scheduling_parameters = { 'hm:cores': cores as number };
          await expectCode('api/bad-attribute', commit({ scheduling_parameters }), /hm:cores.* from 0 to vcpus, 1/);
        }
      });
    });

    it('tells watchers of changes', async () => {
      const seen = new Set<string>();
      const arrived = Promise.withResolvers<void>();
      let wanted = '';
      const unwatch = api.watch(({ uuid }) => {
        seen.add(uuid);
        if (seen.has(wanted)) arrived.resolve();
      });
      wanted = (await api.create('links', { name: 'watched' })).uuid;
      if (seen.has(wanted)) arrived.resolve();
      await arrived.promise;
      unwatch();
    });
  });
}
