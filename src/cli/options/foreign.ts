import type { Flag } from './flag.ts';

const without = (noEffect: string, type: 'boolean' | 'string' = 'boolean'): Flag => ({ type, noEffect, hidden: true });
const refuse = (refused: string, type: 'boolean' | 'string' = 'boolean'): Flag => ({ type, refused, hidden: true });
/** What is so already: nothing to tell. */
const already: Flag = { type: 'boolean', hidden: true };

const noRunner = 'the workflow is run by this command, not by a container of the cluster';
const noHelpers = 'no helper programs are used; a container image or the PATH says what a tool runs with';
const noCredentials = 'inputs from S3 are not fetched by this command';
const provenance = 'every run is recorded as it is: cwl-runner provenance reads it back';

/** Flags of cwltool 3.3 and arvados-cwl-runner 3.2 that mean nothing here. They are told about or refused, never unknown. */
export const foreignFlags: Readonly<Record<string, Flag>> = {
  'rm-container': already,
  'leave-container': without('a container is removed when it ends; cwl-runner logs shows what it wrote'),
  'cidfile-dir': without('cwl-runner runs and logs name the containers', 'string'),
  'cidfile-prefix': without('cwl-runner runs and logs name the containers', 'string'),
  'record-container-id': without('cwl-runner runs and logs name the containers'),
  'singularity-sandbox-path': without('converted images are kept in Keep', 'string'),
  udocker: refuse('udocker is not supported: the default executor needs neither root nor a daemon'),
  'user-space-docker-cmd': refuse('it is not supported: choose an --executor', 'string'),
  'doc-cache': without('documents are not kept between runs'),
  'fast-parser': already,
  'disable-validate': without('documents are always checked'),
  'disable-js-validation': already,
  'js-console': without('expressions say nothing to the terminal'),
  'js-hint-options-file': without('JavaScript is not linted', 'string'),
  'print-rdf': refuse('RDF of documents is not printed: --pack gives JSON, cwl-runner graph a drawing'),
  'rdf-serializer': refuse('RDF of documents is not printed: --pack gives JSON, cwl-runner graph a drawing', 'string'),
  'enable-color': already,
  'disable-color': without('set NO_COLOR to have no colours'),
  'enable-ga4gh-tool-registry': without('give the URL of the document'),
  'disable-ga4gh-tool-registry': already,
  'add-ga4gh-tool-registry': without('give the URL of the document', 'string'),
  'mpi-config-file': without('MPIRequirement runs mpirun -n PROCESSES', 'string'),
  'beta-dependency-resolvers-configuration': without(noHelpers, 'string'),
  'beta-dependencies-directory': without(noHelpers, 'string'),
  'beta-use-biocontainers': without(noHelpers),
  'beta-conda-dependencies': without(noHelpers),
  provenance: refuse(provenance, 'string'),
  'enable-user-provenance': without(provenance),
  'disable-user-provenance': already,
  'enable-host-provenance': without(provenance),
  'disable-host-provenance': already,
  orcid: without(provenance, 'string'),
  'full-name': without(provenance, 'string'),
  'generate-help-preview': refuse('it is for the documentation of cwltool'),

  submit: without(noRunner),
  local: already,
  wait: { ...already, noEffectNegated: 'the command waits for the end of the run' },
  'create-workflow': refuse('workflows are not registered; --pack gives the document to register'),
  'create-template': refuse('workflows are not registered; --pack gives the document to register'),
  'update-workflow': refuse('workflows are not registered; --pack gives the document to register', 'string'),
  'print-keep-deps': refuse('--print-input-deps prints what the inputs name'),
  'output-name': without('output files go into --outdir', 'string'),
  'output-tags': without('output files go into --outdir', 'string'),
  'storage-classes': without('output files go into --outdir', 'string'),
  'ignore-docker-for-reuse': without('images are compared by content, so a re-tag does not hinder reuse'),
  'match-submitter-images': without('--pull says when a registry is asked'),
  api: without('container requests are what there is', 'string'),
  'submit-runner-ram': without(noRunner, 'string'),
  'submit-runner-image': without(noRunner, 'string'),
  'always-submit-runner': without(noRunner),
  'submit-request-uuid': without(noRunner, 'string'),
  'submit-runner-cluster': without(noRunner, 'string'),
  'collection-cache-size': without('collections are not cached in memory', 'string'),
  'thread-count': without('--parallel-max bounds the containers at once', 'string'),
  'disable-git': without('the commit of the document is recorded where there is one'),
  'defer-downloads': without(noRunner),
  'trash-intermediate': without('outputs of steps stay in Keep, so that they can be reused; --intermediate-output-ttl'),
  'enable-resubmit-non-preemptible': without('no machine is taken away here'),
  'disable-resubmit-non-preemptible': already,
  'copy-deps': without('all is in one place here'),
  'enable-aws-credential-capture': without(noCredentials),
  'disable-aws-credential-capture': already,
  's3-public-bucket': without(noCredentials),
  'use-credential': without(noCredentials, 'string'),
};
