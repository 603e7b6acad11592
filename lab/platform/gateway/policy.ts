import * as z from 'zod';

/** Go leaves out what is empty: every one of these may be missing. */
const text = z.string().default('');
const flag = z.boolean().default(false);
const texts = z.array(z.string()).default([]);
const ids = { human_id: text, agent_id: text, team_id: text };

function withSubject<T extends { human_id: string; agent_id: string; team_id: string }>(found: T) {
  const { human_id, agent_id, team_id, ...rest } = found;
  return { ...rest, subject: { human_id, agent_id, team_id } };
}

const grant = z
  .object({
    name: z.string(),
    namespace: text,
    ...ids,
    max_trust: text,
    allowed_side_effects: texts,
    disabled: flag,
    tool_rules: z.array(z.object({ name: z.string(), decision: text, required_trust: text })).default([]),
  })
  .transform(withSubject);

const session = z
  .object({ name: z.string(), namespace: text, ...ids, consented_trust: text, revoked: flag, expires_at: text })
  .transform(withSubject);

/** The file that the operator renders for a server's gateway, in the shape of the platform's own types. */
export const policySchema = z.object({
  schema_version: z.literal('v1'),
  revision: z.string(),
  generated_at: text,
  server: z.object({ name: z.string(), namespace: z.string(), team_id: text, cluster: text }),
  auth: z.object({ mode: text }).prefault({}),
  policy: z.object({ mode: text, default_decision: text, policy_version: text }).prefault({}),
  session: z.object({ required: flag }).prefault({}),
  tools: z.array(z.object({ name: z.string(), required_trust: text, side_effect: text, risk_level: text })).default([]),
  grants: z.array(grant).default([]),
  sessions: z.array(session).default([]),
});

export type Policy = z.infer<typeof policySchema>;
export type Grant = Policy['grants'][number];
export type Session = Policy['sessions'][number];
export type Tool = Policy['tools'][number];
