import { expect, it } from '@jest/globals';
import { controlPlaneLines } from './control-plane.js';

const file = '/home/ada/keys of acme/authentication.yaml';

it('prints the line that brings the file, and those that install it', () => {
  const said = controlPlaneLines({ file, reception: { state: 'unknown' }, hasOthers: false }).join('\n');
  expect(said).toContain(`scp '${file}' SERVER:authentication.yaml`);
  expect(said.indexOf('scp')).toBeLessThan(said.indexOf('sudo install -D'));
});

it.each(['known', 'unknown'] as const)(
  'prints no line that would take the way in from another repository: %s',
  (state) => {
    const said = controlPlaneLines({ file, reception: { state }, hasOthers: true }).join('\n');
    expect(said).toContain('do not replace it');
    expect(said).not.toMatch(/install|scp/);
  },
);
