import * as z from 'zod';
import type { BackupInputs } from '../action-backup/src/inputs.js';
import * as backup from '../action-backup/src/result.js';
import type { RolloutInputs } from '../action-rollout/src/inputs.js';
import { rolloutTelling } from '../action-rollout/src/result.js';
import type { SetupInputs } from '../action-setup/src/inputs.js';
import { setupTelling } from '../action-setup/src/result.js';
import type { SmokeInputs } from '../action-smoke-test/src/inputs.js';
import { smokeTelling } from '../action-smoke-test/src/result.js';
import { resultOf, type Telling } from '../shared/action/result.js';

/** What each operation of each action tells. */
const tellings: Readonly<Record<string, Readonly<Record<string, Telling>>>> = {
  'action-backup': {
    backup: backup.backupTelling,
    restore: backup.restoreTelling,
    plan: backup.restoreTelling,
    verify: backup.verifyTelling,
    fetch: backup.fetchTelling,
    list: backup.listTelling,
    wipe: backup.wipeTelling,
  } satisfies Record<BackupInputs['operation'], Telling>,
  'action-setup': { install: setupTelling, check: setupTelling } satisfies Record<SetupInputs['operation'], Telling>,
  'action-rollout': { rollout: rolloutTelling, plan: rolloutTelling } satisfies Record<
    RolloutInputs['operation'],
    Telling
  >,
  'action-smoke-test': { test: smokeTelling, preview: smokeTelling, cleanup: smokeTelling } satisfies Record<
    SmokeInputs['operation'],
    Telling
  >,
};

/** The JSON Schema of the output `result`, as docs/result.schema.json publishes it. */
export function resultSchemaText(): string {
  const results = Object.entries(tellings).flatMap(([action, operations]) => {
    const same = Map.groupBy(Object.entries(operations), ([, telling]) => telling);
    return [...same].map(([telling, of]) =>
      resultOf(
        action,
        of.map(([operation]) => operation),
        telling,
      ),
    );
  });
  const described = {
    title: 'The output `result` of the actions of mcprt',
    description:
      'One JSON object, by action and operation. It is that of the version which this file belongs to: a later one may have more fields.',
  };
  const schema = z.toJSONSchema(z.union(results).meta(described), {
    override: ({ jsonSchema }) => withoutNoise(jsonSchema),
  });
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** What the format of a time and the type of a number say already. */
function withoutNoise(schema: { format?: string | undefined; pattern?: string; maximum?: number }): void {
  if (schema.format === 'date-time') delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}
