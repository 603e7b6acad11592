import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../lab/driver/folders.js';
import { rbacVariable } from '../../lab/driver/lab.js';
import type { Proof, ProofContext } from '../support/proof.js';

/** Proofs in which no bundle meets a cluster, or not by the way that narrows its credentials. */
const without: Readonly<Record<string, string>> = {
  forecast: 'asks the controllers, not the actions',
  corrupt: 'runs the restore in its own process',
  'stolen-key': 'has an API server in memory',
  guards: 'runs unit tests',
  keyless: 'its jobs come with identities of their own',
  accounts: 'asks the API server itself',
  scale: 'measures',
  writer: 'asks for what zero-orders asks for',
  proxy: 'asks for what other proofs ask for',
  'mcp-sdk': 'has no cluster of its own to change',
  'workflow-lint': 'runs linters',
  workflows: 'a workflow engine starts the actions',
  runners: 'the same',
  cli: 'the command starts the actions',
};

/** In the time that CI affords; every operation of action-backup is run besides, where verbs are taken away. */
const telling = ['rollout-speed'];

/** The proofs that are run with generated RBAC only; `--only` names others, or none. */
export function suiteOf({ small, flags }: ProofContext, proofs: readonly Proof[]): string[] {
  if (typeof flags.only === 'string') return flags.only.split(',').filter((name) => name !== '');
  if (small) return telling;
  return proofs.map(({ name }) => name).filter((name) => without[name] === undefined);
}

export interface Ran {
  name: string;
  ok: boolean;
  seconds: number;
  output: string;
}

/** Runs a proof as a process of its own, whose bundles have generated RBAC only. @param logs folder for the audit logs */
export async function runNarrowed(name: string, logs: string, { env }: ProofContext): Promise<Ran> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'build', 'proofs', 'main.js'), name, '--small', '--json'], {
    cwd: root,
    env: { ...env, [rbacVariable]: logs },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const stop = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve).once('error', () => resolve(1));
  });
  process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  return { name, ok: code === 0, seconds: Math.round((performance.now() - started) / 1000), output };
}
