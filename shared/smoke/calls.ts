import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { identityHeaders, type Mcp, type McpAnswer, refusalOf, textOf, toldOf } from '../mcp/client.js';
import { pause as sleep } from '../pause.js';
import type { ApiCaller } from '../platform/api.js';
import type { Trust } from './grants.js';
import type { Made } from './made.js';

/** Who calls a tool, as the gateway is told. */
export interface Identity {
  human: string;
  agent: string;
  team: string;
  /** Name of the session; none when undefined. */
  session: string | undefined;
}

/** The headers that tell the gateway an identity. */
export function headersOf({ human, agent, team, session }: Identity): Record<string, string> {
  return {
    [identityHeaders.human]: human,
    [identityHeaders.agent]: agent,
    [identityHeaders.team]: team,
    ...(session === undefined ? {} : { [identityHeaders.session]: session }),
  };
}

export interface PropagationWaits {
  /** How long a grant or session may take until the gateway knows it, in ms. */
  propagation: number;
  signal: AbortSignal;
}

/** What the gateway says while it does not know a new grant or session yet. */
const notYet = ['session_not_found', 'session_expired', 'no_matching_grant', 'tool_not_granted', 'policy_unavailable'];
const pause = { first: 300, longest: 3_000, factor: 1.4 };

/**
 * Asks the platform for a session as an adapter does.
 *
 * @throws McprtError `smoke-adapter-session`, `smoke-adapter-denied`
 */
export async function adapterSession(
  caller: ApiCaller,
  made: Made,
  { server, namespace, agent, trust }: { server: string; namespace: string; agent: string; trust: Trust },
): Promise<Identity> {
  const answer = await caller.call('POST', '/runtime/adapter/sessions', {
    body: { serverName: server, namespace, agentID: agent, requestedTrust: trust },
    accept: [200, 403],
  });
  if (answer.status === 403) {
    throw new McprtError('smoke-adapter-denied', {
      what: `the platform gives no session for ${server}`,
      why: answer.told,
      next: 'the grant must name the caller’s team and the agent, and be enabled: `kubectl get mcpaccessgrant -A`',
    });
  }
  const body = isRecord(answer.body) ? answer.body : {};
  const text = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
  if (text('name') !== '') made.add({ kind: 'session', namespace, name: text('name') });
  if (text('name') === '' || text('humanID') === '' || text('teamID') === '') {
    throw new McprtError('smoke-adapter-session', {
      what: `the session for ${server} lacks what a call needs`,
      why: `${answer.told} with ${Object.keys(body).join(', ') || 'nothing'}`,
      next: 'name, humanID and teamID are wanted: an older platform may not tell them',
    });
  }
  return { human: text('humanID'), agent, team: text('teamID'), session: text('name') };
}

/**
 * Calls a tool until the gateway knows the grant and session, and wants the text that comes.
 *
 * @throws McprtError `smoke-call-denied` for a refusal that waiting does not change, or that waiting did not change;
 *   `smoke-call-failed`, `smoke-call-wrong`
 */
export async function callUntilAllowed(
  mcp: Mcp,
  {
    tool,
    args,
    expected,
    headers,
  }: {
    tool: string;
    args: Readonly<Record<string, unknown>>;
    /** Any text when undefined. */
    expected: string | undefined;
    headers: Readonly<Record<string, string>>;
  },
  waits: PropagationWaits,
): Promise<string> {
  const answer = await repeat(
    () => mcp.callTool(tool, args, headers),
    (one) => notYet.includes(refusalOf(one)),
    waits,
  );
  if (refusalOf(answer) !== '') {
    throw new McprtError('smoke-call-denied', {
      what: `the gateway does not let the call of ${tool} through`,
      why: `tools/call ${tool} → ${toldOf(answer)}${notYet.includes(refusalOf(answer)) ? ` for ${waits.propagation / 1000} s` : ''}`,
      next: 'compare with the policy that the gateway has: GET /runtime/policy?namespace=…&server=…; a ConfigMap takes up to 90 s to reach a pod',
    });
  }
  const text = textOf(answer);
  if (text === undefined) {
    throw new McprtError('smoke-call-failed', {
      what: `the tool ${tool} fails`,
      why: `tools/call ${tool} → ${answer.status} ${answer.text}`,
      next: 'a call that is answered with 200 may still hold an error: look at the server’s log: `kubectl logs -n NAMESPACE deployment/SERVER`',
    });
  }
  if (expected !== undefined && text !== expected) {
    throw new McprtError('smoke-call-wrong', {
      what: `the tool ${tool} gives another text than expected`,
      why: `"${text.slice(0, 100)}" instead of "${expected}"`,
      next: 'another server may have the address, or the image is not the one that was pushed',
    });
  }
  return text;
}

/**
 * Wants a refusal with its very reason. Only an answer that was right a moment ago is waited for to pass.
 *
 * @param before the answers that may come until a change has reached the gateway: its reasons, or `allowed`
 * @throws McprtError `smoke-not-denied`, `smoke-denied-otherwise`
 */
export async function requireRefusal(
  call: () => Promise<McpAnswer>,
  { status, reason, what, before }: { status: number; reason: string; what: string; before: readonly string[] },
  waits: PropagationWaits,
): Promise<McpAnswer> {
  const answer = await repeat(
    call,
    (one) => before.includes(refusalOf(one) || (one.status === 200 ? 'allowed' : '')),
    waits,
  );
  if (answer.status === status && refusalOf(answer) === reason) return answer;
  const why = `${toldOf(answer)} instead of ${status} ${reason}`;
  const next =
    'compare with the policy that the gateway has: GET /runtime/policy?namespace=…&server=…, and the server’s `policy` and `session`';
  if (answer.status === 200 && refusalOf(answer) === '') {
    throw new McprtError('smoke-not-denied', { what: `${what} is let through`, why, next });
  }
  throw new McprtError('smoke-denied-otherwise', { what: `${what} is refused for another reason`, why, next });
}

async function repeat(
  call: () => Promise<McpAnswer>,
  isPassing: (answer: McpAnswer) => boolean,
  { propagation, signal }: PropagationWaits,
): Promise<McpAnswer> {
  const end = Date.now() + propagation;
  for (let wait = pause.first; ; wait = Math.min(wait * pause.factor, pause.longest)) {
    const answer = await call();
    if (!isPassing(answer) || Date.now() + wait > end) return answer;
    await sleep(wait, signal);
  }
}
