import { McprtError } from '../shared/errors.js';

/**
 * Reads labels of runners, as `k3s` or `self-hosted,k3s`, or as a JSON list.
 *
 * @returns the input `runs-on` of our workflows: one label, or several as a JSON list; empty for an empty text
 * @throws McprtError `init-options`
 */
export function parseRunsOn(text: string): string {
  if (text === '') return '';
  const labels = text
    .trim()
    .replace(/^\[(.*)\]$/s, '$1')
    .split(',')
    .map((label) => label.trim().replace(/^(["'])(.*)\1$/, '$2'));
  if (!labels.every((label) => /^[\w][\w.@:+/-]{0,255}$/.test(label))) {
    throw new McprtError('init-options', {
      what: `${JSON.stringify(text)} is no label of a runner, and no list of labels`,
      why: 'a label has letters, digits and signs, and no blanks; several have commas between them',
      next: 'give them with --runs-on, such as --runs-on self-hosted,k3s',
    });
  }
  return labels.length === 1 ? (labels[0] ?? '') : JSON.stringify(labels);
}
