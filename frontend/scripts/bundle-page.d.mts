import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as maker from '../src/offline/bundle/testing/maker.ts';

export interface BundlePage {
  url: string;
  files: Map<string, Uint8Array | ((request: IncomingMessage, response: ServerResponse) => void)>;
  maker: typeof maker;
  bytes: number;
  close(): Promise<void>;
}
export function bundlePage(files?: BundlePage['files']): Promise<BundlePage>;
