import { formatBytes } from '../core/units.ts';
import type {
  AddedSource,
  BuildNode,
  ContainerFacts,
  GitState,
  ImageNode,
  ProvenanceNode,
  PullNode,
  RequestNode,
} from './model.ts';
import { oneLine, toTime } from './text.ts';

/** A node in words: one line that names it and lines that say more. */
export interface NodeText {
  readonly title: string;
  readonly details: readonly string[];
}

/** Whatever the records hold, each text is one line without control characters. */
export function describeNode(node: ProvenanceNode): NodeText {
  const { title, details } = describe(node);
  return { title: oneLine(title), details: details.map(oneLine) };
}

function describe(node: ProvenanceNode): NodeText {
  switch (node.kind) {
    case 'file':
      return { title: `${node.path} (${formatBytes(node.sizeBytes)})`, details: [] };
    case 'collection':
      return { title: `collection ${node.id}${node.name ? ` "${node.name}"` : ''}`, details: [] };
    case 'image':
      return describeImage(node);
    case 'request':
      return describeRequest(node);
    case 'run':
      return {
        title: `run ${node.id} "${node.name}"${node.status ? `, ${node.status}` : ''}, ${toTime(node.createdAt)}`,
        details: [...describeDocument(node.document), ...describeGit(node.git)],
      };
    case 'build':
      return describeBuild(node);
    case 'pull':
      return describePull(node);
    case 'container':
      return { title: `container ${node.id}: ${describeState(node)}`, details: [] };
    case 'host':
      return { title: 'the host itself: no record holds its software', details: [] };
  }
}

function describeImage(node: ImageNode): NodeText {
  return {
    title: `image ${node.names.join(', ') || node.imageHash?.slice(0, 19) || '(no name)'}`,
    details: [
      ...(node.imageHash ? [`image hash ${node.imageHash}`] : []),
      ...(node.registryDigest ? [`registry digest ${node.registryDigest}`] : []),
      `collection ${node.id}`,
    ],
  };
}

function describeRequest(node: RequestNode): NodeText {
  return {
    title: `request ${node.id} "${node.name}"`,
    details: [`command ${node.command.map(quoteWord).join(' ')}`, ...describeReuse(node.reusedBy)],
  };
}

function describeBuild(node: BuildNode): NodeText {
  const { dockerfile, context } = node;
  const flags = [node.target && `target ${node.target}`, node.platform && `platform ${node.platform}`];
  const args = Object.entries(node.buildArguments).map(([name, value]) => `argument ${name}=${value}`);
  return {
    title: `build ${node.id} "${node.name}"${describeRun(node.container)}`,
    details: [
      ...describeGit(node.git),
      ...describeDocument(node.document),
      ...describeContext(context),
      ...node.added.map(describeAdded),
      ...flags.filter((flag) => flag !== undefined),
      ...args,
      ...describeReuse(node.reusedBy),
      `Dockerfile${dockerfile.path ? ` ${dockerfile.path}` : ''}${dockerfile.sha256 ? `, sha256 ${dockerfile.sha256}` : ''}`,
      ...(dockerfile.text === undefined
        ? []
        : dockerfile.text
            .trimEnd()
            .split('\n')
            .map((line) => `  | ${line}`)),
    ],
  };
}

function describeContext(context: BuildNode['context']): string[] {
  if (!context) return [];
  const inside = context.path ? `/${context.path}` : '';
  if ('url' in context) return [`context ${context.url}#${context.commit}${inside}`];
  return [`context ${context.portableDataHash}${inside}`];
}

function describeAdded(added: AddedSource): string {
  if ('commit' in added) return `added ${added.url}, commit ${added.commit}`;
  const { url, sha256, etag, lastModified, date } = added;
  return [
    `added ${url}`,
    ...(sha256 ? [`sha256 ${sha256}`] : []),
    ...(lastModified ? [`modified ${lastModified}`] : []),
    ...(etag ? [`ETag ${etag}`] : []),
    ...(date ? [`as of ${date}`] : []),
  ].join(', ');
}

function describePull(node: PullNode): NodeText {
  return {
    title: `pull ${node.reference} by ${node.id}${describeRun(node.container)}`,
    details: [
      ...(node.registryDigest ? [`registry digest ${node.registryDigest}`] : []),
      ...(node.platform ? [`platform ${node.platform}`] : []),
      ...describeReuse(node.reusedBy),
    ],
  };
}

/** A file of this machine as its path. */
function describeDocument(document: string | undefined): string[] {
  if (!document) return [];
  return [`document ${document.replace(/^file:\/\/(\/[^%]*)$/, '$1')}`];
}

function describeGit(git: GitState | undefined): string[] {
  if (!git) return [];
  const branch = git.branch && git.branch !== 'HEAD' ? ` on ${git.branch}` : '';
  const origin = git.origin ? ` of ${git.origin}` : '';
  const commit = `git commit ${git.commit}${branch}${origin}`;
  if (git.dirty === undefined) return [`${commit}; whether all was committed is not known`];
  if (!git.dirty) return [`${commit}, clean`];
  const status = (git.status ?? '').split('\n').map((line) => `  | ${line}`);
  return [`${commit}, with changes that were not committed:`, ...status];
}

const describeRun = (container: ContainerFacts | undefined) => (container ? `, ${describeState(container)}` : '');

function describeState(facts: Omit<ContainerFacts, 'uuid'>): string {
  const exit = facts.exitCode === null ? '' : `, exit code ${facts.exitCode}`;
  return `${facts.state.toLowerCase()}${exit}${facts.finishedAt ? `, ${toTime(facts.finishedAt)}` : ''}`;
}

function describeReuse(reusedBy: readonly string[]): string[] {
  if (reusedBy.length === 0) return [];
  return [`its result was also taken by ${reusedBy.length === 1 ? reusedBy[0] : `${reusedBy.length} other requests`}`];
}

const quoteWord = (word: string) => (/^[-\w@%+=:,./]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
