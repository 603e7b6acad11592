import { describe, expect, it } from '@jest/globals';
import { remainingKinds } from './namespace-blockers.js';

const groups = new Map([['example.com', ['v2', 'v1']]]);
const remaining = (message: string, status = 'True'): string[] =>
  remainingKinds([{ type: 'NamespaceContentRemaining', status, message }], groups).map(
    ({ group, version, plural }) => `${group}/${version}/${plural}`,
  );

describe('remainingKinds', () => {
  it('reads the namespace controller’s message, core kinds with their empty group', () => {
    const message =
      'Some resources are remaining: configmaps. has 1 resource instances, widgets.example.com has 2 resource instances';
    expect(remaining(message)).toEqual(['/v1/configmaps', 'example.com/v2/widgets']);
  });

  it.each([
    'configmaps. had 1 resource instances',
    'configmaps. has 1 other instances',
    'configmaps. has 1 resource things',
    'configmaps has 1 resource instances',
    'Config_Maps. has 1 resource instances',
    `${'a'.repeat(64)}. has 1 resource instances`,
  ])('reads nothing out of other words: %s', (message) => {
    expect(remaining(message)).toEqual([]);
  });

  it('passes over kinds that are not served, and conditions that do not hold', () => {
    expect(remaining('Some resources are remaining: gadgets.gone.example has 1 resource instances')).toEqual([]);
    expect(remaining('Some resources are remaining: pods. has 1 resource instances', 'False')).toEqual([]);
  });
});
