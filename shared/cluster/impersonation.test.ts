import { expect, it } from '@jest/globals';
import { impersonationHeaders, singleHeaders } from './impersonation.js';

it('asks for a user, and for what else is given', () => {
  expect(impersonationHeaders({ user: 'u', uid: '', groups: [], extra: {} })).toEqual({ 'impersonate-user': 'u' });
  expect(
    impersonationHeaders({
      user: 'u',
      uid: '7',
      groups: ['a', 'b'],
      extra: { 'Acme.com/scopes%': ['x', 'y'], z: ['1'] },
    }),
  ).toEqual({
    'impersonate-user': 'u',
    'impersonate-uid': '7',
    'impersonate-group': ['a', 'b'],
    'impersonate-extra-Acme.com%2Fscopes%25': ['x', 'y'],
    'impersonate-extra-z': ['1'],
  });
});

it('sends one value of each header by a WebSocket, and refuses more', () => {
  expect(singleHeaders({ a: '1', b: ['2'], c: [] })).toEqual({ a: '1', b: '2', c: '' });
  expect(() => singleHeaders({ 'impersonate-group': ['a', 'b'] })).toThrow(
    expect.objectContaining({ code: 'kubeconfig-invalid', why: expect.stringContaining('impersonate-group') }),
  );
});
