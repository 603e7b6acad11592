import { createHash } from 'node:crypto';
import * as z from 'zod';
import { objectOf } from '../../../shared/cluster/cluster.js';
import { at, textAt } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { parseDuration } from '../cli/durations.js';
import { timestamp } from './accounts.js';
import { type Answer, ok, refuse } from './answer.js';
import type { ApiContext } from './context.js';
import { bodyOf, type Exchange, type Route, route } from './exchange.js';
import { written } from './server-routes.js';

const body = z.object({
  serverName: z.string().default(''),
  namespace: z.string().default(''),
  agentID: z.string().default(''),
  requestedTrust: z.string().default(''),
  requestedTTL: z.string().default(''),
});
const levels = ['low', 'medium', 'high'];
const hour = 3600;

/** Sessions that callers ask for themselves, on the strength of a grant. */
export function adapterRoutes(context: ApiContext): Route[] {
  return [route('runtime', /^\/runtime\/adapter\/sessions$/, { POST: (exchange) => open(context, exchange) })];
}

async function open({ cluster }: ApiContext, exchange: Exchange): Promise<Answer> {
  const { caller } = exchange;
  const humanID = caller?.subject;
  if (caller === undefined || humanID === undefined) throw refuse(401, 'principal has no subject or email');
  const { serverName, namespace, agentID, requestedTrust, requestedTTL } = bodyOf(exchange, body);
  if (agentID === '') throw refuse(400, 'agentID is required');
  const seconds = secondsOf(requestedTTL);
  const { items } = await cluster.list(kinds.mcpAccessGrant, { namespace });
  const grant = items.find(({ spec }) => {
    const fits = (field: string, values: readonly string[]): boolean =>
      textAt(spec, 'subject', field) === '' || values.includes(textAt(spec, 'subject', field));
    return (
      at(spec, 'disabled') !== true &&
      textAt(spec, 'serverRef', 'name') === serverName &&
      fits('humanID', [humanID]) &&
      fits('agentID', [agentID]) &&
      fits(
        'teamID',
        caller.teams.map(({ id }) => id),
      )
    );
  });
  if (grant === undefined) {
    throw refuse(
      403,
      `no enabled MCPAccessGrant in ${namespace} matches server=${JSON.stringify(serverName)} humanID=${JSON.stringify(humanID)} agentID=${JSON.stringify(agentID)}`,
    );
  }
  const teamID = textAt(grant.spec, 'subject', 'teamID');
  const most = levels.indexOf(textAt(grant.spec, 'maxTrust'));
  const consentedTrust = levels[Math.min(Math.max(levels.indexOf(requestedTrust), 0), most)] ?? 'low';
  const policyVersion = textAt(grant.spec, 'policyVersion') || 'v1';
  // The name is a matter of who asks for what, so that a revoked session comes back with the next call.
  const hash = createHash('sha256')
    .update(JSON.stringify([humanID, agentID, namespace, serverName]))
    .digest('hex');
  const name = `adapter-${hash.slice(0, 16)}`;
  const present = await cluster.get<KubeObject>(kinds.mcpAgentSession, { namespace, name });
  const isLive =
    present !== undefined &&
    at(present, 'spec', 'revoked') !== true &&
    Date.parse(textAt(present, 'spec', 'expiresAt')) > Date.now();
  const expiresAt = isLive ? textAt(present, 'spec', 'expiresAt') : timestamp(new Date(Date.now() + seconds * 1000));
  const spec = {
    serverRef: { name: serverName, namespace },
    subject: { humanID, agentID, teamID },
    consentedTrust,
    policyVersion,
    expiresAt,
    revoked: false,
  };
  const object = objectOf(kinds.mcpAgentSession, { metadata: { name, namespace }, spec });
  await written('failed to apply session: ', () =>
    cluster.apply(kinds.mcpAgentSession, object, { force: true, manager: 'mcp-runtime-api' }),
  );
  return ok({
    name,
    namespace,
    humanID,
    agentID,
    teamID,
    serverName,
    consentedTrust,
    policyVersion,
    expiresAt,
    reused: isLive,
  });
}

function secondsOf(text: string): number {
  if (text === '') return hour;
  try {
    return Math.min(parseDuration('requestedTTL', text), 24 * hour);
  } catch {
    throw refuse(
      400,
      `requestedTTL ${JSON.stringify(text)} is not a valid duration: time: invalid duration ${JSON.stringify(text)}`,
    );
  }
}
