import type { GitReader } from '../../run/image/port.ts';

/** git(1) of this machine, loaded with the first build context that lies in a repository. */
export const gitReader: GitReader = {
  async resolveRef(repository, ref, signal) {
    const { resolveGitRef } = await import('../../crunch/mounts/git-repository.ts');
    return resolveGitRef(repository, ref, signal);
  },
  async readFile(tree, path, signal) {
    const { readGitFile } = await import('../../crunch/mounts/git-repository.ts');
    return readGitFile(tree, path, signal);
  },
};
