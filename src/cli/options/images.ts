import { builderChoices, executorChoices } from '../settings/config.ts';
import { flag, list, text } from './flag.ts';

const group = 'Images and containers:';

export const imageFlags = {
  pull: {
    type: 'string',
    choices: ['missing', 'newer', 'always', 'never'],
    default: 'missing',
    description: 'when to ask a registry',
    group,
  },
  'force-docker-pull': flag('--pull=always', { means: { pull: 'always' }, group }),
  'disable-pull': flag('--pull=never', { means: { pull: 'never' }, group }),
  'enable-pull': flag('--pull=missing (default)', { means: { pull: 'missing' }, group }),
  container: flag('run tools in their containers', { default: true, group }),
  'default-container': text('image for tools that name none', { group }),
  executor: {
    type: 'string',
    choices: executorChoices,
    description: 'what runs containers (default: $HALLMARK_EXECUTOR, else sandbox)',
    group,
  },
  docker: flag('--executor=docker', { means: { executor: 'docker' }, group }),
  podman: flag('--executor=podman', { means: { executor: 'podman' }, group }),
  singularity: flag('--executor=apptainer', { means: { executor: 'apptainer' }, group }),
  builder: {
    type: 'string',
    choices: builderChoices,
    description: 'what builds images (default: $HALLMARK_BUILDER, else hallmark)',
    group,
  },
  secret: list('for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE; may be repeated', { group }),
  'match-user': flag('the user in a container is the caller; --no-match-user: the one that the image names', {
    default: true,
    group,
  }),
  'read-only': flag('only the output and temporary folders of a container can be written', { default: false, group }),
  'custom-net': text('network of containers that have one, as the executor names it', { group }),
  'strict-memory-limit': flag('hold containers to their RAM (always on)', { group }),
  'strict-cpu-limit': flag('hold containers to their cores', { group }),
} as const;
