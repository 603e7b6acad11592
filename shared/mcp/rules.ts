import { isRecord, parsedJson } from '../json.js';
import type { RawAnswer } from './transport.js';

/**
 * The rule of Streamable HTTP, JSON-RPC or MCP that an answer breaks, as the field says it: for answers that the official client
 * did not take, and that no status explains. Empty where it is none that is known.
 *
 * @param error the official client's, which names the field of a result that is not as the schema has it
 */
export function brokenRule({ status, headers, text }: RawAnswer, error: unknown): string {
  if (status === 0) return '';
  if (status >= 300) return 'a redirect must stay at the same address and keep the method: 307 or 308';
  if (status === 202) return 'a request needs an answer; 202 is for notifications';
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json' && type !== 'text/event-stream')
    return `the Content-Type of an answer must be application/json or text/event-stream, not ${type === '' ? 'none' : type.slice(0, 60)}`;
  const version = /protocol version is not supported: (.{0,60})/.exec(messageOf(error))?.[1];
  if (version !== undefined)
    return `initialize must answer with a protocol version that the client knows, not ${version}`;
  if (/output schema/.test(messageOf(error))) return 'a tool with an output schema must give structured content';
  const fields = fieldsOf(error);
  if (type === 'application/json')
    return messageRule(parsedJson(text)) || wrong(fields) || 'the answer must have the id of the request';
  return wrong(fields) || 'a stream of events must hold the answer, with the id of the request, before it ends';
}

function messageRule(value: unknown): string {
  const messages = Array.isArray(value) ? value : [value];
  if (!messages.every(isRecord)) return 'the body must be a message of JSON-RPC';
  const isOdd = messages.some((one) => one.jsonrpc !== '2.0');
  return isOdd ? 'a message must say "jsonrpc": "2.0"' : '';
}

function wrong(fields: string): string {
  return fields === '' ? '' : `the result is not as the schema has it: ${fields}`;
}

/** Of an error of the schema: where, and what was wanted. */
function fieldsOf(error: unknown): string {
  const issues = isRecord(error) || error instanceof Error ? (error as { issues?: unknown }).issues : undefined;
  if (!Array.isArray(issues)) return '';
  return issues
    .slice(0, 3)
    .filter(isRecord)
    .map(({ path, message }) => `${Array.isArray(path) ? path.join('.') : ''}: ${String(message)}`.slice(0, 120))
    .join('; ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
