import { isHallmarkError } from '../../src/core/errors.ts';
import { createGround } from '../../src/executor/sandbox/ground.ts';
import { createSandboxExecutor } from '../../src/executor/sandbox/sandbox.ts';
import { toLoadableImage } from './executor-images.ts';
import { toolsLayer } from './layers.ts';

/** Loads an image with the sandbox, wherever it is started, and prints the code and the hint of the error. */
const [home = ''] = process.argv.slice(2);
try {
  const executor = createSandboxExecutor(createGround({ home }));
  await executor.loadImage(toLoadableImage([await toolsLayer()]));
  console.log('loaded');
} catch (error) {
  console.log(isHallmarkError(error) ? `${error.code}: ${error.message} (${error.hint})` : String(error));
}
process.exit();
