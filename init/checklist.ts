import type { Account } from './accounts.js';
import { type Environment, optionalVariables } from './environments.js';
import type { Facts } from './look.js';
import type { InitPlan } from './plan.js';

/** Where the parts of a checklist come from. */
export interface Sources {
  /** Folder of the keys, as somebody types it. */
  keys: string;
  /** Folder of the manifests with the verbs that each operation needs, as somebody types it. */
  rbac: string;
  /** Accounts that were made on the cluster; undefined where none were asked for. */
  accounts: readonly Pick<Account, 'environment' | 'missing'>[] | undefined;
}

/** How each secret gets its value: a command that is followed by `gh secret set`, or one that is fed by a file. */
const fromCluster =
  "kubectl -n mcp-sentinel get secret mcp-sentinel-secrets -o jsonpath='{.data.ADMIN_API_KEYS}' | base64 -d | cut -d, -f1 | tr -d '\\n'";
const random = 'openssl rand -base64 24';

/** What is left to do by hand, as Markdown with the lines to run: pure. */
export function checklist(plan: InitPlan, facts: Facts, sources: Sources): string {
  const lines = [
    ...filesPart(plan),
    ...profilePart(facts),
    ...environmentsPart(plan.environments, facts, sources),
    ...keysPart(plan, sources),
    ...lastPart(plan, facts),
  ];
  return `${lines.join('\n')}\n`;
}

function filesPart({ files }: InitPlan): string[] {
  const said = { new: 'written', same: 'is there already', kept: 'is there and differs: left alone' };
  return ['## Workflows', '', ...files.map(({ name, state }) => `- .github/workflows/${name}: ${said[state]}`), ''];
}

function profilePart({ profile }: Facts): string[] {
  if (profile === undefined) return [];
  const { path, domain, isTracked, hasSecrets } = profile;
  const wrong = [
    ...(domain === '' ? [`- [ ] ${path} names no domain: set MCP_PLATFORM_DOMAIN in it.`] : []),
    ...(isTracked ? [] : [`- [ ] Jobs see what git has: \`git add --force ${path}\`.`]),
    ...(hasSecrets
      ? [`- [ ] ${path} holds secrets: take them out before it is committed, and hand them to the jobs as secrets.`]
      : []),
  ];
  return [
    '## Profile',
    '',
    `${path}${domain === '' ? '' : `, for ${domain}`}`,
    '',
    ...wrong,
    ...(wrong.length > 0 ? [''] : []),
  ];
}

function environmentsPart(environments: readonly Environment[], facts: Facts, sources: Sources): string[] {
  if (environments.length === 0) return [];
  return [
    '## Environments',
    '',
    'GitHub makes an environment that is missing as soon as a job names it, without any rule: make them before you push.',
    '',
    ...environments.flatMap((one) => environmentPart(one, facts, sources)),
  ];
}

function environmentPart(environment: Environment, facts: Facts, sources: Sources): string[] {
  const { name, secrets, variables, hasReviewers, isForEveryBranch } = environment;
  const repository = facts.repository || 'OWNER/NAME';
  const rules = {
    ...(hasReviewers ? { reviewers: [{ type: 'User', id: 'YOU' }] } : {}),
    deployment_branch_policy: isForEveryBranch ? null : { protected_branches: false, custom_branch_policies: true },
  };
  const body = JSON.stringify(rules).replace('"YOU"', "'$(gh api user --jq .id)'");
  const path = `repos/${repository}/environments/${name}`;
  const at = `--env ${name} --repo ${repository}`;
  const who = hasReviewers ? 'a reviewer lets each job start' : 'no reviewer';
  const where = isForEveryBranch ? 'every branch' : `branch ${facts.branch} only`;
  return [
    `### ${name} (${who}; ${where})`,
    '',
    '```sh',
    `gh api --method PUT ${path} --input - <<< '${body}'`,
    ...(isForEveryBranch ? [] : [`gh api --method POST ${path}/deployment-branch-policies -f name=${facts.branch}`]),
    ...secrets.map((secret) => secretLine(secret, name, at, sources)),
    ...variables.map((variable) => `gh variable set ${variable} ${at} --body ${variableValue(variable, facts)}`),
    '```',
    '',
  ];
}

function secretLine(secret: string, environment: string, at: string, { keys }: Sources): string {
  const set = `gh secret set ${secret} ${at}`;
  if (secret === 'MCPRT_BACKUP_KEY') return `${set} < ${keys}/backup.key`;
  if (secret === 'MCPRT_RESTORE_KEY') return `${set} < ${keys}/restore.key`;
  if (secret === 'MCP_ADMIN_KEY') return `${fromCluster} | ${set}`;
  if (secret === 'KUBECONFIG') return `${set} < ${keys}/${environment}.kubeconfig`;
  return `${random} | ${set}`;
}

function variableValue(variable: string, { cluster, profile }: Facts): string {
  if (variable === 'MCPRT_CLUSTER') {
    return 'fingerprint' in cluster
      ? cluster.fingerprint
      : '"$(kubectl get namespace kube-system -o jsonpath=\'{.metadata.uid}\')"';
  }
  return profile?.domain || 'example.com';
}

function keysPart({ environments, needsKeys }: InitPlan, sources: Sources): string[] {
  const { keys } = sources;
  const kubeconfigs = environments.filter(({ secrets }) => secrets.includes('KUBECONFIG'));
  return [
    ...(kubeconfigs.length > 0 ? ['## Kubeconfigs', '', ...accountLines(kubeconfigs, sources), ''] : []),
    ...(needsKeys
      ? [
          '## Keys',
          '',
          `- [ ] ${keys} has the keys. When the lines above have stored what is in it, put ${keys}/offline.txt on paper or into a safe, and delete the folder.`,
          '',
        ]
      : []),
  ];
}

function accountLines(environments: readonly Environment[], { rbac, accounts, keys }: Sources): string[] {
  const names = environments.map(({ name }) => name).join(', ');
  if (accounts === undefined) {
    return [
      `- [ ] One for each of ${names}, with no more than its operation needs. Run this again with --accounts as an administrator of the cluster, or use the manifests in ${rbac}.`,
    ];
  }
  const missing = accounts.flatMap(({ environment, missing: some }) =>
    some.length === 0
      ? []
      : [`- [ ] ${environment}: run this again when ${some.join(', ')} ${some.length === 1 ? 'is' : 'are'} there.`],
  );
  return [
    `The cluster has an account for each of ${names}; their kubeconfigs are in ${keys}.`,
    ...(missing.length > 0 ? ['', ...missing] : []),
  ];
}

function lastPart({ files }: InitPlan, { cluster, profile }: Facts): string[] {
  const first = files[0];
  return [
    '## Then',
    '',
    ...('why' in cluster && profile !== undefined
      ? [`- [ ] The cluster was not asked: ${cluster.why}. Every operation prints its fingerprint.`]
      : []),
    `- [ ] Only in a private network: the variables ${optionalVariables.join(' and ')} of the repository lead to the cluster.`,
    ...(first === undefined ? [] : [`- [ ] Commit, push, and try the first one: \`gh workflow run ${first.name}\`.`]),
    '',
  ];
}
