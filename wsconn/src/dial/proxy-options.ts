import { checkSecret } from './check-url.ts';
import type { DialValues } from './dial-options.ts';
import type { ProxyRoute } from './proxy.ts';

/** Variables that can name a proxy. */
const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

/** Refuses a password of a proxy on the command line. */
export function checkProxyOption(values: DialValues): void {
  checkSecret(values.text('proxy'), values.source('proxy'), '--proxy');
}

/**
 * Returns the way through the proxy that --proxy or the environment names; undefined for none. The
 * rest is loaded only where there is one.
 */
export async function findRoute(url: URL, values: DialValues): Promise<ProxyRoute | undefined> {
  const given = values.text('proxy');
  const named = given === undefined ? undefined : { url: given, option: values.nameOf('proxy') };
  if (named === undefined && !PROXY_VARIABLES.some((name) => process.env[name])) return undefined;
  const { proxyRoute } = await import('./proxy.ts');
  return proxyRoute(url, named, PROXY_VARIABLES);
}
