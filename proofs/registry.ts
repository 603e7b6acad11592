import { accounts } from './accounts/accounts.js';
import { approvals } from './approvals/approvals.js';
import { breakGlass } from './break-glass.js';
import { brokenWorlds } from './broken-worlds/broken-worlds.js';
import { canary } from './canary/canary.js';
import { cancel } from './cancel.js';
import { choose } from './choose/choose.js';
import { cli } from './cli/cli.js';
import { coldStart } from './cold-start.js';
import { corrupt } from './corrupt/corrupt.js';
import { docsSearch } from './docs-search/docs-search.js';
import { drillProof } from './drill/drill.js';
import { elsewhere } from './elsewhere/elsewhere.js';
import { forecastProof } from './forecast/forecast.js';
import { guardsProof } from './guards/guards.js';
import { hostile } from './hostile/hostile.js';
import { init } from './init/init.js';
import { keyless } from './keyless/keyless.js';
import { kill } from './kill.js';
import { kubeconfigs } from './kubeconfigs/kubeconfigs.js';
import { mcpSdk } from './mcp-sdk.js';
import { mcpServers } from './mcp-servers/mcp-servers.js';
import { mutationsProof } from './mutations/mutations.js';
import { policies } from './policies.js';
import { preview } from './preview.js';
import { proxy } from './proxy/proxy.js';
import { rbacOf } from './rbac/rbac.js';
import { realNodeProof } from './real-node/real-node.js';
import { registries } from './registries/registries.js';
import { rollout } from './rollout.js';
import { rolloutFailures } from './rollout-failures/rollout-failures.js';
import { rolloutKill } from './rollout-kill.js';
import { rolloutPatience } from './rollout-patience/rollout-patience.js';
import { rolloutSpeed } from './rollout-speed.js';
import { roundTripProof } from './round-trip/round-trip.js';
import { runners } from './runners/runners.js';
import { scale } from './scale.js';
import { setup } from './setup.js';
import { smoke } from './smoke.js';
import { smokeFailures } from './smoke-failures/smoke-failures.js';
import { speed } from './speed.js';
import { stolenKey } from './stolen-key/stolen-key.js';
import { stores } from './stores/stores.js';
import type { Proof } from './support/proof.js';
import { traefikProof } from './traefik/traefik.js';
import { wipeProof } from './wipe/wipe.js';
import { wipeScale } from './wipe-scale.js';
import { workflowLint } from './workflow-lint.js';
import { workflows } from './workflows/workflows.js';
import { writer } from './writer.js';
import { zeroOrders } from './zero-orders.js';

const before: readonly Proof[] = [
  zeroOrders,
  writer,
  roundTripProof,
  forecastProof,
  keyless,
  kubeconfigs,
  proxy,
  elsewhere,
  traefikProof,
  runners,
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
  coldStart,
  stores,
  choose,
  setup,
  cancel,
  wipeProof,
  wipeScale,
  scale,
  brokenWorlds,
  rollout,
  rolloutFailures,
  rolloutPatience,
  realNodeProof,
  registries,
  rolloutKill,
  policies,
  rolloutSpeed,
  smoke,
  smokeFailures,
  preview,
  mcpSdk,
  mcpServers,
];

const after: readonly Proof[] = [cli, approvals, workflowLint, docsSearch, init, workflows, speed];

/** Every proof, in the order in which they are run. */
export const proofs: readonly Proof[] = [...before, rbacOf([...before, ...after]), ...after];
