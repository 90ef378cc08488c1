import { createGround } from '../../src/executor/sandbox/ground.ts';
import { createSandboxExecutor } from '../../src/executor/sandbox/sandbox.ts';
import { toLoadableImage } from './executor-images.ts';
import { toolsLayer } from './layers.ts';

/** A runner to be killed: starts a container whose processes sleep for `seconds`, says so, and waits for its death. */
const [home = '', scratchDir = '', id = '', seconds = ''] = process.argv.slice(2);
const executor = createSandboxExecutor(createGround({ home }));
const image = await executor.loadImage(toLoadableImage([await toolsLayer()]));
const script = `(trap '' HUP TERM; sleep ${seconds}) & echo up; sleep ${seconds}`;
await executor.start(image, {
  id,
  command: ['sh', '-c', script],
  workingDir: '/',
  environment: { PATH: '/bin' },
  binds: [],
  tmpfs: [],
  network: false,
  ramBytes: 256 * 1024 * 1024,
  stdout: { kind: 'stream', writable: process.stdout },
  stderr: { kind: 'ignore' },
  scratchDir,
});
