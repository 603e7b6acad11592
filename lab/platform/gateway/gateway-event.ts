import type { GatewayEvent } from '../api/event-store.js';
import type { Decision, Identity } from './evaluate.js';
import type { Policy } from './policy.js';

/** What a gateway saw of one request. */
export interface Seen {
  decision: Decision;
  identity: Identity;
  method: string;
  path: string;
  rpcMethod: string;
  toolName: string;
  bytesIn: number;
  bytesOut: number;
  milliseconds: number;
  status: number;
}

/** The event of a request, in the gateway's form. */
export function gatewayEvent(policy: Policy, source: string, eventType: string, seen: Seen): GatewayEvent {
  const { decision, identity } = seen;
  const { grant, session, tool } = decision;
  const { server } = policy;
  const payload = {
    admin_trust: grant?.max_trust ?? '',
    agent_id: identity.agentId,
    bytes_in: seen.bytesIn,
    bytes_out: seen.bytesOut,
    cluster: server.cluster,
    consented_trust: session?.consented_trust ?? '',
    decision: decision.allowed ? 'allow' : 'deny',
    effective_trust: decision.effectiveTrust ?? '',
    human_id: identity.humanId,
    latency_ms: seen.milliseconds,
    matched_grant: grant?.name ?? '',
    matched_grant_namespace: grant?.namespace ?? '',
    matched_session: session?.name ?? '',
    matched_session_namespace: session?.namespace ?? '',
    method: seen.method,
    namespace: server.namespace,
    path: seen.path,
    policy_version: policy.policy.policy_version,
    reason: decision.reason,
    required_side_effect: tool?.side_effect ?? '',
    required_trust: decision.requiredTrust ?? '',
    risk_level: tool?.risk_level ?? '',
    rpc_method: seen.rpcMethod,
    server: server.name,
    session_id: identity.session,
    status: seen.status,
    subject_team_id: identity.teamId,
    team_id: server.team_id,
    ...(seen.toolName === '' ? {} : { tool_name: seen.toolName }),
  };
  return { timestamp: new Date().toISOString(), source, event_type: eventType, payload };
}
