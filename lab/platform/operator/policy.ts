import { createHash } from 'node:crypto';
import { at, recordsAt, textAt } from '../../../shared/cluster/fields.js';
import type { KubeObject } from '../../../shared/cluster/objects.js';
import type { Policy } from '../gateway/policy.js';

/** The policy of a server's gateway, rendered of the server, its grants and its sessions; without time and revision. */
export type Rendered = Omit<Policy, 'revision' | 'generated_at'>;

/** Renders a server's policy. Objects that name another server are passed over. */
export function renderPolicy(
  server: KubeObject,
  grants: readonly KubeObject[],
  sessions: readonly KubeObject[],
): Rendered {
  const { name, namespace = '' } = server.metadata;
  const teamId = textAt(server, 'spec', 'teamID');
  const mine = (one: KubeObject): boolean =>
    textAt(one, 'spec', 'serverRef', 'name') === name &&
    (textAt(one, 'spec', 'serverRef', 'namespace') || one.metadata.namespace) === namespace;
  const subject = (one: KubeObject): Policy['grants'][number]['subject'] => ({
    human_id: textAt(one, 'spec', 'subject', 'humanID'),
    agent_id: textAt(one, 'spec', 'subject', 'agentID'),
    team_id: textAt(one, 'spec', 'subject', 'teamID') || teamId,
  });
  return {
    schema_version: 'v1',
    server: { name, namespace, team_id: teamId, cluster: 'local' },
    auth: { mode: textAt(server, 'spec', 'auth', 'mode') || 'header' },
    policy: {
      mode: textAt(server, 'spec', 'policy', 'mode') || 'allow-list',
      default_decision: textAt(server, 'spec', 'policy', 'defaultDecision') || 'deny',
      policy_version: textAt(server, 'spec', 'policy', 'policyVersion') || 'v1',
    },
    session: { required: at(server, 'spec', 'session', 'required') === true },
    tools: recordsAt(server, 'spec', 'tools').map((tool) => ({
      name: textAt(tool, 'name'),
      required_trust: textAt(tool, 'requiredTrust') || 'low',
      side_effect: textAt(tool, 'sideEffect'),
      risk_level: textAt(tool, 'riskLevel') || 'low',
    })),
    grants: grants.filter(mine).map((one) => ({
      name: one.metadata.name,
      namespace: one.metadata.namespace ?? '',
      subject: subject(one),
      max_trust: textAt(one, 'spec', 'maxTrust'),
      allowed_side_effects: textsAt(one, 'allowedSideEffects'),
      disabled: at(one, 'spec', 'disabled') === true,
      tool_rules: recordsAt(one, 'spec', 'toolRules').map((rule) => ({
        name: textAt(rule, 'name'),
        decision: textAt(rule, 'decision') || 'allow',
        required_trust: textAt(rule, 'requiredTrust'),
      })),
    })),
    sessions: sessions.filter(mine).map((one) => ({
      name: one.metadata.name,
      namespace: one.metadata.namespace ?? '',
      subject: subject(one),
      consented_trust: textAt(one, 'spec', 'consentedTrust') || 'low',
      revoked: at(one, 'spec', 'revoked') === true,
      expires_at: textAt(one, 'spec', 'expiresAt'),
    })),
  };
}

/** The policy as its file has it: without everything that is empty, as the platform's operator writes it. */
export function policyFile({ schema_version, grants, sessions, ...rest }: Rendered): string {
  const content = {
    ...rest,
    grants: grants.map(({ subject, ...grant }) => ({ ...grant, ...subject })),
    sessions: sessions.map(({ subject, ...session }) => ({ ...session, ...subject })),
  };
  const revision = `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`;
  const whole = { schema_version, revision, generated_at: new Date().toISOString(), ...content };
  return JSON.stringify(whole, (_, value: unknown) => (isEmpty(value) ? undefined : value));
}

/** What Go's `omitempty` leaves out of these types; an object stays, as a struct does. */
function isEmpty(value: unknown): boolean {
  return value === '' || value === false || (Array.isArray(value) && value.length === 0);
}

function textsAt(object: KubeObject, field: string): string[] {
  const found = at(object, 'spec', field);
  return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : [];
}
