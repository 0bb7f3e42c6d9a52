import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';

import ts from 'typescript';

interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const HERE = import.meta.dirname;
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ts': 'text/javascript; charset=utf-8',
};

/** Serves the page, its modules, and xterm.js as it lies in node_modules; nothing else. */
export class Assets {
  readonly #assets = new Map<string, Asset>();
  readonly #policy: string;

  constructor() {
    for (const folder of ['page', 'shared']) {
      for (const name of readdirSync(join(HERE, folder))) {
        this.#add(`/${folder}/${name}`, join(HERE, folder, name));
      }
    }
    const { resolve } = createRequire(import.meta.url);
    const xterm = dirname(resolve('@xterm/xterm/package.json'));
    const fit = dirname(resolve('@xterm/addon-fit/package.json'));
    this.#add('/modules/xterm.mjs', join(xterm, 'lib/xterm.mjs'));
    this.#add('/modules/xterm.css', join(xterm, 'css/xterm.css'));
    this.#add('/modules/addon-fit.mjs', join(fit, 'lib/addon-fit.mjs'));
    const html = readFileSync(join(HERE, 'page/index.html'), 'utf8');
    this.#add('/', join(HERE, 'page/index.html'));
    this.#policy = policyFor(html);
  }

  /** Answers a request with a file, or with 404. */
  readonly serve = (request: IncomingMessage, response: ServerResponse): void => {
    const [path = ''] = (request.url ?? '').split('?');
    const asset = this.#assets.get(path);
    if (!asset || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
      return;
    }
    response.writeHead(200, {
      'Content-Type': asset.type,
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': this.#policy,
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(asset.body);
  };

  #add(url: string, file: string): void {
    const type = TYPES[extname(file)];
    if (type === undefined) return; // Such as tsconfig.json: not for browsers.
    const text = readFileSync(file, 'utf8');
    this.#assets.set(url, { type, body: Buffer.from(file.endsWith('.ts') ? strip(text) : text) });
  }
}

/** Takes the types off a module: what is left is JavaScript, as it was written. */
function strip(text: string): string {
  const { ES2022 } = ts.ScriptTarget;
  const compilerOptions = {
    target: ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}

/**
 * Lets the page load nothing from elsewhere, and be shown in no frame of another page, where its
 * clicks could be stolen. The one inline script is the import map; xterm.js makes style elements.
 */
function policyFor(html: string): string {
  const importMap = /<script type="importmap">([^]*?)<\/script>/.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(importMap).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
