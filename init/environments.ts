import { parse } from 'yaml';
import { isRecord } from '../shared/json.js';
import type { OperationName } from '../shared/permissions/operations.js';

/** What an environment of a repository must have, for the workflows that use it. */
export interface Environment {
  name: string;
  secrets: string[];
  variables: string[];
  /** Whether somebody has to let its jobs start. */
  hasReviewers: boolean;
  /** Whether runs of other branches than the default one may use it. */
  isForEveryBranch: boolean;
  /** What its jobs run on the cluster: its account may that, and nothing else. */
  operation: OperationName | undefined;
}

/** What the names of environments begin with where nothing else is said. */
export const usualPrefix = 'mcprt';

/** Environments in which something is deleted, read back or run that must not go by itself. */
const reviewed = ['approval', 'preview', 'restore', 'wipe'];
/** A pull request shows its plan. */
const everyBranch = ['pull-request'];
const deployment = 'production';
const operations: Readonly<Record<string, OperationName>> = {
  backup: 'backup',
  plan: 'rollout-plan',
  'pull-request': 'rollout-pull-request',
  restore: 'install',
  wipe: 'wipe',
  [deployment]: 'rollout',
};
/** Where deployments are made by the platform's installer: a plan of it looks at more than one of a rollout. */
const installersOperations: typeof operations = {
  ...operations,
  plan: 'setup-plan',
  'pull-request': 'setup-pull-request',
};

/** A workflow that can be called, and the secrets that a caller hands on to it by name. */
export interface Call {
  /** Text of the workflow that is called. */
  text: string;
  secrets: readonly string[];
  /** Whether it deploys by the platform's installer. */
  installs: boolean;
  /** What its environments begin with. */
  prefix: string;
  /** Where it keeps backups, where that is said. */
  stores: readonly string[];
}

/**
 * What each environment must have: the secrets and variables that the jobs of the workflows read in it, without those that
 * only some need.
 */
export function environmentsOf(calls: readonly Call[]): Environment[] {
  const needs = new Map<string, { role: string; secrets: Set<string>; variables: Set<string>; isInstalled: boolean }>();
  const operationOf = calls.some(({ installs }) => installs) ? installersOperations : operations;
  for (const { text, secrets, prefix, stores } of calls) {
    for (const job of jobsOf(withPrefix(text, prefix))) {
      const name = environmentOf(job);
      if (name === '') continue;
      const role = name === deploymentOf(prefix) ? deployment : name.slice(prefix.length + 1);
      const need = needs.get(name) ?? { role, secrets: new Set(), variables: new Set(), isInstalled: false };
      const words = JSON.stringify(job);
      need.isInstalled ||= words.includes('"$/action-setup"');
      for (const secret of namesIn(words, 'secrets'))
        if (secrets.includes(secret) && !isOptional(secret, stores)) need.secrets.add(secret);
      for (const variable of namesIn(words, 'vars')) if (!optional.includes(variable)) need.variables.add(variable);
      needs.set(name, need);
    }
  }
  return [...needs].map(([name, { role, secrets, variables, isInstalled }]) => ({
    name,
    secrets: [...secrets].sort(),
    variables: [...variables].sort(),
    hasReviewers: reviewed.includes(role),
    isForEveryBranch: everyBranch.includes(role),
    // An installer is in effect an administrator: where there is none, nobody needs to be.
    operation: operationOf[role] === 'install' && !isInstalled ? 'restore' : operationOf[role],
  }));
}

/** The environment of the deployments: without a prefix of its own it is called as everybody calls it. */
export function deploymentOf(prefix: string): string {
  return prefix === usualPrefix ? deployment : prefix;
}

/** A called workflow's text with the names that its environments and groups have. */
export function withPrefix(text: string, prefix: string): string {
  return text.replaceAll(/\$\{\{ inputs\.environment-prefix( == 'mcprt' [^}]*)? \}\}/g, (_, orElse?: string) =>
    orElse === undefined ? prefix : deploymentOf(prefix),
  );
}

/** Where names lead to the cluster only inside a network, or its certificates are of a private CA. */
export const networkVariables = ['MCPRT_CA_BUNDLE', 'MCPRT_RESOLVE'];
/** How the API server is reached: one for all environments of a repository. */
const accessVariables = ['MCPRT_SERVER', 'MCPRT_CERTIFICATE_AUTHORITY', 'MCPRT_AUDIENCE'];
/** Where stores outside GitHub are, and who may use them. */
const storeNames = [
  'MCPRT_OCI',
  'MCPRT_OCI_CREDENTIALS',
  'MCPRT_S3',
  'MCPRT_S3_ENDPOINT',
  'MCPRT_S3_CREDENTIALS',
  'MCPRT_S3_LOCK_DAYS',
];
/** What an environment may be without; the last ones are for a profile that git does not hold, a private source elsewhere, and a mirror of the lab. */
const optional = [
  ...networkVariables,
  ...accessVariables,
  ...storeNames,
  ...['MCPRT_PROFILE', 'MCPRT_SOURCE_TOKEN', 'MCPRT_LAB_URL'],
];

function isOptional(secret: string, stores: readonly string[]): boolean {
  const [, store = ''] = /^MCPRT_(OCI|S3)_CREDENTIALS$/.exec(secret) ?? [];
  return optional.includes(secret) && !stores.includes(store.toLowerCase());
}

/**
 * The workflow files of mcprt that a text calls, by whatever owner and ref, and what it hands on.
 *
 * @param own `OWNER/REPO` of an mcprt of another name
 * @returns each with the path of its profile, empty where that is not said
 */
export function callsIn(text: string, own = ''): (Omit<Call, 'text'> & { file: string; profile: string })[] {
  return jobsOf(text).flatMap(({ uses, secrets, with: inputs }) => {
    const [, repository, file] = /^([^/]+\/[^/]+)\/\.github\/workflows\/([^@]+)@/.exec(String(uses)) ?? [];
    const given = isRecord(inputs) ? inputs : {};
    const installs = given.apply === 'setup';
    const named = given['environment-prefix'];
    const prefix = typeof named === 'string' ? named : usualPrefix;
    const stores = typeof given.stores === 'string' ? given.stores.split(',').map((store) => store.trim()) : [];
    const profile = typeof given.profile === 'string' ? given.profile : '';
    const isOurs = repository === own || repository?.endsWith('/mcprt');
    return file === undefined || !isOurs
      ? []
      : [{ file, secrets: isRecord(secrets) ? Object.keys(secrets) : [], installs, prefix, stores, profile }];
  });
}

function jobsOf(text: string): Record<string, unknown>[] {
  const workflow: unknown = parse(text);
  return isRecord(workflow) && isRecord(workflow.jobs) ? Object.values(workflow.jobs).filter(isRecord) : [];
}

function environmentOf({ environment }: Record<string, unknown>): string {
  if (typeof environment === 'string') return environment;
  return isRecord(environment) && typeof environment.name === 'string' ? environment.name : '';
}

function namesIn(text: string, context: string): string[] {
  return [...text.matchAll(new RegExp(`\\b${context}\\.([A-Z][A-Z0-9_]+)`, 'g'))].map(([, name = '']) => name);
}
