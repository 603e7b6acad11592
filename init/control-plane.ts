import { shellWord } from '../shared/shell-word.js';
import type { Access } from './access.js';

/** Where k3s looks for its configuration. */
const k3sFolder = '/etc/rancher/k3s';

/** How the API server comes to take the identities, by what it said to one. */
export function controlPlaneLines({
  file,
  reception,
  hasOthers,
}: Pick<Access & { by: 'identity' }, 'file' | 'reception' | 'hasOthers'>): string[] {
  const there = `${k3sFolder}/mcprt-authentication.yaml`;
  const lines = (...all: string[]): string[] => ['', '```sh', ...all, '```'];
  const asked = {
    known:
      'The API server knows this issuer. Whether it takes this repository and audience, only a job shows: where the file has changed since it was copied, copy it again:',
    unreachable: `- [ ] The API server knows the issuer, and cannot fetch its keys: ${'detail' in reception ? reception.detail : ''}. It must reach the issuer over HTTPS. The file that it reads comes there by these lines:`,
    unknown: '- [ ] The API server does not know this issuer yet. Bring it the file:',
  }[reception.state];
  if (hasOthers) {
    return [
      `- [ ] Jobs of another repository are let in as well, so each server of the control plane has such a file already: do not replace it by ${file}. Put the expression of the new one beside that of the old one (docs/keyless.md), and then run on each server:`,
      ...lines('sudo systemctl restart k3s'),
    ];
  }
  return [
    asked,
    ...lines(`scp ${shellWord(file)} SERVER:authentication.yaml # each server of the control plane; then on each:`),
    ...lines(
      // An API server that is told of a file that is not there does not start.
      `sudo install -D -m 600 authentication.yaml ${there} && \\`,
      `sudo install -d ${k3sFolder}/config.yaml.d && echo 'kube-apiserver-arg+: ["authentication-config=${there}"]' | sudo tee ${k3sFolder}/config.yaml.d/mcprt.yaml && sudo systemctl restart k3s`,
    ),
  ];
}
