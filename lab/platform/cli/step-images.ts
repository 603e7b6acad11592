import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isTrue } from '../../../shared/cluster/fields.js';
import { kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { namespaces } from '../names.js';
import { createObject } from '../objects.js';
import { waitUntil } from '../waits.js';
import { builtImages } from '../workloads.js';
import { CliError } from './errors.js';
import type { Run } from './run.js';
import { nodes } from './step-registry.js';

const namespace = namespaces.registry;

/** The tag of all images: the checkout's short commit, or `latest` outside of one. */
export async function imageTag(folder: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder });
    return stdout.trim();
  } catch {
    return 'latest';
  }
}

/** Builds nothing; pushes the operator's and the gateway's image by a helper pod each. */
export async function operatorImages(run: Run): Promise<void> {
  run.console.section('Step 5: Publish runtime images');
  await checkArchitecture(run);
  for (const name of builtImages(run.settings.layout).runtime) await push(run, name);
}

export async function analyticsImages(run: Run): Promise<void> {
  run.console.section('Step 5a: Publish analytics images');
  for (const name of builtImages(run.settings.layout).analytics) await push(run, name);
}

async function checkArchitecture(run: Run): Promise<void> {
  const found = [...new Set((await nodes(run)).map(({ status }) => status?.nodeInfo?.architecture ?? ''))];
  const { imagePlatform } = run.options;
  if (imagePlatform === undefined) return;
  const [, wanted = ''] = imagePlatform.split('/');
  if (found.length > 1) {
    throw new CliError(
      `Kubernetes nodes have mixed architectures (${found.join(', ')}); MCP_IMAGE_PLATFORM ${JSON.stringify(imagePlatform)} fits only some of them`,
    );
  }
  if (found[0] !== wanted) {
    throw new CliError(
      `MCP_IMAGE_PLATFORM ${JSON.stringify(imagePlatform)} does not match Kubernetes node architecture ${JSON.stringify(found[0])}`,
    );
  }
}

/** A signal in here leaves the pod and the archive where they are, as the installer does. */
async function push(run: Run, name: string): Promise<void> {
  const { client, console, settings, folder, options, images } = run;
  const archive = join(folder, `mcp-img-${randomBytes(4).toString('hex')}.tar`);
  await writeFile(archive, '');
  const pod = `registry-pusher-${process.hrtime.bigint() + BigInt(Date.now()) * 1_000_000n}`;
  await createObject(client.cluster, kinds.pod, {
    metadata: { name: pod, namespace, labels: { run: pod } },
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: pod, image: 'quay.io/skopeo/stable:v1.14', command: ['sleep', '3600'] }],
    },
  });
  // `kubectl wait` lists the one pod, and watches it.
  const ready = async (): Promise<boolean> => {
    const { items } = await client.cluster.list(kinds.pod, {
      namespace,
      fieldSelector: `metadata.name=${pod}`,
    });
    return isTrue(items[0], 'Ready');
  };
  if (!(await waitUntil(ready, options.waits.helperPod, settings.pollMilliseconds))) {
    throw new CliError(`helper pod ${pod} is not ready: timed out waiting for the condition`);
  }
  const inside = `registry.registry.svc.cluster.local:5000/${name}:${images.tag}`;
  await helped(
    `failed to copy image to helper pod`,
    client.exec({ namespace, name: pod }, ['tar', '-xmf', '-', '-C', '/tmp']),
  );
  await sleep(settings.pushMilliseconds);
  const copy = ['skopeo', 'copy', '--dest-tls-verify=false', 'docker-archive:/tmp/image.tar', `docker://${inside}`];
  await helped(`failed to push image from helper pod`, client.exec({ namespace, name: pod }, copy));
  await client.cluster.delete(kinds.pod, { namespace, name: pod });
  await rm(archive);
  console.success(
    `Pushed ${images.registry}/${name}:${images.tag} via in-cluster helper (helper destination ${inside})`,
  );
}

async function helped(what: string, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    throw new CliError(`${what}: ${messageOf(error)}`);
  });
}
