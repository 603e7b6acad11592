/** What can be wrong with a public name, as cert-manager's self check and the ACME server see it. */
export type ChallengeFault =
  /** The name does not exist in DNS. */
  | { fault: 'nxdomain' }
  /** The name has another address; one that nothing routes to, such as 192.0.2.1, ends in a timeout. */
  | { fault: 'elsewhere'; address: string }
  /** Nothing listens on port 80. */
  | { fault: 'refused' }
  /** Another server answers on port 80, with 404. */
  | { fault: 'not-found' }
  /** Port 80 sends the caller somewhere else. */
  | { fault: 'redirect'; location: string };

/** Breaks a host name until `clearChallengeFaults`. @param control `challenges.control` of the lab's state */
export async function setChallengeFault(control: string, host: string, fault: ChallengeFault): Promise<void> {
  await ask(`${control}/faults/${host}`, { method: 'PUT', body: JSON.stringify(fault) });
}

/** Mends one host name, or all. */
export async function clearChallengeFaults(control: string, host?: string): Promise<void> {
  await ask(`${control}/faults${host === undefined ? '' : `/${host}`}`, { method: 'DELETE' });
}

async function ask(url: string, init: RequestInit): Promise<void> {
  const answer = await fetch(url, init);
  if (!answer.ok) {
    throw new Error(`${init.method} ${url}: ${answer.status} ${await answer.text()}`);
  }
}
