import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { issuerSecretPaths } from '../../shared/certificates/issuer-secrets.js';
import { at } from '../../shared/cluster/fields.js';
import { isRecord } from '../../shared/json.js';

/**
 * Fields of issuers that refer to a Secret and that the inventory does not know, by the CustomResourceDefinitions of a
 * release of cert-manager: a selector of name and key, a field whose own description speaks of a Secret, a list of pull Secrets.
 *
 * @param crds folder with the definitions
 */
export async function unknownReferences(crds: string): Promise<{ found: number; unknown: string[] }> {
  const files = (await readdir(crds)).filter((file) => /issuers.*\.yaml$/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(join(crds, file), 'utf8')));
  const paths = texts.flatMap((text) =>
    parseAllDocuments(text).flatMap((document) => {
      const schema = at(document.toJS(), 'spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec');
      return schema === undefined ? [] : referencesIn(schema, '');
    }),
  );
  const known = new Set(issuerSecretPaths.map(([path]) => path));
  return { found: new Set(paths).size, unknown: [...new Set(paths)].filter((path) => !known.has(path)) };
}

function referencesIn(schema: unknown, path: string): string[] {
  if (!isRecord(schema)) return [];
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const below = Object.entries(properties).flatMap(([name, inner]) =>
    referencesIn(inner, path === '' ? name : `${path}.${name}`),
  );
  const items = schema.items === undefined ? [] : referencesIn(schema.items, `${path}[]`);
  return [...(refersToSecret(schema, properties, path) ? [path] : []), ...below, ...items];
}

function refersToSecret(schema: Record<string, unknown>, properties: Record<string, unknown>, path: string): boolean {
  const fields = Object.keys(properties).sort().join();
  if (fields === 'key,name') return true;
  if (fields === 'name') return /secret|credential/i.test(path);
  const isText = schema.type === 'string';
  return isText && /secretName$/i.test(path);
}
