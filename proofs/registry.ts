import { accounts } from './accounts.js';
import { approvals } from './approvals.js';
import { breakGlass } from './break-glass.js';
import { brokenWorlds } from './broken-worlds.js';
import { canary } from './canary.js';
import { cancel } from './cancel.js';
import { choose } from './choose.js';
import { corrupt } from './corrupt.js';
import { drillProof } from './drill.js';
import { forecastProof } from './forecast.js';
import { guardsProof } from './guards.js';
import { hostile } from './hostile.js';
import { keyless } from './keyless.js';
import { kill } from './kill.js';
import { mcpSdk } from './mcp-sdk.js';
import { mutationsProof } from './mutations.js';
import { policies } from './policies.js';
import { preview } from './preview.js';
import type { Proof } from './proof.js';
import { rbac } from './rbac.js';
import { rollout } from './rollout.js';
import { rolloutFailures } from './rollout-failures.js';
import { rolloutKill } from './rollout-kill.js';
import { rolloutSpeed } from './rollout-speed.js';
import { roundTripProof } from './round-trip.js';
import { setup } from './setup.js';
import { smoke } from './smoke.js';
import { smokeFailures } from './smoke-failures.js';
import { speed } from './speed.js';
import { stolenKey } from './stolen-key.js';
import { stores } from './stores.js';
import { wipeProof } from './wipe.js';
import { wipeScale } from './wipe-scale.js';
import { workflowLint } from './workflow-lint.js';
import { workflows } from './workflows.js';
import { zeroOrders } from './zero-orders.js';

/** Every proof, in the order in which they are run. */
export const proofs: readonly Proof[] = [
  zeroOrders,
  roundTripProof,
  forecastProof,
  keyless,
  accounts,
  kill,
  corrupt,
  stolenKey,
  guardsProof,
  mutationsProof,
  canary,
  hostile,
  breakGlass,
  drillProof,
  stores,
  choose,
  setup,
  cancel,
  wipeProof,
  wipeScale,
  brokenWorlds,
  rollout,
  rolloutFailures,
  rolloutKill,
  policies,
  rolloutSpeed,
  smoke,
  smokeFailures,
  preview,
  mcpSdk,
  rbac,
  approvals,
  workflowLint,
  workflows,
  speed,
];
