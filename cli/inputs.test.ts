import { describe, expect, it } from '@jest/globals';
import type { McprtError } from '../shared/errors.js';
import type { Given } from './arguments.js';
import { inputsFor } from './inputs.js';
import { actionOf } from './testing/actions.js';

const backup = actionOf('backup');

interface World {
  env?: NodeJS.ProcessEnv;
  files?: Record<string, string>;
}

async function inputs(given: Record<string, Given>, { env = {}, files = {} }: World = {}) {
  const remembered: string[] = [];
  const values = await inputsFor(backup, 'list', new Map(Object.entries(given)), {
    env,
    read: async (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT', syscall: 'open' });
      return text;
    },
    remember: (secret) => void remembered.push(secret),
  });
  return { values, remembered };
}

function refused(given: Record<string, Given>, world?: World): Promise<McprtError> {
  return inputs(given, world).then(
    () => Promise.reject(new Error('not refused')),
    (error: McprtError) => error,
  );
}

describe('the inputs of a command', () => {
  it('are those of a job, with its defaults, but for what only a job has', async () => {
    const { values } = await inputs({});
    expect(Object.keys(values)).toEqual(['operation', ...backup.inputs.map(({ name }) => name)]);
    expect(values).toMatchObject({ operation: 'list', 'max-age': '14d', stores: 'directory', 'github-token': '' });
  });

  it('keep backups where a place is named, unless stores are', async () => {
    const storesOf = async (given: Record<string, Given>): Promise<string | undefined> =>
      (await inputs(given)).values.stores;
    const oci = { oci: { value: 'ghcr.io/acme/backups' } };
    expect(await storesOf(oci)).toBe('oci');
    expect(await storesOf({ ...oci, s3: { value: 'backups' }, directory: { value: '/b' } })).toBe('directory,oci,s3');
    expect(await storesOf({ ...oci, stores: { value: 'directory' } })).toBe('directory');
    const fetching = new Map<string, Given>(Object.entries({ ...oci, directory: { value: '/b' } }));
    const sources = { env: {}, read: () => Promise.reject(), remember: () => undefined };
    expect((await inputsFor(backup, 'fetch', fetching, sources)).stores).toBe('oci');
  });

  it('take a secret from a variable, or from a file, which wins, and remember it', async () => {
    const env = { MCPRT_RESTORE_KEY: 'from-a-variable', MCPRT_BACKUP_KEY: '', MCPRT_DOMAIN: 'not.read' };
    const files = { '-': 'from-standard-input', '/key': 'from-a-file' };
    const alone = await inputs({}, { env });
    expect(alone.values).toMatchObject({ 'restore-key': 'from-a-variable', domain: '' });
    expect(alone.remembered).toEqual(['from-a-variable']);
    const both = await inputs({ 'restore-key': { file: '/key' }, 'backup-key': { file: '-' } }, { env, files });
    expect(both.values).toMatchObject({ 'restore-key': 'from-a-file', 'backup-key': 'from-standard-input' });
    expect(both.remembered).toEqual(['from-standard-input', 'from-a-file']);
  });

  it('remember a kubeconfig that is a text, and not the path of one', async () => {
    const text = 'apiVersion: v1\nkind: Config\n';
    expect((await inputs({}, { env: { MCPRT_KUBECONFIG: text } })).remembered).toEqual([text]);
    expect((await inputs({}, { env: { MCPRT_KUBECONFIG: '/a/path' } })).remembered).toEqual([]);
  });

  it('read standard input once', async () => {
    const error = await refused({ 'restore-key': { file: '-' }, 'backup-key': { file: '-' } }, { files: { '-': 'x' } });
    expect(error.code).toBe('command-usage');
    expect(error.message).toBe('--restore-key-file and --backup-key-file both name standard input');
  });

  it('say which file cannot be read by its option, as a path may be a secret in the wrong place', async () => {
    const error = await refused({ 'restore-key': { file: 'a-secret' } });
    expect(error).toMatchObject({ code: 'command-file', why: 'the system says ENOENT' });
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('a-secret');
  });

  it('are held to what the action takes, before it is started', async () => {
    expect(await refused({ keep: { value: '1' } })).toMatchObject({ code: 'input-invalid', next: 'correct --keep' });
    expect((await inputs({ keep: { value: ' 2 ' } })).values.keep).toBe(' 2 ');
  });
});
