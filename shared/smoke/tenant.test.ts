import { describe, expect, it } from '@jest/globals';
import type { ToolMetadata } from '../platform/servers-file.js';
import { chosenCall, type ToolCall } from './tenant.js';

const none: ToolCall = { tool: '', args: {}, expected: '' };
const tool = (name: string, sideEffect = 'read'): ToolMetadata => ({ name, sideEffect, requiredTrust: 'low' });
const served = (tools: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(tools));

describe('the tool that is called', () => {
  it('is the one that was asked for, with its arguments, whatever the server has', () => {
    const call: ToolCall = { tool: 'divide', args: { a: 1 }, expected: '1' };
    expect(chosenCall(call, [tool('list')], served({ list: [] }))).toEqual(call);
  });

  it('is otherwise the first declared one that only reads and needs no arguments', () => {
    const declared = [tool('drop', 'destructive'), tool('get'), tool('list'), tool('all')];
    const tools = served({ all: [], list: [], get: ['id'], drop: [] });
    expect(chosenCall({ ...none, expected: 'x' }, declared, tools)).toEqual({ tool: 'list', args: {}, expected: 'x' });
  });

  it.each([
    ['writes', [tool('put', 'write')], { put: [] }],
    ['needs arguments', [tool('get')], { get: ['id'] }],
    ['is not declared', [], { list: [] }],
    ['is not served', [tool('list')], {}],
  ])('is none that %s', (_, declared, tools) => {
    expect(() => chosenCall(none, declared, served(tools))).toThrow(
      expect.objectContaining({ code: 'smoke-no-call', next: expect.stringContaining('`call-tool`') }),
    );
  });
});
