import { expect, it } from '@jest/globals';
import { finding } from '../checks/finding.js';
import { McprtError } from '../errors.js';
import { obstaclesError } from './obstacles.js';

const closed = finding('port-80-closed', { subject: 'a', cause: 'it is closed', evidence: [], remedy: 'open it' });
const access = finding('permission-missing', {
  subject: 'kubeconfig',
  cause: 'it lacks 1',
  evidence: ['list nodes'],
  remedy: 'grant it',
});
const fault = (next: string): McprtError =>
  new McprtError('setup-source', { what: 'no source', why: 'line 1\nline 2', next });

it('is nothing where nothing stands in the way', () => {
  expect(obstaclesError([], [])).toBeUndefined();
});

it('is the one fault of the inputs itself', () => {
  const only = fault('x');
  expect(obstaclesError([], [only])).toBe(only);
});

it('tells all in one list, a line and a way out each', () => {
  expect(obstaclesError([closed], [fault('give it'), fault('give it')])).toMatchObject({
    code: 'setup-preflight',
    message: '3 things stand in the way of setup; nothing was changed',
    why: 'a: it is closed (port-80-closed)\nno source: line 1; line 2 (setup-source)\nno source: line 1; line 2 (setup-source)',
    next: 'open it\ngive it',
  });
  expect(obstaclesError([closed], [])?.message).toBe('1 thing stands in the way of setup; nothing was changed');
});

it('is about permissions where they lack, and names each', () => {
  expect(obstaclesError([access, closed], [])).toMatchObject({
    code: 'permission-missing',
    why: 'kubeconfig: it lacks 1 (permission-missing)\na: it is closed (port-80-closed)\nlist nodes',
  });
});
