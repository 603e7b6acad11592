import { execFileSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { controlPlaneLines } from './control-plane.js';

const file = '/home/ada/keys of acme/authentication.yaml';

it('prints the line that brings the file, and those that install it', () => {
  const said = controlPlaneLines({ file, reception: { state: 'unknown' }, hasOthers: false }).join('\n');
  expect(said).toContain(`scp '${file}' SERVER:authentication.yaml`);
  expect(said.indexOf('scp')).toBeLessThan(said.indexOf('sudo install -D'));
});

it('names no file to the API server that did not get there', () => {
  const said = controlPlaneLines({ file, reception: { state: 'unknown' }, hasOthers: false }).join('\n');
  const lines = said.slice(said.indexOf('sudo install -D')).replace('```', '');
  const stub = `sudo() { echo "$*"; test "$2" != -D; }; `;
  expect(execFileSync('bash', ['--norc', '-c', `${stub}${lines}\n:`], { encoding: 'utf8' }).trim()).toMatch(
    /^install -D .*mcprt-authentication\.yaml$/,
  );
});

it.each(['known', 'unknown'] as const)(
  'prints no line that would take the way in from another repository: %s',
  (state) => {
    const said = controlPlaneLines({ file, reception: { state }, hasOthers: true }).join('\n');
    expect(said).toContain('do not replace it');
    expect(said).not.toMatch(/install|scp/);
  },
);
