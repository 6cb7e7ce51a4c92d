/** The files of the page, read once: no request makes a path. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { HTML_TYPE, reply } from './reply.ts';

/** `dist/ui` beside the compiled code, in the package; `build/ui` in a checkout. */
const PLACES = ['../ui', '../../build/ui'].map((place) => fileURLToPath(new URL(place, import.meta.url)));

const TYPES: Readonly<Record<string, string>> = {
  '.html': HTML_TYPE,
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};
/** Vite puts a hash of the content into the names of what lies here. */
const HASHED = /^\/assets\/.+-[\w-]{8}\.\w+$/;
const COMPRESSED = /^text\/|json|svg/;

interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzip: Buffer | undefined;
  readonly etag: string;
  readonly isHashed: boolean;
}

export class StaticFiles {
  readonly #files = new Map<string, StaticFile>();

  constructor(places: readonly string[] = PLACES) {
    for (const place of places) {
      if (this.#files.size === 0) this.#read(place);
    }
    const index = this.#files.get('/index.html');
    if (index) this.#files.set('/', index);
  }

  /** Whether the page was built. */
  get isBuilt(): boolean {
    return this.#files.has('/');
  }

  /** @returns false when there is no such file. */
  serve(path: string, { headers }: IncomingMessage, response: ServerResponse): boolean {
    const file = this.#files.get(path);
    if (!file) return false;
    const caching = file.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache';
    const common = { ETag: file.etag, 'Cache-Control': caching, Vary: 'Accept-Encoding' };
    if (headers['if-none-match'] === file.etag) {
      response.writeHead(304, common).end();
    } else if (file.gzip && /\bgzip\b/.test(headers['accept-encoding'] ?? '')) {
      reply(response, 200, file.type, file.gzip, { ...common, 'Content-Encoding': 'gzip' });
    } else reply(response, 200, file.type, file.bytes, common);
    return true;
  }

  #read(place: string): void {
    for (const name of namesIn(place)) {
      const bytes = readFileSync(join(place, name));
      const type = TYPES[extname(name)] ?? 'application/octet-stream';
      const path = `/${name}`;
      this.#files.set(path, {
        type,
        bytes,
        gzip: COMPRESSED.test(type) ? gzipSync(bytes, { level: 9 }) : undefined,
        etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
        isHashed: HASHED.test(path),
      });
    }
  }
}

/** Paths of the files below a directory, relative to it; none when it is not there. */
function namesIn(place: string): string[] {
  try {
    return readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(place.length).replace(/^\/+/, ''));
  } catch {
    return [];
  }
}
