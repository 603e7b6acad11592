import {
  backupName,
  expectedPlan,
  fingerprint,
  generationNumber,
  repositoryOrigin,
} from '../../shared/action/choice.js';
import { connectionTypes } from '../../shared/action/connection.js';
import {
  certificates,
  count,
  domain,
  duration,
  flag,
  type Inputs,
  type InputType,
  namespaceNames,
  oneOf,
  secret,
  token,
} from '../../shared/action/inputs.js';
import { profileTypes } from '../../shared/action/profile.js';
import { storeTypes } from '../../shared/action/store-inputs.js';
import { type Allowance, parseAllowance } from '../../shared/backup/allowance.js';
import { refusalRules } from '../../shared/backup/refusals.js';
import { scopes } from '../../shared/wipe/targets.js';

const older = 'older-backup';
const stop = 'stop-cert-manager';

/** One generation alone would be gone with one damaged entry. */
const generations: InputType<number> = {
  expected: 'a number of generations, 2 or more, or 0 to delete none',
  parse(value) {
    const wanted = count.parse(value);
    if (wanted === 1) throw new Error('the newest alone is not enough: when it is damaged there is none');
    return wanted;
  },
};

/** What of the refusals is overridden: rules of a backup, for all objects or for some, and an older backup for a restore. */
const allowances: InputType<{ rules: Allowance[]; older: boolean; stop: boolean }> = {
  isList: true,
  expected: `any of ${[...refusalRules, older, stop].join(', ')}, a rule also for one object or namespace, as in secret-missing:blog/old-blog or certificate-issuing:blog/*`,
  parse(value) {
    const words = value.split(/[\s,]+/).filter((word) => word !== '');
    const rules = words
      .filter((word) => word !== older && word !== stop)
      .map((word) => {
        const allowance = parseAllowance(word);
        if (allowance === undefined)
          throw new Error('one of its words is no such rule, or not of the form rule:namespace/name');
        return allowance;
      });
    return { rules, older: words.includes(older), stop: words.includes(stop) };
  },
};

/** The inputs of action-backup, in the order of its action.yml. */
export const inputTypes = {
  operation: oneOf(['backup', 'list', 'verify', 'fetch', 'plan', 'restore', 'wipe']),
  ...connectionTypes,
  ...profileTypes,
  'backup-key': secret,
  'restore-key': secret,
  ...storeTypes,
  's3-lock-days': count,
  'ca-bundle': certificates,
  'retention-days': count,
  'refresh-after': duration,
  keep: generations,
  'max-orders': count,
  'max-age': duration,
  issue: flag,
  generation: generationNumber,
  name: backupName,
  'from-cluster': fingerprint,
  'from-repository': repositoryOrigin,
  'expect-plan': expectedPlan,
  allow: allowances,
  confirm: domain,
  scope: oneOf(scopes),
  also: namespaceNames,
  cluster: fingerprint,
  timeout: duration,
  'dry-run': flag,
  'github-token': token,
} as const;

export type BackupInputs = Inputs<typeof inputTypes>;

/** The outputs of action-backup, in the order of its action.yml. */
export const outputNames = [
  'result',
  'generation',
  'name',
  'stores',
  'unchanged',
  'backups',
  'certificates',
  'orders',
  'plan',
  'wiped',
  'fingerprint',
  'created-at',
  'expires-at',
] as const;
