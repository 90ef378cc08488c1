import { createGround } from '../../src/executor/sandbox/ground.ts';
import { createSandboxExecutor } from '../../src/executor/sandbox/sandbox.ts';
import { toContainerSpec } from '../fakes/container-spec.ts';
import { toLoadableImage } from './executor-images.ts';
import { toolsLayer } from './layers.ts';

/** A runner to be killed: starts a container whose processes sleep for `seconds`, says so, and waits for its death. */
const [home = '', scratchDir = '', id = '', seconds = ''] = process.argv.slice(2);
const executor = createSandboxExecutor(createGround({ home }));
const image = await executor.loadImage(toLoadableImage([await toolsLayer()]));
const script = `(trap '' HUP TERM; sleep ${seconds}) & echo up; sleep ${seconds}`;
const stdout = { kind: 'stream', writable: process.stdout } as const;
const spec = { id, command: ['sh', '-c', script], ramBytes: 256 * 1024 * 1024, stdout, scratchDir };
await executor.start(image, toContainerSpec(spec));
