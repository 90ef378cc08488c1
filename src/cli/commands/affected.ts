import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { findAffected } from '../../provenance/affected.ts';
import { findIngredient, type Ingredient } from '../../provenance/ingredients.ts';
import { sha256Of } from '../../provenance/recipe.ts';
import { renderAffected } from '../../provenance/render-affected.ts';
import { parseCommandArgs } from '../command-args.ts';
import { exitCodes } from '../exit-codes.ts';
import { cliError } from '../usage-error.ts';
import { withCluster } from '../wire/cluster.ts';

const usage =
  'cwl-runner affected --image NAME | --base NAME | --dockerfile FILE | --commit ID | --input FILE [--json]';
const text = { type: 'string' } as const;
const options = {
  image: text,
  base: text,
  dockerfile: text,
  commit: text,
  input: text,
  json: { type: 'boolean' },
} as const;

/** `cwl-runner affected --image NAME …`: the results that an ingredient went into. */
export async function affectedCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, options, usage);
  const { json, ...ingredients } = values;
  const given = Object.entries(ingredients);
  if (given.length !== 1 || positionals.length > 0) {
    throw cliError('cli/usage', `affected: expected one ingredient, got ${given.length + positionals.length}`, {
      hint: usage,
    });
  }
  const ingredient = await readIngredient(ingredients as Ingredient);
  const affected = await withCluster(async ({ api }) => findAffected(api, await findIngredient(api, ingredient)));
  process.stdout.write(json ? `${JSON.stringify(affected, null, 2)}\n` : renderAffected(affected));
  return exitCodes.success;
}

/** A Dockerfile may be given as a file of this machine instead of by its hash. */
async function readIngredient(ingredient: Ingredient): Promise<Ingredient> {
  if (!('dockerfile' in ingredient) || !existsSync(ingredient.dockerfile)) return ingredient;
  return { dockerfile: sha256Of(await readFile(ingredient.dockerfile, 'utf8')) };
}
