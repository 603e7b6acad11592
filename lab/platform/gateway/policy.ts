import { z } from 'zod';

const subject = z.object({ human_id: z.string(), agent_id: z.string(), team_id: z.string() });

/** The file that the operator renders for a server's gateway. */
export const policySchema = z.object({
  schema_version: z.string(),
  revision: z.string(),
  generated_at: z.string(),
  server: z.object({ name: z.string(), namespace: z.string(), team_id: z.string(), cluster: z.string() }),
  auth: z.object({ mode: z.string() }),
  policy: z.object({ mode: z.string(), default_decision: z.string(), policy_version: z.string() }),
  session: z.object({ required: z.boolean() }),
  tools: z.array(
    z.object({ name: z.string(), required_trust: z.string(), side_effect: z.string(), risk_level: z.string() }),
  ),
  grants: z.array(
    z.object({
      name: z.string(),
      namespace: z.string(),
      subject,
      max_trust: z.string(),
      allowed_side_effects: z.array(z.string()),
      disabled: z.boolean(),
      tool_rules: z.array(z.object({ name: z.string(), decision: z.string(), required_trust: z.string() })),
    }),
  ),
  sessions: z.array(
    z.object({
      name: z.string(),
      namespace: z.string(),
      subject,
      consented_trust: z.string(),
      revoked: z.boolean(),
      expires_at: z.string(),
    }),
  ),
});

export type Policy = z.infer<typeof policySchema>;
export type Grant = Policy['grants'][number];
export type Session = Policy['sessions'][number];
export type Tool = Policy['tools'][number];
