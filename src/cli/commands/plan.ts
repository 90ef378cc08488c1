import { resolve } from 'node:path';
import { formatBytes } from '../../core/units.ts';
import type { ImageReference } from '../../image/reference.ts';
import type { FormatCheck } from '../../job/inputs/inputs.ts';
import { createDryCluster } from '../../run/plan/dry-cluster.ts';
import type { ImagePlan, Plan, StepPlan } from '../../run/plan/model.ts';
import { type PlanRequest, planProcess } from '../../run/plan/plan-process.ts';
import type { RunOptions } from '../../run/run-process.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RunFlags } from '../options/options.ts';
import { placeField } from '../report/place-field.ts';
import { formatPlace } from '../report/report-error.ts';
import { toDownloadSettings } from '../run-settings.ts';
import { createProbe } from '../session.ts';
import { formatTable } from '../terminal/table.ts';
import { withReadOnlyCluster } from '../wire/cluster.ts';
import { createJsEngine, type Reach } from '../wire/documents.ts';
import { lazyDownloads } from '../wire/downloads.ts';
import { gitReader } from '../wire/git.ts';
import { createRegistry, createResolveDigest } from '../wire/images.ts';

export interface PlanSettings {
  readonly flags: RunFlags;
  readonly options: RunOptions;
  readonly fitsFormat: FormatCheck;
  readonly reach: Reach;
}

/** `cwl-runner --plan DOCUMENT [INPUTS]`: what a run would do, as tables or with `--json` as data. Changes nothing. */
export async function planCommand(request: PlanRequest, settings: PlanSettings): Promise<number> {
  const { flags, options, fitsFormat, reach } = settings;
  const engine = createJsEngine();
  const home = flags.cachedir === undefined ? undefined : resolve(flags.cachedir);
  try {
    const plan = await withReadOnlyCluster(async ({ api, blocks }) => {
      const downloads = lazyDownloads({ api: createDryCluster(api), blocks }, toDownloadSettings(flags, reach));
      const services = {
        ...{ api, blocks, downloads, probe: createProbe(downloads), fitsFormat, askRegistry },
        javascript: { engine, timeoutMs: flags.evalTimeout * 1000 },
        git: gitReader,
        resolveDigest: createResolveDigest(),
        checkReach: reach.check,
        emit: ({ type, ...event }: { readonly type: string; readonly message?: string }) => {
          if (type === 'warning' && !flags.quiet) process.stderr.write(`${event.message}\n`);
        },
      };
      return planProcess(request, services, options);
    }, home);
    process.stdout.write(flags.json ? `${JSON.stringify(plan, null, 2)}\n` : formatPlan(plan));
    return plan.steps.some(({ action }) => action === 'fail') ? exitCodes.failure : exitCodes.success;
  } finally {
    await engine.close();
  }
}

const askRegistry = async (reference: ImageReference) => (await createRegistry()).planPull(reference);

/** Two tables and a line of totals. Elements of a scatter that fare alike share a row. */
function formatPlan({ images, steps }: Plan): string {
  const parts: string[] = [];
  if (images.length > 0) parts.push(formatTable(['image', 'would', ''], images.map(toImageRow)));
  if (steps.length > 0) parts.push(formatTable(['step', 'would', 'because'], groupElements(steps)));
  const totals = Object.entries(Object.groupBy([...images, ...steps], ({ action }) => action));
  parts.push(totals.map(([action, of]) => `${of?.length} ${action}`).join(', ') || 'nothing to do');
  return `${parts.join('\n\n')}\n`;
}

function toImageRow({ image, action, because, sizeBytes, layers }: ImagePlan): string[] {
  const size =
    sizeBytes === undefined ? '' : `${formatBytes(sizeBytes)} in ${layers} layer${layers === 1 ? '' : 's'}; `;
  return [image, action, size + because];
}

function groupElements(steps: readonly StepPlan[]): string[][] {
  const reasonOf = ({ because, where, hint }: StepPlan) =>
    `${where ? formatPlace(placeField(where)) : ''}${because}${hint === undefined ? '' : ` (${hint})`}`;
  const keyOf = (plan: StepPlan) => JSON.stringify([withoutIndices(plan.step), plan.action, reasonOf(plan)]);
  return [...Map.groupBy(steps, keyOf).values()].flatMap((alike) => {
    const [first] = alike;
    if (!first) return [];
    const name = alike.length === 1 ? first.step : `${withoutIndices(first.step)} (${alike.length} of a scatter)`;
    return [[name, first.action, reasonOf(first)]];
  });
}

const withoutIndices = (step: string): string => step.replace(/\[\d+\]/g, '');
