import { describe, expect, it } from '@jest/globals';
import { McprtError, messageOf } from './errors.js';

describe('McprtError', () => {
  it('carries code, what, why, next and cause', () => {
    const cause = new Error('ENOENT');
    const error = new McprtError('profile-missing', {
      what: 'no profile',
      why: 'x.env is not there',
      next: 'add it',
      cause,
    });
    expect(error).toMatchObject({
      code: 'profile-missing',
      message: 'no profile',
      why: 'x.env is not there',
      next: 'add it',
      cause,
    });
  });

  it('gives a line for whatever was thrown', () => {
    expect(messageOf(new Error('a'))).toBe('a');
    expect(messageOf('b')).toBe('b');
  });
});
