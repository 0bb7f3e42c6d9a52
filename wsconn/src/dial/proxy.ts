import type { Agent } from 'node:http';

import { OK } from '../console/codes.ts';
import { explain } from '../console/explain.ts';
import { Failure, usageFailure } from '../console/failure.ts';
import { rememberSecretsOf } from '../console/secrets.ts';

/** What an answer of a proxy to CONNECT means. */
const STATUSES: Readonly<Record<number, string>> = {
  403: 'it does not allow this address or port (403): ask its operator',
  407: 'it requires a login (407): put user and password into the URL of WSCONN_PROXY',
  502: 'it cannot reach the server (502): check host and port of the URL',
  503: 'it cannot reach the server (503): check host and port of the URL',
  504: 'it got no answer from the server (504): check host and port of the URL',
};

/** A proxy, and the option or variable that names it. */
export interface NamedProxy {
  readonly url: string;
  readonly option: string;
}

export interface ProxyRoute {
  readonly agent: Agent;
  /**
   * Returns the failure of the proxy behind an error, which would look like one of the server;
   * undefined if the proxy did its part.
   */
  failure(error: unknown): Failure | undefined;
}

/**
 * Returns the way through an HTTP proxy by CONNECT, or undefined where no proxy is to be used.
 * @param named - the proxy of --proxy; without it HTTPS_PROXY and NO_PROXY count. They count for
 * ws: too, since a WebSocket prefers the proxy for HTTPS over that for HTTP (RFC 6455, section 4.1)
 * @param variables - those that can name a proxy, the first that is set wins
 */
export async function proxyRoute(
  target: URL,
  named: NamedProxy | undefined,
  variables: readonly string[],
): Promise<ProxyRoute | undefined> {
  const found = named ?? (await fromEnvironment(target, variables));
  if (found === undefined) return undefined;
  const { url: proxy, option } = found;
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    // It is not shown: half a URL may hold a password anywhere.
    throw usageFailure(
      `${option} is not the URL of a proxy: give one such as http://proxy.example:3128`,
    );
  }
  rememberSecretsOf(url);
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  const agent = new HttpsProxyAgent(url);
  let status: number | undefined;
  agent.on('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
    status = statusCode;
  });
  // The user may not know of a proxy that the environment names.
  const name = `the proxy ${url.host}${named === undefined ? ', which the environment names,' : ''}`;
  return {
    agent,
    failure: (error) => {
      if (status === OK) return undefined;
      if (status === undefined) {
        return new Failure(`${name} cannot be used: ${explain(error)}`, { cause: error });
      }
      const why = STATUSES[status] ?? `it answered with HTTP status ${String(status)}`;
      return new Failure(`${name} does not connect to ${target.host}: ${why}`, { cause: error });
    },
  };
}

async function fromEnvironment(
  target: URL,
  variables: readonly string[],
): Promise<NamedProxy | undefined> {
  const option = variables.find((name) => process.env[name]);
  const given = option === undefined ? undefined : process.env[option];
  if (option === undefined || given === undefined) return undefined;
  const { getProxyForUrl } = await import('proxy-from-env');
  const port = target.port || (/^(ws|http):$/.test(target.protocol) ? '80' : '443');
  const proxy = getProxyForUrl(`https://${target.hostname}:${port}`);
  if (proxy === '') return undefined;
  // Without a scheme curl and others take it for plain HTTP, proxy-from-env for that of the target.
  return { option, url: given.includes('://') ? proxy : proxy.replace(/^https:/, 'http:') };
}
