/** What the ACME server has seen since the lab came up. */
export interface Reading {
  orders: { id: string; names: string[]; at: string; serial?: string; issued?: string }[];
  issued: number;
  accounts: number;
  refused: number;
  limited: boolean;
}

/** How many orders, issuances and accounts two readings are apart. */
export function difference(before: Reading, after: Reading): { orders: number; issued: number; accounts: number } {
  return {
    orders: after.orders.length - before.orders.length,
    issued: after.issued - before.issued,
    accounts: after.accounts - before.accounts,
  };
}

/** Reads the meter in front of the lab's ACME server. */
export async function readMeter(control: string): Promise<Reading> {
  const answer = await fetch(`${control}/meter`);
  return (await answer.json()) as Reading;
}

/** Switches the limit of five certificates a week per exact name set. */
export async function setLimit(control: string, enabled: boolean): Promise<void> {
  const answer = await fetch(`${control}/limit`, { method: 'PUT', body: JSON.stringify({ enabled }) });
  if (!answer.ok) {
    throw new Error(`the ACME meter refused the limit: ${answer.status}`);
  }
}
