// A credential as JSON, checked without a network by its eddsa-jcs-2022 proof. Strict on purpose: what another reader might understand otherwise,
// or no signature of ours would cover, is refused. The eddsa-rdfc-2022 proof beside it needs JSON-LD, which a phone has not: the server checks it.
import { decodeMultikey, ed25519 } from '../bundle/verify';
import { Missing } from '../missing';

export type Json = string | number | boolean | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/** Why a document is refused: the reasons of the server's verifier (credential.why.*). */
export type Why = 'not_readable' | 'terms' | 'no_proof' | 'purpose' | 'foreign_key' | 'changed' | 'not_badge' | 'bad_issuer';

export class DocumentError extends Error {
  constructor(
    readonly why: Why,
    /** Wrong in every document, and not only in one that is made as ours are. */
    readonly always = false,
  ) {
    super(why);
  }
}
function refuse(why: Why, always = false): never {
  throw new DocumentError(why, always);
}

const most = { bytes: 64 * 1024, depth: 12, objects: 128 };
const contexts = ['https://www.w3.org/ns/credentials/v2', 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json'];

// The words that credentials of ours are made of. Another word is not known to mean what its reader thinks.
const words = new Set(
  (
    '@context id type name description image issuer url validFrom validUntil credentialSubject identifier identityType hashed identityHash salt result resultDescription value ' +
    'achievement achievementType criteria narrative inLanguage version alignment targetType targetName targetUrl targetFramework targetCode targetDescription ' +
    'resultType valueMin valueMax creator tag credentialStatus statusPurpose statusListIndex statusListCredential proof cryptosuite proofPurpose created ' +
    'verificationMethod proofValue'
  ).split(' '),
);

/** A kind of document that is read here: the words that it is made of, and what it says that it is. */
export interface Kind {
  words: ReadonlySet<string>;
  types: readonly string[];
}
const badge: Kind = { words, types: ['AchievementCredential', 'OpenBadgeCredential'] };
/** What one institution says of another's achievement; docs/credentials.md has its form. */
export const endorsement: Kind = {
  words: new Set(
    (
      '@context id type name issuer validFrom validUntil credentialSubject endorsementComment evidence genre audience narrative credentialStatus statusPurpose ' +
      'statusListIndex statusListCredential proof cryptosuite proofPurpose created verificationMethod proofValue'
    ).split(' '),
  ),
  types: ['EndorsementCredential'],
};

/** Reads JSON in which no two readers can find different things: no name twice, no null, no fractions, nothing empty, no word that is not ours. */
export function readStrict(text: string, words: Kind['words'] = badge.words): JsonObject {
  if (text.length > most.bytes) refuse('not_readable');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse('not_readable');
  }
  if (!isObject(value)) return refuse('not_readable');
  // What JSON.parse passes over: a name that stands twice, and numbers in other forms.
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[[\]{}]|-?[0-9][0-9.eE+-]*/g;
  const open: Set<string>[] = [];
  for (let found = tokens.exec(text); found; found = tokens.exec(text)) {
    const [token, colon] = found;
    const first = token.charAt(0);
    if (first === '{' || first === '[') open.push(new Set());
    else if (first === '}' || first === ']') open.pop();
    else if (first !== '"') {
      if (!/^(0|-?[1-9][0-9]{0,14})$/.test(token)) refuse('terms');
    } else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const names = open[open.length - 1] as Set<string>;
      if (names.has(name)) refuse('terms', true);
      names.add(name);
    }
  }
  let objects = 0;
  const check = (value: unknown, depth: number, name: string): void => {
    if (depth > most.depth || value === null || value === '') refuse('terms');
    if (typeof value === 'string' && /[\u0000-\u0009\u000b-\u001f\u007f\ufffd]|[\ud800-\udbff](?![\udc00-\udfff])|(?:[^\ud800-\udbff]|^)[\udc00-\udfff]/.test(value)) refuse('terms');
    if (Array.isArray(value)) {
      if (!value.length) refuse('terms');
      for (const one of value) check(one, depth + 1, name);
    } else if (isObject(value)) {
      const members = Object.keys(value);
      if (!members.length || ++objects > most.objects) refuse('terms');
      for (const member of members) {
        // Contexts stand at the top, and in the proof that signs them.
        if (!words.has(member) || (member === '@context' && depth > 0 && name !== 'proof')) refuse('terms');
        check(value[member], depth + 1, member);
      }
    }
  };
  check(value, 0, '');
  return value as JsonObject;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The canonical form of RFC 8785. JavaScript's own way to write numbers and strings is the one that it demands. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  // By UTF-16 code units, which is how sort compares.
  return `{${Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name] as Json)}`)
    .join(',')}}`;
}

const sha256 = async (text: string): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** The 64 bytes of a signature in multibase z; undefined for what is not written as they are. */
function decodeSignature(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^z[1-9A-HJ-NP-Za-km-z]{64,88}$/.test(text)) return undefined;
  const bytes = new Uint8Array(64);
  for (let i = 1; i < text.length; i++) {
    let carry = alphabet.indexOf(text.charAt(i));
    for (let j = 63; j >= 0; j--) {
      carry += (bytes[j] as number) * 58;
      bytes[j] = carry & 255;
      carry >>= 8;
    }
    if (carry) return undefined;
  }
  // As many digits 1 in front as there are zero bytes, or one signature had many forms.
  const zeros = (/^z(1*)/.exec(text) as RegExpExecArray)[1] as string;
  const empty = bytes.findIndex((byte) => byte !== 0);
  return zeros.length === (empty < 0 ? 64 : empty) ? bytes : undefined;
}

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const isTime = (value: unknown): value is string => typeof value === 'string' && timeForm.test(value) && new Date(value).toISOString().replace('.000', '') === value;

/** What a document says, and what is to be checked of its signature. */
export interface Document {
  issuer: string;
  /** Multikey that signed, when it says that it did, and the DID URL that names it. */
  multikey: string;
  created: string;
  /** False where the document has no proof that a phone can check. */
  checkable: boolean;
  signed: (multikey: string) => Promise<boolean>;
  tree: JsonObject;
}

const mostForeign = 256 * 1024;

/**
 * Whether a document that is refused here may be good all the same: a badge of an issuer whom this device does not know, made of words or signed
 * in a way that only the server reads. One of an issuer who is known here is made as ours are, or was changed; so is one whose issuer only looks known.
 */
export function isForeign(text: string, cause: DocumentError, knows: (issuer: string) => boolean): boolean {
  if (cause.always || text.length > mostForeign) return false;
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    return false;
  }
  if (!isObject(tree)) return false;
  const { type, issuer: by, proof } = tree;
  const types = Array.isArray(type) ? type : [type as Json];
  const issuer = isObject(by as Json) ? (by as JsonObject)['id'] : by;
  if (typeof issuer !== 'string' || !badge.types.some((one) => types.indexOf(one) >= 0)) return false;
  if (Array.isArray(proof) ? !proof.some(isObject) : !isObject(proof)) return false;
  if (/^did:(web|key)(:|$)/i.test(issuer) && !/^did:(web:[a-z0-9.-]+(%3A[0-9]+)?(:[A-Za-z0-9_~.-]+)*|key:z[1-9A-HJ-NP-Za-km-z]+)$/.test(issuer)) return false;
  return !knows(issuer);
}

/** Takes a document apart. It believes nothing. Throws DocumentError. */
export function readDocument(text: string, kind: Kind = badge): Document {
  const whole = readStrict(text, kind.words);
  const { proof, ...tree } = whole as JsonObject & { proof?: Json };
  const context = tree['@context'];
  if (!Array.isArray(context) || context.length !== 2 || context.some((one, i) => one !== contexts[i])) refuse('terms');
  const types = tree['type'];
  if (!Array.isArray(types) || types.indexOf('VerifiableCredential') < 0) refuse('not_readable');
  if ((types as Json[]).length !== 2 || !kind.types.some((one) => (types as Json[]).indexOf(one) >= 0)) refuse('not_badge');
  const by = tree['issuer'];
  const issuer = isObject(by as Json) ? (by as JsonObject)['id'] : by;
  if (typeof issuer !== 'string' || !/^did:(web|key):[A-Za-z0-9.%:_-]{1,240}$/.test(issuer)) return refuse('bad_issuer');
  if (!Array.isArray(proof) || !proof.length || proof.length > 2) return refuse('no_proof');
  const proofs = proof.map((one) => (isObject(one) ? one : refuse('no_proof')));
  const suites = proofs.map(({ cryptosuite }) => cryptosuite);
  // Each once, and nothing else.
  if (suites.some((suite, i) => (suite !== 'eddsa-rdfc-2022' && suite !== 'eddsa-jcs-2022') || suites.indexOf(suite) !== i)) refuse('no_proof');
  const [{ verificationMethod: method, created }] = proofs as [JsonObject];
  for (const one of proofs) {
    const members = Object.keys(one).sort().join(' ');
    const jcs = one['cryptosuite'] === 'eddsa-jcs-2022';
    if (members !== `${jcs ? '@context ' : ''}created cryptosuite proofPurpose proofValue type verificationMethod` || one['type'] !== 'DataIntegrityProof') refuse('no_proof');
    if (one['proofPurpose'] !== 'assertionMethod') refuse('purpose');
    if (one['verificationMethod'] !== method || one['created'] !== created || !isTime(created) || typeof one['proofValue'] !== 'string') refuse('no_proof');
    if (jcs && canonical(one['@context'] as Json) !== canonical(context as Json)) refuse('no_proof');
  }
  if (typeof method !== 'string' || method.slice(0, issuer.length + 1) !== `${issuer}#`) return refuse('foreign_key');
  const own = proofs.find(({ cryptosuite }) => cryptosuite === 'eddsa-jcs-2022');
  const signed = async (multikey: string) => {
    const { proofValue, ...options } = own as JsonObject;
    const signature = decodeSignature(proofValue as string);
    if (!signature) return false;
    const [head, body] = await Promise.all([sha256(canonical(options)), sha256(canonical(tree))]);
    const message = new Uint8Array(64);
    message.set(head);
    message.set(body, 32);
    return ed25519(decodeMultikey(multikey), signature, message).catch((cause: unknown) => {
      // That this device cannot check says nothing of the signature.
      if (cause instanceof Missing) throw cause;
      return false;
    });
  };
  return { issuer, multikey: method.slice(issuer.length + 1), created: created as string, checkable: own !== undefined, signed, tree };
}
