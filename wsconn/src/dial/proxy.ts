import type { Agent } from 'node:http';

import { explain } from '../console/explain.ts';
import { Failure, usageFailure } from '../console/failure.ts';

/** What an answer of a proxy to CONNECT means. */
const STATUSES: Readonly<Record<number, string>> = {
  403: 'it does not let this address or port through (403): ask who runs it',
  407: 'it wants a login (407): put it into WSCONN_PROXY, as http://USER:PASSWORD@HOST:PORT',
  502: 'it cannot reach the server (502): check host and port of the URL',
  503: 'it cannot reach the server (503): check host and port of the URL',
  504: 'it got no answer from the server (504): check host and port of the URL',
};

/** Variables that can name a proxy; without any of them, nothing of a proxy is loaded. */
const VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

export interface ProxyRoute {
  readonly agent: Agent;
  /**
   * Gives what the proxy had to do with an error, which else would look like one of the server;
   * undefined if nothing.
   */
  failure(error: unknown): Failure | undefined;
}

/**
 * Gives the way through an HTTP proxy by CONNECT, or undefined where there is none to take.
 * @param named - the proxy of --proxy; without it HTTPS_PROXY and NO_PROXY count, for ws: too,
 * since WebSockets are to prefer the proxy for HTTPS over the one for HTTP (RFC 6455, section 4.1)
 */
export async function proxyRoute(
  target: URL,
  named: string | undefined,
): Promise<ProxyRoute | undefined> {
  const proxy = named ?? (await fromEnvironment(target));
  if (proxy === undefined) return undefined;
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw usageFailure(
      `'${redacted(proxy)}' is no proxy: give one such as http://proxy.example:3128`,
    );
  }
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  const agent = new HttpsProxyAgent(url);
  let status: number | undefined;
  agent.on('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
    status = statusCode;
  });
  // Who has it from the environment may not know of it.
  const name = `the proxy ${url.host}${named === undefined ? ', which the environment names,' : ''}`;
  return {
    agent,
    failure: (error) => {
      if (status === 200) return undefined;
      if (status === undefined) {
        return new Failure(`${name} cannot be used: ${explain(error)}`, { cause: error });
      }
      const why = STATUSES[status] ?? `it answered with HTTP status ${String(status)}`;
      return new Failure(`${name} does not lead to ${target.host}: ${why}`, { cause: error });
    },
  };
}

async function fromEnvironment(target: URL): Promise<string | undefined> {
  const given = VARIABLES.map((name) => process.env[name]).find(
    (value) => value !== undefined && value !== '',
  );
  if (given === undefined) return undefined;
  const { getProxyForUrl } = await import('proxy-from-env');
  const port = target.port || (/^(ws|http):$/.test(target.protocol) ? '80' : '443');
  const proxy = getProxyForUrl(`https://${target.hostname}:${port}`);
  if (proxy === '') return undefined;
  // Without a scheme curl and others take it for plain HTTP, proxy-from-env for that of the target.
  return given.includes('://') ? proxy : proxy.replace(/^https:/, 'http:');
}

function redacted(proxy: string): string {
  return proxy.replace(/\/\/.*@/, '//');
}
