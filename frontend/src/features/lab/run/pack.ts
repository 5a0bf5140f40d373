// The Pythons that the page can fetch: what the server offers and what this device keeps.

export type PackID = 'light' | 'exact';

/** An entry of /packs.json. */
export interface Pack {
  id: PackID;
  url: string;
  /** sha256:… of its bytes, uncompressed. */
  digest: string;
  /** Uncompressed. */
  size: number;
  /** On the wire to this browser. */
  bytes: number;
}
