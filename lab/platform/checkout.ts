import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { root } from '../driver/folders.js';
import { type GivenSettings, settingsVariable } from './cli/settings.js';
import type { Installation } from './names.js';
import { platformKinds } from './resources.js';
import { commitFiles, sourceFiles } from './source.js';

const run = promisify(execFile);
const cli = join(root, 'build', 'lab', 'platform', 'cli', 'main.js');

export interface StandInOptions {
  installation: Pick<Installation, 'acme' | 'crds' | 'layout'>;
  /** How fast the stand-in is, and how soon its waits end. */
  settings?: Pick<GivenSettings, 'pollMilliseconds' | 'pushMilliseconds' | 'floors'>;
}

/** Writes an executable of the stand-in, with its settings beside it: no Go is needed. */
export async function makeBinary(file: string, options: StandInOptions): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const settings = `${file}.json`;
  await writeFile(settings, JSON.stringify(settingsOf(options)));
  await writeFile(
    file,
    `#!/bin/sh\n${settingsVariable}="$(cat ${quoted(settings)})" exec ${quoted(process.execPath)} ${quoted(cli)} "$@"\n`,
  );
  await chmod(file, 0o755);
}

/**
 * Makes a source checkout as a user has it: a git repository with one commit, from which
 * `go build -o bin/mcp-runtime ./cmd/mcp-runtime` gives the stand-in with nothing but Go's own library.
 *
 * @param domain apex in the deployment profile's example
 * @returns the commit
 */
export async function makeCheckout(folder: string, options: StandInOptions & { domain: string }): Promise<string> {
  const files: Record<string, string> = {
    'go.mod': 'module mcp-runtime\n\ngo 1.24\n',
    '.gitignore': 'bin/\nconfig/deployments/*.env\n',
    'cmd/mcp-runtime/main.go': mainGo,
    'cmd/mcp-runtime/settings.json': JSON.stringify(
      { node: process.execPath, cli, settings: settingsOf(options) },
      null,
      2,
    ),
    'config/deployments/mcpruntime-org.env.example': exampleProfile(options.domain),
    ...sourceFiles(options.installation.layout),
    ...Object.fromEntries(
      platformKinds().map((crd) => {
        const plural = crd.metadata.name.replace('.mcpruntime.org', '');
        return [`config/crd/bases/mcpruntime.org_${plural}.yaml`, stringify(crd)];
      }),
    ),
  };
  await mkdir(folder, { recursive: true });
  await run('git', ['init', '--quiet', '--initial-branch=main'], { cwd: folder });
  return commitFiles(folder, files, 'A stand-in of MCP Runtime');
}

function settingsOf({ installation: { acme, crds, layout }, settings = {} }: StandInOptions): GivenSettings {
  const { directory, caBundle } = acme;
  return { acme: { directory, caBundle }, crds, layout, ...settings };
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const exampleProfile = (domain: string): string => `export KUBECONFIG="$HOME/.kube/config"
export MCP_SETUP_KUBECONFIG="$KUBECONFIG"
export MCP_PLATFORM_DOMAIN=${domain}
export MCP_PLATFORM_ADMIN_EMAIL=admin@${domain}
export MCP_IMAGE_PLATFORM=linux/amd64
export MCP_REGISTRY_ENDPOINT=registry.${domain}
export MCP_SETUP_PLATFORM_MODE=tenant
export MCP_SETUP_REGISTRY_MODE=bundled-https
export MCP_SETUP_INGRESS=none
export MCP_SETUP_TLS_CLUSTER_ISSUER=letsencrypt-prod
export PLATFORM_TRAEFIK_NAMESPACE=kube-system
export PLATFORM_TEAM_TRAEFIK_WATCH=disabled
`;

/** The process is replaced, not followed by a child, so that signals reach the stand-in itself. */
const mainGo = `// Command mcp-runtime stands in for MCP Runtime's own program in a lab.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

//go:embed settings.json
var settings []byte

func main() {
	var standIn struct {
		Node     string
		CLI      string
		Settings json.RawMessage
	}
	if err := json.Unmarshal(settings, &standIn); err != nil {
		fail(err)
	}
	args := append([]string{standIn.Node, standIn.CLI}, os.Args[1:]...)
	fail(syscall.Exec(standIn.Node, args, append(os.Environ(), "${settingsVariable}="+string(standIn.Settings))))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "Error:", err)
	os.Exit(1)
}
`;
