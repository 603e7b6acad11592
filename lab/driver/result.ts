import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { isRecord, parsedJson } from '../../shared/json.js';
import { type ActionOptions, type ActionRun, runBundle } from './action.js';
import { root } from './folders.js';

type Schema = z.core.JSONSchema.JSONSchema;

const publishedShape = z.looseObject({ $defs: z.record(z.string(), z.custom<Schema>(isRecord)) });

let read: z.infer<typeof publishedShape> | undefined;

/** Runs the shipped bundle, and holds its output `result` to what is published. @throws Error where that is otherwise */
export async function runFitting(options: ActionOptions): Promise<ActionRun> {
  const run = await runBundle(options);
  if (run.outputs.result !== undefined) requireFitting(run.outputs.result);
  return run;
}

/**
 * Holds the output `result` of a run to what docs/result.schema.json publishes of its operation.
 *
 * @throws Error with what does not fit
 */
export function requireFitting(result: string): void {
  const found = parsedJson(result);
  const { action, operation } = isRecord(found) ? found : {};
  const fitted = schemaOf(String(action), String(operation))?.safeParse(found);
  if (fitted?.success === true) return;
  const why = fitted === undefined ? 'nothing is published of it' : z.prettifyError(fitted.error);
  throw new Error(
    `\`result\` of ${String(action)}, ${String(operation)}, is not as docs/result.schema.json says:\n${why}`,
  );
}

function schemaOf(action: string, operation: string): z.ZodType | undefined {
  read ??= publishedShape.parse(parsedJson(readFileSync(join(root, 'docs', 'result.schema.json'), 'utf8')));
  const { $defs } = read;
  const name = Object.keys($defs).find(
    (one) =>
      partOf($defs[one], 'action').const === action &&
      partOf($defs[one], 'operation').enum?.includes(operation) === true,
  );
  return name === undefined ? undefined : z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs });
}

function partOf(schema: Schema | undefined, field: string): Schema {
  const part = schema?.properties?.[field];
  return typeof part === 'object' ? part : {};
}
