/**
 * The annotation `cert-manager.io/secret-template` as Go's encoding/json reads it (cert-manager pkg/controller/certificate-shim/helper.go).
 * JSON.parse is stricter about what follows, and knows neither that Go passes over the case of a field's name nor what it makes of a
 * name that is there twice.
 */
import { parsedJson } from '../json.js';
import { DecodeError } from './der.js';
import type { CertificateSpec } from './model.js';

type Template = NonNullable<CertificateSpec['secretTemplate']>;

/** Reads the first value of the text; Go does not look at what follows it. Throws DecodeError. */
export function readSecretTemplate(text: string): Template {
  const reader = new JsonReader(text);
  if (reader.takes('null')) return {};
  const found = new Map<keyof Template, Map<string, string>>();
  reader.object((name) => {
    const field = fields.get(name.toUpperCase());
    if (field === undefined) throw new DecodeError(`json: unknown field ${JSON.stringify(name)}`);
    // Null is nothing, also of what was read before; what is there again is added.
    if (reader.takes('null')) found.delete(field);
    else found.set(field, readTexts(reader, found.get(field)));
  });
  return Object.fromEntries([...found].map(([field, texts]) => [field, Object.fromEntries(texts)]));
}

const fields: ReadonlyMap<string, keyof Template> = new Map([
  ['ANNOTATIONS', 'annotations'],
  ['LABELS', 'labels'],
]);

/** Names with texts; null is an empty one. */
function readTexts(reader: JsonReader, before = new Map<string, string>()): Map<string, string> {
  const texts = new Map(before);
  reader.object((name) => texts.set(name, reader.takes('null') ? '' : reader.string()));
  return texts;
}

/** Reads the parts of JSON that a template is made of. */
class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether these characters come next; then they are passed. */
  takes(characters: string): boolean {
    return this.#match(new RegExp(characters.replace(/[{}]/, '\\$&'), 'y')) !== undefined;
  }

  string(): string {
    const quoted = this.#match(/"(?:[^"\\]|\\.)*"/y);
    const text = quoted === undefined ? undefined : parsedJson(quoted);
    return typeof text === 'string' ? text.toWellFormed() : this.#refuse('a text');
  }

  /** Reads an object. @param value is called with each name, to read what it stands for */
  object(value: (name: string) => void): void {
    this.#expect('{');
    if (this.takes('}')) return;
    do {
      const name = this.string();
      this.#expect(':');
      value(name);
    } while (this.takes(','));
    this.#expect('}');
  }

  #expect(characters: string): void {
    if (!this.takes(characters)) this.#refuse(characters);
  }

  #match(pattern: RegExp): string | undefined {
    const blank = /[ \t\r\n]*/y;
    blank.lastIndex = this.#at;
    blank.exec(this.#text);
    pattern.lastIndex = blank.lastIndex;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at = pattern.lastIndex;
    return found;
  }

  #refuse(wanted: string): never {
    throw new DecodeError(`invalid JSON: ${wanted} is missing at ${this.#at}`);
  }
}
