import * as core from '@actions/core';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { parseFileCommands } from './file-commands.js';
import { commandIn } from './workflow-command.js';

describe('a command to the runner', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('is read as it was meant by whoever wrote it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1 }), (text, title) => {
        let printed = '';
        const spy = jest.spyOn(process.stdout, 'write').mockImplementation((part) => {
          printed += String(part);
          return true;
        });
        core.error(text, { title });
        spy.mockRestore();
        expect(commandIn(printed.replace(/\r?\n$/, ''))).toEqual({ name: 'error', properties: { title }, text });
      }),
    );
  });

  it('is no other line', () => {
    for (const line of ['', 'text', ': :error::x', ' ::error::x', '::', '::error', '##[error]x']) {
      expect(commandIn(line)).toBeUndefined();
    }
  });
});

describe('a file of commands', () => {
  it('has values of several lines, and ends where one is cut off', () => {
    expect(parseFileCommands('a<<E1\n1\n<<\nb<<E2\nE1\nb<<E2\n\nE2\nc<<E3\ncut')).toEqual({ a: '1\n<<\nb<<E2', b: '' });
    expect(parseFileCommands('')).toEqual({});
  });
});
