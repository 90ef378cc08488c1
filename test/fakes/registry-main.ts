import { parseArgs } from 'node:util';
import { serveImages } from './registry-serve.ts';

const usage = `usage: node test/fakes/registry-main.ts FOLDER [--port N] [--user NAME:PASSWORD]
Serves the image archives (*.tar) and OCI layouts in FOLDER as a registry on 127.0.0.1 until it is interrupted.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string' }, user: { type: 'string' }, help: { type: 'boolean' } },
});
const [folder] = positionals;
if (values.help || folder === undefined) {
  process.stderr.write(`${usage}\n`);
  process.exit(values.help ? 0 : 2);
}

const [name = '', password = ''] = values.user?.split(/:(.*)/s) ?? [];
const registry = await serveImages(folder, {
  port: Number(values.port ?? 0),
  ...(values.user && { auth: 'basic', users: { [name]: password } }),
});
for (const image of registry.names) process.stdout.write(`${registry.host}/${image}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void registry.close());
