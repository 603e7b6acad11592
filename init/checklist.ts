import { shellWord } from '../shared/shell-word.js';
import type { Access } from './access.js';
import { tokenDays } from './accounts.js';
import { controlPlaneLines } from './control-plane.js';
import { deploymentOf, type Environment, networkVariables, usualPrefix } from './environments.js';
import type { KeyState } from './key-folder.js';
import { kubectlAt } from './kubectl.js';
import { isLetIn } from './let-in.js';
import { repositoryWord, variablePlaces } from './place.js';
import type { InitPlan } from './plan.js';
import { publicHost } from './remotes.js';
import type { Facts } from './repository-facts.js';
import { storeLines, storeSecrets } from './stores.js';
import type { Uses } from './uses.js';

/** Where the parts of a checklist come from. */
export interface Sources {
  /** Folder of the keys, as somebody types it. */
  keys: string;
  /** Folder of the manifests with the verbs that each operation needs, as somebody types it. */
  rbac: string;
  /** How the jobs reach the cluster, as it was made; undefined where that was not asked for, and in a dry run. */
  access: Access | undefined;
  /** Whether it was asked for. */
  isAsked: boolean;
  keyState: KeyState;
  /** The mcprt that the workflows call. */
  uses: Uses | undefined;
  /** Types of the rules that GitHub tells of the branch; undefined where it was not to be asked. */
  branchRules: readonly string[] | undefined;
  isDry: boolean;
  /** What the environments begin with. */
  prefix: string;
}

/** An administrator's key of the platform. A pipe would store nothing as the secret where kubectl finds none. */
const adminKey =
  "-n mcp-sentinel get secret mcp-sentinel-secrets -o jsonpath='{.data.ADMIN_API_KEYS}' | base64 -d | cut -d, -f1";
const random = "openssl rand -base64 24 | tr -d '\\n'";

/** What is left to do by hand, as Markdown with the lines to run: pure. */
export function checklist(plan: InitPlan, facts: Facts, sources: Sources): string {
  const lines = [
    ...placePart(plan, facts, sources),
    ...filesPart(plan, facts, sources),
    ...profilePart(facts),
    ...environmentsPart(plan.environments, facts, sources),
    ...clusterPart(plan, facts, sources),
    ...storeLines(plan.environments, facts, sources),
    ...keysPart(plan, facts, sources),
    ...branchPart(facts, sources),
    ...lastPart(plan, facts, sources),
  ];
  return `${lines.join('\n')}\n`;
}

function placePart({ files }: InitPlan, facts: Facts, { uses }: Sources): string[] {
  const known =
    facts.repository === ''
      ? '**OWNER/NAME**, as git knows no remote on a GitHub: run this again with --repository, or put yours into the lines below'
      : repositoryWord(facts);
  const isElsewhere = uses?.host !== undefined && uses.host !== facts.host;
  return [
    `Repository ${known}; branch ${facts.branch}.`,
    '',
    ...facts.notes.flatMap((note) => [note, '']),
    ...(uses === undefined || files.every(({ state }) => state === 'kept')
      ? []
      : [
          `The workflows call ${uses.repository}@${uses.ref}${files.some(({ state }) => state === 'kept') ? '; those that are left alone, what they called' : ''}.`,
          '',
        ]),
    ...(isElsewhere
      ? [
          `- [ ] ${facts.host} calls workflows of its own repositories only, and this mcprt is from ${uses.host}: push a copy of it to ${facts.host}, and run this again with --uses OWNER/REPO@REF.`,
          '',
        ]
      : []),
  ];
}

function filesPart({ files, environments }: InitPlan, facts: Facts, { isDry, prefix }: Sources): string[] {
  const { profile } = facts;
  const said = {
    new: isDry ? 'would be written' : 'written',
    same: 'is there already',
    kept: 'is there and differs: left alone. Move it away and run this again for the one of this release',
  };
  const deploys = files.some(({ name }) => name === `${prefix}-deploy.yml`);
  const isLeft = profile !== undefined && !deploys;
  const source = files.flatMap(({ text }) => /^ +source-repository: (\S+)/m.exec(text)?.[1] ?? [])[0];
  const reading = [...['plan', 'restore', 'smoke'].map((role) => `${prefix}-${role}`), deploymentOf(prefix)];
  const readers = environments.map(({ name }) => name).filter((name) => reading.includes(name));
  return [
    '## Workflows',
    '',
    ...files.map(({ name, state }) => `- .github/workflows/${name}: ${said[state]}`),
    ...(isLeft
      ? [
          `- ${prefix}-deploy.yml and ${prefix}-reinstall.yml are not written, as the platform’s source is not in this repository. To have them, also for a first installation (--install), run this again with --source OWNER/NAME@REF.`,
        ]
      : []),
    ...(source === undefined
      ? []
      : [
          `- [ ] Where ${source} is private, these jobs read it with a token that may read its contents and nothing else: when the environments below are made, \`gh secret set MCPRT_SOURCE_TOKEN --env ENVIRONMENT --repo ${shellWord(repositoryWord(facts))}\` for each of ${readers.join(', ')}.`,
        ]),
    '',
  ];
}

function profilePart({ profile, root }: Facts): string[] {
  if (profile === undefined) return [];
  const { path, domain, isTracked, hasSecrets, placeholders, errors, template } = profile;
  const wrong = [
    ...(template === undefined
      ? []
      : [`- [ ] ${path} is not there yet: copy ${template} to it, and put in your values.`]),
    ...(placeholders.length === 0
      ? []
      : [`- [ ] ${path} still holds values of the template: ${placeholders.join(', ')}. Put in your own.`]),
    ...errors.map((error) => `- [ ] ${path}: ${error}`),
    ...(domain === '' ? [`- [ ] ${path} names no domain: set MCP_PLATFORM_DOMAIN in it.`] : []),
    ...(isTracked
      ? []
      : [
          `- [ ] Jobs see what git has: \`git -C ${shellWord(root)} add --force -- ${shellWord(path)}\`. Or hand its text on as the secret MCPRT_PROFILE of each environment; then no job may have \`profile:\`.`,
        ]),
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
    'GitHub creates a missing environment as soon as a job names it, with no protection rules: make them before you push.',
    'The lines are for bash, and can be pasted again: what was set stays. Where an environment needs a reviewer and has none, you are the one.',
    '',
    ...awaitedLines(environments, sources),
    ...inStoringOrder(environments, sources).flatMap((one) => environmentPart(one, facts, sources)),
  ];
}

/** A backup of a new key can be read by no job until the new restore key is stored, and a schedule may run in between. */
function inStoringOrder(environments: readonly Environment[], { keyState }: Sources): Environment[] {
  const signs = ({ secrets }: Environment): number => Number(secrets.includes('MCPRT_BACKUP_KEY'));
  return keyState.are === 'left' ? [...environments] : [...environments].sort((a, b) => signs(a) - signs(b));
}

/** GitHub gives no secret back: what a line replaces must be at hand before. */
function awaitedLines(environments: readonly Environment[], { keyState: { are, awaited } }: Sources): string[] {
  const isStored = are !== 'left' && environments.some(({ secrets }) => secrets.includes('MCPRT_RESTORE_KEY'));
  if (awaited === '' || !isStored) return [];
  return [
    `- [ ] Before you run the lines of MCPRT_BACKUP_KEY and MCPRT_RESTORE_KEY, fetch the old restore key from where it was put away, and put it into ${awaited}: they store it beside the new one, and no key while that file is empty. GitHub gives no secret back, and backups that exist are read with the old key. Where it is kept nowhere any more, delete that file and run this again without --new-keys: only the old offline key reads those backups then (docs/keys.md).`,
    '',
  ];
}

function environmentPart(environment: Environment, facts: Facts, sources: Sources): string[] {
  const { name, secrets, variables, hasReviewers, isForEveryBranch } = environment;
  const repository = facts.repository || 'OWNER/NAME';
  const api = apiOf(facts);
  const branches = isForEveryBranch ? null : { protected_branches: false, custom_branch_policies: true };
  const policy = JSON.stringify({ deployment_branch_policy: branches });
  const path = shellWord(`repos/${repository}/environments/${name}`);
  const at = `--env ${shellWord(name)} --repo ${shellWord(repositoryWord(facts))}`;
  const who = hasReviewers ? 'a reviewer lets each job start' : 'no reviewer';
  const where = isForEveryBranch ? 'every branch' : `branch ${facts.branch} only`;
  return [
    `### ${name} (${who}; ${where})`,
    '',
    '```sh',
    hasReviewers
      ? `rules="$(${api} ${path} --jq '${presentRules} | select(.reviewers) + ${policy}' 2> /dev/null)" && test -n "$rules" || rules='{"reviewers":[{"type":"User","id":'"$(${api} user --jq .id)"'}],${policy.slice(1)}'`
      : `rules="$(${api} ${path} --jq '${presentRules} + ${policy}' 2> /dev/null)" || rules='${policy}'`,
    `${api} --method PUT ${path} --input - <<< "$rules"`,
    ...(isForEveryBranch
      ? []
      : [`${api} --method POST ${path}/deployment-branch-policies -f ${shellWord(`name=${facts.branch}`)}`]),
    ...secrets
      .map((secret) => secretLine(secret, name, at, { ...sources, kubectl: kubectlAt(facts) }))
      .filter((line) => line !== ''),
    ...variables.map((variable) => variableLine(variable, at, facts)),
    '```',
    '',
  ];
}

/** The rules that an environment has, in the form in which they are set: what is not set again may be taken away. */
const presentRules =
  '[.protection_rules[] | {wait_timer, prevent_self_review, reviewers: [.reviewers[]? | {type, id: .reviewer.id}]} | with_entries(select(.value != null and .value != []))] | add';

/** GitHub's command line asks github.com unless it is told otherwise. */
function apiOf({ host }: Facts): string {
  return host === publicHost ? 'gh api' : `gh api --hostname ${shellWord(host)}`;
}

function secretLine(
  secret: string,
  environment: string,
  at: string,
  { keys, access, keyState, kubectl }: Sources & { kubectl: string },
): string {
  const set = `gh secret set ${secret} ${at}`;
  if (secret === 'MCP_ADMIN_KEY')
    return `key="$(${kubectl} ${adminKey})" && test -n "$key" && printf %s "$key" | ${set} || echo ${shellWord(`Not set: ${secret}`)} >&2`;
  if (storeSecrets.some((one) => one === secret)) return `# ${secret}: see Stores below`;
  const file = fileOf(secret, environment);
  // The platform cannot change such a password: what is set stays, also where these lines are pasted again.
  if (file === undefined)
    return `names="$(gh secret list ${at})" && { grep -qw ${secret} <<< "$names" || ${random} | ${set}; }`;
  if (secret === 'KUBECONFIG' && access?.by !== 'token') return '';
  if (secret !== 'KUBECONFIG' && keyState.are === 'left') return `# ${secret} stays as it is: see Keys below`;
  const own = shellWord(`${keys}/${file}`);
  const { older, awaited } = keyState;
  // Old backups are read with the old keys, one a line; no key file ends with a line's end.
  const all = [own, ...[...older, ...(awaited === '' ? [] : [awaited])].map(shellWord)];
  const stored =
    secret !== 'MCPRT_RESTORE_KEY' || all.length === 1 ? `${set} < ${own}` : `cat ${all.join(' <(echo) ')} | ${set}`;
  // The new backup key waits too: what it signs could be read by no job yet.
  return awaited === ''
    ? stored
    : `if test -s ${shellWord(awaited)}; then ${stored}; else echo ${shellWord(`Not stored: ${awaited} is empty`)} >&2; fi`;
}

function fileOf(secret: string, environment: string): string | undefined {
  if (secret === 'MCPRT_BACKUP_KEY') return 'backup.key';
  if (secret === 'MCPRT_RESTORE_KEY') return 'restore.key';
  return secret === 'KUBECONFIG' ? `${environment}.kubeconfig` : undefined;
}

function variableLine(variable: string, at: string, facts: Facts): string {
  const { cluster, profile } = facts;
  const set = `gh variable set ${variable} ${at} --body`;
  const isCluster = variable === 'MCPRT_CLUSTER';
  const known = isCluster ? 'fingerprint' in cluster && cluster.fingerprint : profile?.domain;
  if (known) return `${set} ${shellWord(known)}`;
  const ask = isCluster
    ? "get namespace kube-system -o jsonpath='{.metadata.uid}'"
    : "-n mcp-sentinel get configmap mcp-sentinel-config -o jsonpath='{.data.MCP_PLATFORM_DOMAIN}'";
  return `value="$(${kubectlAt(facts)} ${ask})" && test -n "$value" && ${set} "$value" || echo ${shellWord(`Not set: ${variable}`)} >&2`;
}

/** Who may change a workflow may do what it does: an approval of what nobody has looked at binds nothing. */
function branchPart(facts: Facts, { branchRules }: Sources): string[] {
  const { repository, branch, owners } = facts;
  const path = `repos/${repository || 'OWNER/NAME'}`;
  const ruleset = {
    name: 'mcprt',
    target: 'branch',
    enforcement: 'active',
    conditions: { ref_name: { include: [`refs/heads/${branch}`], exclude: [] } },
    rules: [
      { type: 'deletion' },
      { type: 'non_fast_forward' },
      {
        type: 'pull_request',
        parameters: {
          required_approving_review_count: 1,
          require_code_owner_review: true,
          dismiss_stale_reviews_on_push: true,
          require_last_push_approval: true,
          required_review_thread_resolution: false,
        },
      },
    ],
  };
  return [
    '## Branch',
    '',
    ...(branchRules === undefined
      ? []
      : branchRules.includes('pull_request')
        ? [`GitHub says that changes of ${branch} go through a pull request (${branchRules.join(', ')}).`, '']
        : [`- [ ] GitHub knows no rule by which changes of ${branch} go through a pull request.`, '']),
    'Who can push to the branch can change what these workflows do, and with what secrets. The first line shows its rules, the second one asks for a review by the owners of what is changed: run it after the first push, and when there is a second person who can approve.',
    '',
    '```sh',
    `${apiOf(facts)} ${shellWord(`${path}/rules/branches/${encodeURIComponent(branch)}`)} --jq '[.[].type]'`,
    `${apiOf(facts)} --method POST ${shellWord(`${path}/rulesets`)} --input - <<< ${shellWord(JSON.stringify(ruleset))}`,
    '```',
    '',
    owners === ''
      ? '- [ ] No CODEOWNERS names who must review workflows: add the line `/.github/ @OWNER/TEAM` to .github/CODEOWNERS.'
      : `CODEOWNERS: workflows are reviewed by ${owners}.`,
    '',
  ];
}

function keysPart(plan: InitPlan, facts: Facts, sources: Sources): string[] {
  return plan.needsKeys ? ['## Keys', '', ...keyLines(plan, facts, sources), ''] : [];
}

function clusterPart({ environments }: InitPlan, facts: Facts, sources: Sources): string[] {
  const own = environments.filter(({ secrets }) => secrets.includes('KUBECONFIG'));
  return own.length === 0 ? [] : ['## The way to the cluster', '', ...accessLines(own, facts, sources), ''];
}

function keyLines(plan: InitPlan, facts: Facts, { keys, keyState, isDry, prefix }: Sources): string[] {
  const { are, older, offline, awaited } = keyState;
  if (are === 'left') {
    return [
      `Keys were made before, and are not in ${keys}: those that GitHub has stay. A new set is made with --new-keys; backups that exist are then read with the old restore key, which is stored beside the new one: docs/keys.md.`,
    ];
  }
  const made = are === 'there' ? 'were there already' : isDry ? 'would be made' : 'were made';
  const old = [...offline, ...older];
  const hasOld = old.length > 0 || awaited !== '';
  return [
    ...(are === 'renewed' ? [oldKeysLine(keys, keyState, isDry)] : []),
    `${hasOld ? '' : '- [ ] '}The keys in ${keys} ${made}.${hasOld ? '' : ` When the lines above have stored what is in it, ${awayWords(keys)}. Then delete the folder.`}`,
    ...(hasOld ? rotationLines(plan, facts, { keys, prefix, old }) : []),
  ];
}

/** Where the keys of a set belong. */
function awayWords(keys: string): string {
  return `put ${keys}/restore.key into a password manager, where a drill on your machine and the next rotation find it, and ${keys}/offline.txt on paper or into a safe`;
}

/** The steps of docs/keys.md that come after the lines that store the new keys. */
function rotationLines(
  { files, environments }: InitPlan,
  facts: Facts,
  { keys, prefix, old }: Pick<Sources, 'keys' | 'prefix'> & { old: readonly string[] },
): string[] {
  const alone = environments
    .filter(({ secrets }) => secrets.includes('MCPRT_RESTORE_KEY'))
    .map(
      ({ name }) =>
        `\`gh secret set MCPRT_RESTORE_KEY --env ${name} --repo ${shellWord(repositoryWord(facts))} < restore.key\``,
    );
  const runs = ['backup', 'drill'].map((part) => `${prefix}-${part}.yml`);
  const there = runs.filter((run) => files.some(({ name }) => name === run)).map((run) => `\`gh workflow run ${run}\``);
  return [
    ...(there.length === 0
      ? []
      : [
          `- [ ] When the lines above have stored the keys: back up, and prove that the new backup restores: ${there.join(', and after its end ')}.`,
        ]),
    `- [ ] Then ${awayWords(keys)}.`,
    ...(old.length === 0
      ? []
      : [
          `- [ ] Put away what is kept of the old sets too, apart from the new one, for as long as there are backups of them: ${old.join(', ')}.`,
        ]),
    `- [ ] Only then delete the folder ${keys}, with all that is in it.`,
    `- [ ] When \`operation: list\` says that the old key has signed none of what is there any more, store the new restore key alone, from where you keep it, and destroy the old restore and offline keys: ${alone.join(', ')}.`,
  ];
}

function oldKeysLine(keys: string, { movedTo, awaited }: KeyState, isDry: boolean): string {
  const again = `Run this without --new-keys from now on: with it, another set is made each time.`;
  const moved =
    movedTo === ''
      ? `The old keys are not in ${keys}, and nothing was done with them.`
      : `The old keys ${isDry ? 'would be' : 'were'} moved to ${movedTo}; none was deleted.`;
  const read = awaited === '' ? ', which the lines above store beside the new one' : ': see Environments above';
  return `${moved} Backups that exist are read with the old restore key${read}. ${again}`;
}

function accessLines(
  environments: readonly Environment[],
  facts: Facts,
  { rbac, access, isAsked, keys, isDry, prefix }: Sources,
): string[] {
  const names = environments.map(({ name }) => name).join(', ');
  if (isDry) {
    return environments.map(
      ({ name, operation }) =>
        `- would let the jobs of ${name} do what ${rbac}/${operation}.yaml grants, and no more${isAsked ? '' : ' (with --accounts)'}`,
    );
  }
  if (access === undefined) return unmadeLines(environments, facts, rbac);
  return access.by === 'identity'
    ? identityLines(environments, facts, access, prefix === usualPrefix)
    : tokenLines(names, keys, access.accounts);
}

/** What is said of a way in that this run was not to make: it may be there from an earlier one. */
function unmadeLines(environments: readonly Environment[], { cluster, repository }: Facts, rbac: string): string[] {
  const bound = 'bound' in cluster ? cluster.bound : undefined;
  const isIn = (one: Environment): boolean => bound !== undefined && isLetIn(one, repository, bound);
  const namesOf = (some: readonly Environment[]): string => some.map(({ name }) => name).join(', ');
  const [inside, outside] = [environments.filter(isIn), environments.filter((one) => !isIn(one))];
  const run = bound === undefined ? 'If that is not done yet, run' : 'Run';
  return [
    ...(inside.length === 0
      ? []
      : [
          `On this cluster each of these environments is let in already: ${namesOf(inside)}. With --accounts this brings it up to date, and says again what is to be set for it.`,
        ]),
    ...(outside.length === 0
      ? []
      : [
          `- [ ] The jobs of ${namesOf(outside)} need a way in, with no more than each does. ${run} this again with --accounts as an administrator of the cluster: nothing secret is made or stored then. Or give each a kubeconfig of your own making, by the manifests in ${rbac}, as the secret KUBECONFIG.`,
        ]),
  ];
}

/** @param isOnlyOne whether the repository has one platform: then its variables are the repository's */
function identityLines(
  environments: readonly Environment[],
  facts: Facts,
  access: Access & { by: 'identity' },
  isOnlyOne: boolean,
): string[] {
  const names = environments.map(({ name }) => name).join(', ');
  const { server, authorityFile, audience, granted, isRepositoryKnown, retired } = access;
  const at = `--repo ${shellWord(repositoryWord(facts))}`;
  const places = variablePlaces(
    environments.map(({ name }) => name),
    facts,
    isOnlyOne,
  );
  const variables = places.flatMap((place) => [
    `gh variable set MCPRT_SERVER ${place} --body ${shellWord(server)}`,
    ...(authorityFile === undefined
      ? []
      : [`gh variable set MCPRT_CERTIFICATE_AUTHORITY ${place} < ${shellWord(authorityFile)}`]),
    ...(audience === server ? [] : [`gh variable set MCPRT_AUDIENCE ${place} --body ${shellWord(audience)}`]),
  ]);
  return [
    `The jobs of ${names} come with the identity that GitHub gives them. No credential was made, and none is stored.`,
    '',
    '```sh',
    ...variables,
    '```',
    '',
    ...controlPlaneLines(access),
    '',
    'Then run this again: it asks the API server whether it knows the issuer. Where the control plane has such a file or `--oidc-*` flags already, or cannot be changed: docs/keyless.md.',
    ...(isRepositoryKnown
      ? []
      : [
          '',
          '- [ ] The number of the repository is not known, so that only its name is checked: whoever got that name after a deletion would be let in. Run this again with --repository-id, or where GitHub’s command line is logged in.',
        ]),
    ...(retired.length === 0
      ? []
      : ['', `These accounts went, and their tokens ended with them: ${retired.join(', ')}.`]),
    '',
    'A secret `KUBECONFIG` wins over the identity. Where an environment has one from before:',
    '',
    '```sh',
    ...granted.map(({ environment }) => `gh secret delete KUBECONFIG --env ${shellWord(environment)} ${at}`),
    '```',
    ...missingLines(granted),
  ];
}

function tokenLines(
  names: string,
  keys: string,
  accounts: readonly { environment: string; missing: string[]; ends: Date }[],
): string[] {
  const [first] = accounts.map(({ ends }) => ends).sort((a, b) => a.getTime() - b.getTime());
  const day = (first ?? new Date(Number.NaN)).toISOString().slice(0, 10);
  return [
    `The cluster has an account for each of ${names}; their kubeconfigs are in ${keys}. The first token ends on ${day}: run this with --renew before, and store the new ones. Summaries tell of it in its last fortnight.`,
    'Store them now, by the lines of Environments: jobs that came with the identity that GitHub gives them are not let in any more.',
    ...missingLines(accounts),
  ];
}

function missingLines(granted: readonly { environment: string; missing: readonly string[] }[]): string[] {
  const lines = granted.flatMap(({ environment, missing }) =>
    missing.length === 0
      ? []
      : [
          `- [ ] ${environment}: run this again when ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} there.`,
        ],
  );
  return lines.length > 0 ? ['', ...lines] : [];
}

/** What is left to do after `--renew`. */
export function renewed(access: Access | undefined, keys: string, facts: Facts): string {
  if (access?.by !== 'token') return 'Nothing was renewed.\n';
  const at = repositoryWord(facts);
  return [
    `New tokens, for ${tokenDays} days at most:`,
    '',
    '```sh',
    ...access.accounts.map(
      ({ environment }) =>
        `gh secret set KUBECONFIG --env ${environment} --repo ${shellWord(at)} < ${shellWord(`${keys}/${environment}.kubeconfig`)}`,
    ),
    '```',
    '',
    `Then delete the kubeconfigs in ${keys}. The tokens before stay good until they end.`,
    '',
  ].join('\n');
}

function lastPart({ files, installs }: InitPlan, { cluster, profile }: Facts, { access, prefix }: Sources): string[] {
  const first = files.find(({ text }) => /^ {2}workflow_dispatch:/m.test(text) && !/preview/.test(text));
  return [
    '## Then',
    '',
    ...('why' in cluster && profile !== undefined
      ? [`- [ ] The cluster was not asked: ${cluster.why}. Every operation prints its fingerprint.`]
      : []),
    `Only in a private network: the variables ${networkVariables.join(' and ')} of the repository lead to the cluster.`,
    '',
    first === undefined
      ? '- [ ] Commit, push to the branch above, and open a pull request: it gets a preview.'
      : installs && !isComplete(access)
        ? `- [ ] Commit, and push to the branch above: ${prefix}-deploy plans an installation, and asks for approval. When it is done, run this again with --accounts.`
        : `- [ ] Commit, push to the branch above, and try the first one: \`gh workflow run ${first.name}\`.`,
    '',
  ];
}

/** Whether every account has all that it needs, as it has when the platform is there. */
function isComplete(access: Access | undefined): boolean {
  if (access === undefined) return false;
  return (access.by === 'identity' ? access.granted : access.accounts).every(({ missing }) => missing.length === 0);
}
