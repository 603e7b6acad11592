import { describe, expect, it } from '@jest/globals';
import { platformConfig, portableConfigKeys } from '../platform/resources.js';
import {
  decidePlatformMode,
  type KnownConfig,
  knownConfig,
  type PlannedObject,
  wantedPlatformMode,
} from './platform-mode.js';

const known = (mode: string | undefined): KnownConfig => ({
  values: mode === undefined ? {} : { PLATFORM_MODE: mode },
  origin: 'the cluster has it',
});

describe('the platform’s mode', () => {
  it.each<[string, string, string | undefined, string | undefined]>([
    ['nobody has ever said one', '', undefined, undefined],
    ['only the cluster has one', '', 'org', 'org'],
    ['only the input says one', 'org', undefined, 'org'],
    ['both say the same', 'org', 'org', 'org'],
    ['the cluster’s is written in another way', 'org', ' Org ', 'org'],
  ])('is passed on as it is where %s', (_, wanted, present, pass) => {
    expect(decidePlatformMode(wanted, known(present), false)).toMatchObject({ pass, overwrites: false });
  });

  it('is told where it is kept and is not the installer’s own', () => {
    expect(decidePlatformMode('', known('org'), false).reason).toBe('platform mode org, as the cluster has it');
    expect(decidePlatformMode('', known('tenant'), false).reason).toBe('');
  });

  it.each([
    ['tenant', 'org'],
    ['org', 'tenant'],
    ['public', 'org'],
  ])('stops where %s is asked for and the platform is of %s, until somebody agrees', (wanted, present) => {
    expect(() => decidePlatformMode(wanted, known(present), false)).toThrow(
      expect.objectContaining({
        code: 'setup-platform-mode',
        next: expect.stringContaining('`allow: platform-mode`'),
      }),
    );
    expect(decidePlatformMode(wanted, known(present), true)).toMatchObject({ pass: wanted, overwrites: true });
  });
});

it.each([
  ['', undefined, false],
  ['tenant', 'tenant', true],
  ['org', 'org', true],
])('a mode that the installer does not know is not handed to it, with %j asked for', (wanted, pass, overwrites) => {
  for (const odd of ['öffentlich', '--flag']) {
    const decided = decidePlatformMode(wanted, known(odd), false);
    expect(decided).toEqual({
      pass,
      overwrites,
      reason: expect.stringContaining(`${odd}, as the cluster has it, is none`),
    });
  }
});

describe('what is known of the configuration', () => {
  const line = (action: string): PlannedObject => ({
    action,
    item: {
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: platformConfig,
        data: { PLATFORM_MODE: 'org', GOOGLE_CLIENT_ID: 'of-the-backup' },
      },
    },
  });

  it('is what is live, and what a restore adds', () => {
    expect(knownConfig({ GOOGLE_CLIENT_ID: 'live' }, { lines: [line('add-keys')] })).toEqual({
      values: { PLATFORM_MODE: 'org', GOOGLE_CLIENT_ID: 'live' },
      origin: 'the backup has it',
    });
    expect(knownConfig({ PLATFORM_MODE: 'tenant' }, { lines: [line('keep')] })).toMatchObject({
      values: { PLATFORM_MODE: 'tenant' },
      origin: 'the cluster has it',
    });
    expect(knownConfig(undefined, { lines: [line('skip')] }).values).toEqual({});
    expect(knownConfig(undefined, undefined).values).toEqual({});
  });
});

it('takes the input before the profile', () => {
  const profile = new Map([['MCP_SETUP_PLATFORM_MODE', 'org']]);
  expect(wantedPlatformMode('public', profile)).toBe('public');
  expect(wantedPlatformMode('', profile)).toBe('org');
  expect(wantedPlatformMode('', new Map([['MCP_PLATFORM_MODE', 'org']]))).toBe('org');
  expect(wantedPlatformMode('', new Map())).toBe('');
});

it('is part of what a backup holds', () => {
  expect(portableConfigKeys).toContain('PLATFORM_MODE');
});
