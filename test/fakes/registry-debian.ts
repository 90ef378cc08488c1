import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** bcrypt of `p:w` for the user `ann`, as `htpasswd -B` makes it. */
const htpasswd = 'ann:$2y$05$VnmReIS8m4xnP9EpJwV3rew14vB4x.91zM1ERHktVcCR3yNA2lQoC\n';

export const hasDebianRegistry = (): boolean =>
  spawnSync('docker-registry', ['--version'], { stdio: 'ignore' }).status === 0;

/** Debian's docker-registry on a free loopback port, with the user `ann` and the password `p:w`. */
export async function startDebianRegistry(): Promise<{ host: string; close(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'debian-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  writeFileSync(join(dir, 'htpasswd'), htpasswd);
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } },
  };
  writeFileSync(join(dir, 'config.yml'), JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', join(dir, 'config.yml')], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilAnswering(host);
  return {
    host,
    async close() {
      child.kill('SIGKILL');
      await exited;
      rmSync(dir, { recursive: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function untilAnswering(host: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answered = await fetch(`http://${host}/v2/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await delay(50);
  }
  throw new Error(`docker-registry does not answer at ${host}`);
}
