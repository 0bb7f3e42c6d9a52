import type { Agent } from 'node:http';

import { usageFailure } from '../console/failure.ts';
import { checkSecret, UNIX_SCHEME } from './options/check-url.ts';
import { type DialValues, PROXY_VARIABLES } from './options/dial-options.ts';
import { readAuthorities } from './tls-options.ts';

/** Refuses a password of a proxy on the command line, and a proxy before a unix socket. */
export function checkProxyOption(values: DialValues, url: URL): void {
  checkSecret(values.text('proxy'), values.source('proxy'), '--proxy');
  if (values.text('proxy') !== undefined && url.protocol === UNIX_SCHEME) {
    throw usageFailure(
      `${values.nameOf('proxy')} contradicts the URL of a unix socket: leave one of them out`,
    );
  }
}

/**
 * Returns the agent for the proxy that --proxy or the environment names; undefined for none. The
 * rest is loaded only where there is one.
 * @throws Failure for a proxy that cannot be used
 */
export async function findProxy(url: URL, values: DialValues): Promise<Agent | undefined> {
  if (url.protocol === UNIX_SCHEME) return undefined;
  const given = values.text('proxy');
  const named = given === undefined ? undefined : { url: given, option: values.nameOf('proxy') };
  if (named === undefined && !PROXY_VARIABLES.some((name) => process.env[name])) return undefined;
  const { proxyAgent } = await import('./proxy/proxy-agent.ts');
  return proxyAgent(url, {
    named,
    variables: PROXY_VARIABLES,
    readAuthorities: () => readAuthorities(values, 'proxy-ca'),
  });
}
