// What institutions recognise of each other, without a network. A word on issuers names the signed documents; that a publisher says of somebody
// that they recognise something is not enough: each document must hold by itself, by a key and a list of who recognises.
import type { Recognition } from '../bundle/documents';
import { DocumentError, endorsement, readDocument, type Json, type JsonObject } from './document';
import { readStatus } from './status';
import { listOf, type Known } from './trust';

/** An institution's word that it takes an achievement for one of its own. */
export interface Recognised {
  by: string;
  byNames: Record<string, string>;
  as: Record<string, string>;
  scope: Record<string, string>;
  conditions: Record<string, string>;
  until?: string;
  /** When it was last known not to be ended. */
  at: string;
}
/** What was achieved. */
export interface Achieved {
  /** DID. */
  issuer: string;
  course: string;
  /** Address; '' where only the course is known. */
  achievement: string;
}

const most = 20;

/** The recognitions of an achievement that hold, as far as is known here. */
export async function recognitionsOf({ issuer, course, achievement }: Achieved, known: Known, now: number): Promise<Recognised[]> {
  const out: Recognised[] = [];
  const rows = new Map(known.recognitions.filter(({ of }) => of.did === issuer && of.course === course).map((row) => [`${row.by} ${row.digest}`, row]));
  const left = Array.from(rows.values());
  // A few side by side: a phone waits for its disk more than it reckons.
  while (left.length && out.length < most) {
    for (const one of await Promise.all(left.splice(0, 5).map((row) => read(row, achievement, known, now)))) if (one && out.length < most) out.push(one);
  }
  return out;
}

const textAt = (value: JsonObject, name: string): string => {
  const found = value[name];
  return typeof found === 'string' ? found : '';
};
const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && !Array.isArray(value);

async function read({ by, of, digest }: Recognition, achievement: string, known: Known, now: number): Promise<Recognised | undefined> {
  const bytes = await known.open(digest);
  const said = known.issuers.get(by);
  if (!bytes || !said) return undefined;
  try {
    const { issuer, multikey, created, checkable, signed, tree } = readDocument(new TextDecoder('utf-8', { fatal: true }).decode(bytes), endorsement);
    const key = known.keys.find((one) => one.issuer === by && one.multikey === multikey);
    const at = Date.parse(created) / 1000;
    // Nobody can tell when a stolen key signed.
    if (issuer !== by || !key || key.revoked !== undefined || at < key.from || (key.retired !== undefined && at > key.retired)) return undefined;
    if (!checkable || !(await signed(multikey))) return undefined;
    const { credentialSubject: subject, credentialStatus: entry, evidence } = tree;
    if (!isObject(subject) || !isObject(entry) || !Array.isArray(evidence)) return undefined;
    const what = textAt(subject, 'id');
    const named = /\/courses\/([a-z][a-z0-9-]{1,63})$/.exec(what);
    if (!named || named[1] !== of.course || (achievement && achievement.replace(/@[0-9]+$/, '') !== what)) return undefined;
    const texts: Record<string, Record<string, string>> = { as: {}, scope: {}, conditions: {} };
    let whose = '';
    for (const one of evidence) {
      if (!isObject(one)) return undefined;
      const genre = textAt(one, 'genre');
      if (genre === 'issuer' && !whose) whose = textAt(one, 'id');
      else {
        const group = texts[genre];
        const lang = textAt(one, 'audience');
        // One text twice could be read in two ways.
        if (!group || !lang || group[lang] !== undefined) return undefined;
        group[lang] = textAt(one, 'narrative');
      }
    }
    const { as = {}, scope = {}, conditions = {} } = texts;
    const from = Date.parse(textAt(tree, 'validFrom'));
    const until = textAt(tree, 'validUntil');
    if (whose !== of.did || !Object.keys(as).length || !(from <= now + 600_000) || (until && !(Date.parse(until) > now))) return undefined;
    const index = textAt(entry, 'statusListIndex');
    const address = textAt(entry, 'statusListCredential');
    if (entry['type'] !== 'BitstringStatusListEntry' || entry['statusPurpose'] !== 'revocation' || !/^(0|[1-9][0-9]{0,8})$/.test(index)) return undefined;
    const list = listOf(said, (url) => url === address);
    const bits = list && (await known.open(list.digest));
    const status = bits && (await readStatus(bits, by, address, 'revocation', Number(index)));
    if (!status || status.set) return undefined;
    return { by, byNames: said.issuer.names ?? {}, as, scope, conditions, ...(until && { until }), at: status.signedAt };
  } catch (cause) {
    if (cause instanceof DocumentError || cause instanceof TypeError) return undefined;
    throw cause;
  }
}
