import { describe, expect, it } from '@jest/globals';
import { parseSource } from './source.js';

describe('a repository with the source', () => {
  it.each([
    ['acme/mcp-runtime', { repository: 'acme/mcp-runtime', ref: '' }],
    ['acme/mcp.runtime@v1.4.0', { repository: 'acme/mcp.runtime', ref: 'v1.4.0' }],
    ['acme/mcp-runtime@release/1.x', { repository: 'acme/mcp-runtime', ref: 'release/1.x' }],
    ['', undefined],
  ])('is read: %s', (text, source) => {
    expect(parseSource(text)).toEqual(source);
  });

  it.each([
    'mcp-runtime',
    'https://github.com/acme/x',
    'acme/x@',
    'acme/x@--upload-pack=x',
    'acme/../x',
    '../x',
    'a/b/c',
  ])('is refused: %s', (text) => {
    expect(() => parseSource(text)).toThrow(expect.objectContaining({ code: 'init-source' }));
  });
});
