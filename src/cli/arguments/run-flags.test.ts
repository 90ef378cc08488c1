import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { foreignFlags } from '../options/foreign.ts';
import { parseRunFlags, runHelp } from './run-flags.ts';

const first = (...args: string[]) => parseRunFlags(args, true);
const later = (...args: string[]) => parseRunFlags(args, false);

describe('flags before the document', () => {
  it('end at the document', () => {
    const { flags, given, rest } = first('--quiet', '--on-error', 'continue', 'a.cwl', '--quiet', 'b.yml', '--n', '5');
    expect(flags).toMatchObject({ quiet: true, onError: 'continue', outdir: '.', pull: 'missing', evalTimeout: 60 });
    expect(given).toEqual({ quiet: true, onError: 'continue' });
    expect(rest).toEqual(['a.cwl', '--quiet', 'b.yml', '--n', '5']);
  });

  it('take a value beside them or behind =, a short name, or a no', () => {
    const { given } = first(
      '--outdir=x',
      '-w',
      'sum.json',
      '--no-container',
      '--parallel-max',
      '3',
      '-t',
      'a',
      '-t',
      'b',
    );
    expect(given).toEqual({
      outdir: 'x',
      writeSummary: 'sum.json',
      container: false,
      parallelMax: 3,
      target: ['a', 'b'],
    });
  });

  it('count once, the last, unless they are lists', () => {
    expect(first('--outdir', 'a', '--quiet', '--outdir', 'b', '--no-quiet').given).toEqual({
      outdir: 'b',
      quiet: false,
    });
  });

  it('are told apart from unknown ones, with the nearest name', () => {
    expect(() => first('--outdri', 'x', 'a.cwl')).toThrow(/unknown flag --outdri/);
    expect(() => first('--outdri', 'a.cwl')).toThrow(
      expect.objectContaining({ code: 'cli/usage', hint: expect.stringContaining('outdir') }),
    );
  });

  it.each([
    [['--pull', 'sometimes', 'a.cwl'], '--pull: expected one of missing, newer, always, never, got sometimes'],
    [['--eval-timeout', 'soon', 'a.cwl'], '--eval-timeout: expected a number, got NaN'],
    [['--outdir'], 'Not enough arguments following: outdir'],
  ])('%j is refused', (args, message) => {
    expect(() => parseRunFlags(args, true)).toThrow(expect.objectContaining({ code: 'cli/usage', message }));
  });
});

describe('flags after the document', () => {
  it('leave what they do not know to its inputs', () => {
    const { given, rest, help } = later('--message', 'hi', '--quiet', '--n=5', '--help');
    expect(given).toEqual({ quiet: true });
    expect(rest).toEqual(['--message', 'hi', '--n=5']);
    expect(help).toBe(true);
  });
});

describe('flags of other runners', () => {
  const cwltool = `add-ga4gh-tool-registry=x basedir=x beta-conda-dependencies beta-dependencies-directory=x
    beta-dependency-resolvers-configuration=x beta-use-biocontainers cachedir=x cidfile-dir=x cidfile-prefix=x compute-checksum
    copy-outputs custom-net=x debug default-container=x disable-color disable-ga4gh-tool-registry disable-host-provenance
    disable-js-validation disable-pull disable-user-provenance disable-validate doc-cache enable-color enable-dev enable-ext
    enable-ga4gh-tool-registry enable-host-provenance enable-pull enable-user-provenance eval-timeout=3 fast-parser
    force-docker-pull full-name=x generate-help-preview js-console js-hint-options-file=x leave-container leave-outputs
    leave-tmpdir log-dir=x make-template move-outputs mpi-config-file=x no-compute-checksum no-container no-doc-cache
    no-match-user no-read-only no-warnings non-strict on-error=stop orcid=x outdir=x overrides=x pack parallel parallel-max=3 podman
    preserve-entire-environment preserve-environment=x print-deps print-dot print-input-deps print-pre print-rdf print-subgraph
    print-supported-versions print-targets provenance=x quiet rdf-serializer=x record-container-id relative-deps=cwd
    relax-path-checks rm-container rm-tmpdir single-process=x single-step=x singularity singularity-sandbox-path=x skip-schemas
    strict strict-cpu-limit strict-memory-limit target=x timestamps tmp-outdir-prefix=x tmpdir-prefix=x tool-help udocker
    user-space-docker-cmd=x validate verbose write-summary=x`;
  const arvados = `always-submit-runner api=containers collection-cache-size=3 copy-deps create-template create-workflow
    defer-downloads disable-aws-credential-capture disable-git disable-preemptible disable-resubmit-non-preemptible
    disable-reuse disable-usage-report enable-aws-credential-capture enable-preemptible enable-resubmit-non-preemptible
    enable-reuse enable-usage-report http-timeout=3 ignore-docker-for-reuse intermediate-output-ttl=3
    intermediate-storage-classes=x local log-timestamps match-submitter-images metrics name=x no-copy-deps no-log-timestamps
    no-trash-intermediate no-wait output-name=x output-tags=x prefer-cached-downloads print-keep-deps priority=3 project-uuid=x
    s3-public-bucket storage-classes=x submit submit-request-uuid=x submit-runner-cluster=x submit-runner-image=x
    submit-runner-ram=3 thread-count=3 trash-intermediate update-workflow=x use-credential=x varying-url-params=x wait`;

  it.each(`${cwltool} ${arvados}`.split(/\s+/).map((name) => `--${name}`))('%s is known', (word) => {
    try {
      expect(first(word, 'a.cwl').rest).toEqual(['a.cwl']);
    } catch (error) {
      expect(error).toMatchObject({
        message: expect.stringMatching(/^--\S+ is not supported$/),
        hint: expect.any(String),
      });
    }
  });

  it('are names for values of our own', () => {
    expect(first('--docker', '--force-docker-pull', '--disable-reuse', '--non-strict').flags).toMatchObject({
      ...{ executor: 'docker', pull: 'always', enableReuse: false, strict: false },
    });
    expect(first('--docker', '--executor', 'podman').flags.executor).toBe('podman');
    expect(first('--no-docker').given).toEqual({ docker: false });
  });

  it('are told of where they have no effect', () => {
    expect(first('--no-wait', '--thread-count', '3', '--no-doc-cache', '--quiet').notes).toEqual([
      '--no-wait has no effect: the command waits for the end of the run',
      '--thread-count has no effect: --parallel-max bounds the containers at once',
    ]);
  });

  it('are all on the page about them', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/flags.md'), 'utf8');
    const missing = Object.keys(foreignFlags).filter((name) => !page.includes(`\`--${name}\``));
    expect(missing).toEqual([]);
  });
});

it('behind the document, a name of an input is none of a flag', () => {
  const { given, rest } = parseRunFlags(['--name', 'x', '--target=y', '--quiet'], false, new Set(['name', 'target']));
  expect(given).toEqual({ quiet: true });
  expect(rest).toEqual(['--name', 'x', '--target=y']);
});

it('the help names every flag', async () => {
  const help = await runHelp();
  expect(help).toContain('--on-error');
  expect(help).toContain('folder for the output files');
});
