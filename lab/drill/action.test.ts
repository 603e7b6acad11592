import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { root } from '../driver/folders.js';
import { drillInputs, environmentIn } from './action.js';

describe('the action of the drill', () => {
  it('has the inputs of its action.yml', async () => {
    const text = await readFile(join(root, '.github', 'actions', 'drill', 'action.yml'), 'utf8');
    const { inputs } = z.looseObject({ inputs: z.record(z.string(), z.unknown()) }).parse(parse(text));
    expect(Object.keys(drillInputs)).toEqual(Object.keys(inputs));
  });

  it('takes a folder that is named, and an age that is one', () => {
    expect(() => drillInputs.directory.parse('')).toThrow('it is empty');
    expect(drillInputs.directory.parse('my backups')).toBe(join(process.cwd(), 'my backups'));
    expect(drillInputs['max-age'].parse('14d')).toBe('14d');
    expect(() => drillInputs['max-age'].parse('banana')).toThrow('a unit');
  });

  it('gives what it starts neither the key nor tokens of the job, and no cache of another one', () => {
    const env = environmentIn('/tmp/own', {
      PATH: '/bin',
      HTTPS_PROXY: 'http://proxy',
      'INPUT_RESTORE-KEY': 'secret',
      ACTIONS_RUNTIME_TOKEN: 'secret',
      GITHUB_TOKEN: 'secret',
      STATE_folder: '/tmp/own',
      GITHUB_REPOSITORY: 'acme/platform',
      GOMODCACHE: '/home/other/go',
      XDG_CACHE_HOME: '/home/other',
    });
    expect(env).toEqual({
      PATH: '/bin',
      HTTPS_PROXY: 'http://proxy',
      GITHUB_REPOSITORY: 'acme/platform',
      RUNNER_TEMP: '/tmp/own',
      MCPRT_LABS: '/tmp/own/labs',
      XDG_CACHE_HOME: '/tmp/own',
      GOCACHE: '/tmp/own/go-build',
      GOMODCACHE: '/tmp/own/go-mod',
      GOFLAGS: '-modcacherw',
    });
  });

  it('keeps the lab itself below its own folder where the cache is one that somebody vouches for', () => {
    expect(environmentIn('/tmp/own', { MCPRT_LAB_CACHE: '/srv/cache' })).toEqual({
      MCPRT_LAB_CACHE: '/srv/cache',
      RUNNER_TEMP: '/tmp/own',
      MCPRT_LABS: '/tmp/own/labs',
      XDG_CACHE_HOME: '/srv/cache',
    });
  });
});
