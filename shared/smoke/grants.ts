import type { ApiCaller } from '../platform/api.js';
import type { Made } from './made.js';

export type Trust = 'low' | 'medium' | 'high';

export interface ToolRule {
  name: string;
  decision: 'allow' | 'deny';
  requiredTrust: Trust;
}

export interface GrantRequest {
  name: string;
  namespace: string;
  server: string;
  teamId: string;
  agent: string;
  maxTrust: Trust;
  sideEffects: readonly string[];
  rules: readonly ToolRule[];
}

/** Lets a team's agent call tools of a server. Done again, it is the same. @throws McprtError of the call */
export async function applyGrant(caller: ApiCaller, made: Made, request: GrantRequest): Promise<void> {
  const { name, namespace, server, teamId, agent, maxTrust, sideEffects, rules } = request;
  made.add({ kind: 'grant', namespace, name });
  await caller.call('POST', '/runtime/grants', {
    body: {
      name,
      namespace,
      serverRef: { name: server, namespace },
      // With the team always: a grant without one is taken for the server's own team's.
      subject: { teamID: teamId, agentID: agent },
      maxTrust,
      allowedSideEffects: sideEffects,
      policyVersion: 'v1',
      toolRules: rules,
    },
  });
}

/** Makes a session by an admin's hand, for somebody else. @throws McprtError of the call */
export async function applySession(
  admin: ApiCaller,
  made: Made,
  request: {
    name: string;
    namespace: string;
    server: string;
    human: string;
    teamId: string;
    agent: string;
    expires: Date;
  },
): Promise<void> {
  const { name, namespace, server, human, teamId, agent, expires } = request;
  made.add({ kind: 'session', namespace, name });
  await admin.call('POST', '/runtime/sessions', {
    body: {
      name,
      namespace,
      serverRef: { name: server, namespace },
      subject: { humanID: human, teamID: teamId, agentID: agent },
      consentedTrust: 'low',
      expiresAt: expires.toISOString(),
      policyVersion: 'v1',
    },
  });
}
