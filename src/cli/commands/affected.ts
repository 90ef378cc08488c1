import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isHallmarkError, toMessage } from '../../core/errors.ts';
import { type PackageQuery, parsePackageQuery } from '../../image/packages/query.ts';
import { type Affected, findAffected } from '../../provenance/affected.ts';
import { findIngredient, type Ingredient } from '../../provenance/ingredients.ts';
import { sha256Of } from '../../provenance/recipe.ts';
import { renderAffected } from '../../provenance/render-affected.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { withCluster } from '../wire/cluster.ts';
import type { ClusterHandle } from '../wire/handle.ts';

const usage = usageOf('affected');
const text = { type: 'string' } as const;
const options = {
  package: text,
  image: text,
  base: text,
  dockerfile: text,
  commit: text,
  input: text,
  json: { type: 'boolean' },
} as const;

/** `cwl-runner affected --image NAME …`: the results that an ingredient went into. */
export async function affectedCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, options, 'affected');
  const { json, debug: _, ...ingredients } = values;
  const given = Object.entries(ingredients);
  if (given.length !== 1 || positionals.length > 0) {
    throw cliError('cli/usage', `affected: expected one ingredient, got ${given.length + positionals.length}`, {
      hint: usage,
    });
  }
  const question = toQuestion(ingredients);
  const [answer, printed] = await withCluster((cluster) => answerFor(cluster, question));
  process.stdout.write(json ? `${JSON.stringify(answer, null, 2)}\n` : printed);
  return exitCodes.success;
}

type Question = Ingredient | { readonly package: PackageQuery };

/** Of the one flag that is given. */
function toQuestion(given: { readonly package?: string | undefined }): Question {
  if (given.package === undefined) return given as Ingredient;
  try {
    return { package: parsePackageQuery(given.package) };
  } catch (error) {
    if (!isHallmarkError(error, 'image/bad-package-query')) throw error;
    throw cliError('cli/usage', `affected: --package: ${error.message}`, { hint: error.hint ?? usage });
  }
}

/** The answer as JSON and for people. */
async function answerFor(cluster: ClusterHandle, question: Question): Promise<readonly [object, string]> {
  if (!('package' in question)) {
    const origins = await findIngredient(cluster.api, await readDockerfile(question));
    return describe(await findAffected(cluster.api, origins));
  }
  const { askImages, renderAnswers } = await import('./affected-by-package.ts');
  const answers = await askImages(cluster, question.package);
  const contents = answers.images.filter(({ found }) => found.length > 0).flatMap((image) => image.contents);
  const [affected, printed] = describe(await findAffected(cluster.api, { contents, containers: [] }));
  return [{ ...answers, ...affected }, renderAnswers(answers) + printed];
}

const describe = (affected: Affected) => [affected, renderAffected(affected)] as const;

/** A Dockerfile may be given as a file of this machine instead of by its hash. */
async function readDockerfile(ingredient: Ingredient): Promise<Ingredient> {
  if (!('dockerfile' in ingredient) || !existsSync(ingredient.dockerfile)) return ingredient;
  const text = await readFile(ingredient.dockerfile, 'utf8').catch((cause: unknown) => {
    throw cliError(
      'cli/not-found',
      `affected: cannot read the Dockerfile ${ingredient.dockerfile}: ${toMessage(cause)}`,
      {
        hint: usage,
        cause,
      },
    );
  });
  return { dockerfile: sha256Of(text) };
}
