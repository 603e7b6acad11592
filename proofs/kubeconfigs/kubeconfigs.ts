import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Answerer } from '../../lab/driver/answerer.js';
import { buildProgram } from '../../lab/driver/program.js';
import { makeCertificateAuthority, makeServerCertificate } from '../../lab/platform/certificate-authority.js';
import { loadCredentials } from '../../shared/cluster/credentials.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { seeded, seedOf } from '../random.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { byHand } from './by-hand.js';
import { type Meaning, meaningOf, meaningOfGo } from './compare.js';
import { beside, type KubeconfigCase, type Material, randomKubeconfig } from './generate.js';
import { type GoAnswer, startGoLoader } from './go-loader.js';

const [generatedInSmall, generatedInFull] = [500, 5_000];

export const kubeconfigs: Proof = {
  name: 'kubeconfigs',
  claim:
    'what kubectl’s own loader accepts as a kubeconfig is accepted with the same server, CA, credentials and impersonation, or refused for what is refused on purpose, with its code',
  run: everyKubeconfig,
};

/** What became of a case on both sides. */
type Outcome = 'the same' | 'refused by both' | 'refused on purpose' | 'accepted here only';

async function everyKubeconfig(context: ProofContext) {
  const random = seeded(seedOf(context.env));
  context.progress(`  seed ${random.seed} (MCPRT_PROOF_SEED)`);
  const { lab } = await buildProgram(context.env, context.progress);
  const material = await makeMaterial();
  const count =
    context.flags.count === undefined
      ? context.small
        ? generatedInSmall
        : generatedInFull
      : Number(context.flags.count);
  const hand = byHand(material);
  const cases = [...hand, ...Array.from({ length: count }, (_, index) => randomKubeconfig(random, material, index))];
  const outcomes = new Map<Outcome, number>();
  const loader = startGoLoader(lab);
  try {
    for (const [index, one] of cases.entries()) {
      const outcome = await compareOne(context, one, { loader, material, folder: join(context.folder, String(index)) });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  } finally {
    loader.stop();
  }
  context.expect((outcomes.get('the same') ?? 0) > cases.length / 5, 'hardly any kubeconfig was a good one');
  return { seed: random.seed, byHand: hand.length, generated: count, outcomes: Object.fromEntries(outcomes) };
}

interface Compared {
  loader: Answerer<GoAnswer>;
  material: Material;
  folder: string;
}

async function compareOne(
  context: ProofContext,
  one: KubeconfigCase,
  { loader, material, folder }: Compared,
): Promise<Outcome> {
  const paths = await placed(one, material, folder);
  const [answer] = await loader.ask([{ paths, context: one.context }]);
  if (answer === undefined) throw new Error(`${one.name}: no answer`);
  const text = one.files.length === 1 ? one.files[0]?.toString('utf8') : undefined;
  const hasFiles = Object.values(beside).some((name) => text?.includes(name)) || (text?.includes('missing') ?? false);
  const ways = [
    paths.join(delimiter),
    ...(text === undefined || hasFiles || text.includes('\ufffd') ? [] : [text, Buffer.from(text).toString('base64')]),
  ];
  const outcomes = await Promise.all(ways.map((source) => outcomeOf(context, one, source, answer)));
  const [first = 'refused by both', ...others] = outcomes;
  context.expect(
    answer.error !== undefined || others.every((other) => other === first),
    `${one.name}: as a path ${first}, as a text or base64 ${others.join(', ')}`,
  );
  return first;
}

async function outcomeOf(
  { fail }: ProofContext,
  { name, context }: KubeconfigCase,
  source: string,
  answer: GoAnswer,
): Promise<Outcome> {
  // A program is not started: that it is not is what is looked at.
  const own = await loadCredentials(source, { trusted: !answer.plugin, context })
    .then(meaningOf)
    .catch((error: unknown) => error);
  const refusal = own instanceof Error ? own : undefined;
  if (refusal !== undefined && !(refusal instanceof McprtError && /^kubeconfig-/.test(refusal.code))) {
    fail(`${name}: refused without a code: ${messageOf(refusal)}`);
  }
  if (answer.error !== undefined) return refusal === undefined ? 'accepted here only' : 'refused by both';
  if (refusal !== undefined) {
    if (isOnPurpose(refusal as McprtError, answer)) return 'refused on purpose';
    fail(`${name}: kubectl accepts it, and here: ${refusal.message}: ${(refusal as McprtError).why}`);
    return 'refused on purpose';
  }
  if (answer.plugin) fail(`${name}: a program was started`);
  const wanted = await meaningOfGo(answer, async (path) => (await readFile(path, 'utf8')).trim());
  const differing = Object.keys(wanted).filter(
    (field) => !isDeepStrictEqual(wanted[field as keyof Meaning], (own as Meaning)[field as keyof Meaning]),
  );
  if (differing.length > 0) {
    const of = (meaning: Meaning): string =>
      JSON.stringify(differing.map((field) => meaning[field as keyof Meaning])).slice(0, 300);
    fail(`${name}: ${differing.join(', ')}: kubectl ${of(wanted)}, here ${of(own as Meaning)}`);
  }
  return 'the same';
}

/** What kubectl does and mcprt does not: docs/troubleshooting.md has each. */
function isOnPurpose({ code, why }: McprtError, { plugin, server, proxy }: GoAnswer): boolean {
  if (server.startsWith('http:')) return true;
  if (code === 'kubeconfig-untrusted') return plugin;
  return (/^socks5/.test(proxy) && why.includes('proxy-url')) || why.endsWith('of a user that it has not');
}

/** Writes the files of a case, each in a folder of its own with what its relative paths name. */
async function placed({ files }: KubeconfigCase, material: Material, folder: string): Promise<string[]> {
  return Promise.all(
    files.map(async (bytes, index) => {
      const own = join(folder, String(index));
      await mkdir(own, { recursive: true });
      const contents = { ca: material.ca, cert: material.cert, key: material.key, token: `token-of-file-${index}\n` };
      await Promise.all(
        Object.entries(contents).map(([name, content]) =>
          writeFile(join(own, beside[name as keyof typeof contents]), content),
        ),
      );
      const path = join(own, 'config');
      await writeFile(path, bytes);
      return path;
    }),
  );
}

async function makeMaterial(): Promise<Material> {
  const [ca, other] = await Promise.all([makeCertificateAuthority(), makeCertificateAuthority()]);
  const { certificate: cert, key } = await makeServerCertificate(['client'], ca);
  return { ca: ca.certificate, otherCa: other.certificate, cert, key, otherKey: other.key };
}
