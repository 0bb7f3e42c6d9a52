import type { Agent } from 'node:http';

import { usageFailure } from '../../console/failure.ts';
import { rememberSecrets, rememberSecretsOf } from '../../console/secrets.ts';
import { ProxyFailures } from './proxy-failures.ts';

/** A proxy, and the option or variable that names it. */
export interface NamedProxy {
  readonly url: string;
  readonly option: string;
}

/** How to find the proxy, and what it needs. */
export interface ProxyChoice {
  /** The proxy of --proxy; without it the environment and NO_PROXY count. */
  readonly named: NamedProxy | undefined;
  /** Variables that can name a proxy; the first that is set wins. */
  readonly variables: readonly string[];
  /** Reads the CA of the proxy; undefined for those known to Node. */
  readonly readAuthorities: () => Promise<string | undefined>;
}

/** Proxies that are known and not supported, by the scheme of their URL. */
const UNSUPPORTED: readonly (readonly [scheme: RegExp, what: string])[] = [
  [/^pac\+/, 'a PAC file, which is not supported'],
  [/^socks(?:4a?)?$/, 'a proxy for SOCKS 4, which is not supported'],
];

const EXAMPLES = 'http://proxy.example:3128 or socks5h://proxy.example:1080';

/** The most bytes of a user or a password that SOCKS can carry (RFC 1929). */
const LONGEST_LOGIN = 255;

/**
 * Returns an agent that goes through a proxy, or undefined where none is to be used. HTTPS_PROXY
 * counts for ws: too, since a WebSocket prefers the proxy for HTTPS over that for HTTP (RFC 6455,
 * section 4.1).
 */
export async function proxyAgent(
  target: URL,
  { named, variables, readAuthorities }: ProxyChoice,
): Promise<Agent | undefined> {
  const found = named ?? (await fromEnvironment(target, variables));
  if (found === undefined) return undefined;
  const url = checkProxy(found);
  // The user may not know of a proxy that the environment names.
  const from = named === undefined ? `, which ${found.option} names,` : '';
  const failures = new ProxyFailures(`the proxy ${url.host}${from}`, target.host);
  if (url.protocol.startsWith('socks')) {
    const { SocksAgent } = await import('./socks-agent.ts');
    return new SocksAgent(url, failures);
  }
  const { HttpProxyAgent } = await import('./http-proxy-agent.ts');
  return new HttpProxyAgent(url, failures, await readAuthorities());
}

/** Reads the URL of a proxy. It is never shown: half a URL may hold a password anywhere. */
function checkProxy({ url: text, option }: NamedProxy): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = /^([a-z\d+]+):\/\//i.exec(text)?.[1]?.toLowerCase() ?? '';
  const [, what] = UNSUPPORTED.find(([schemes]) => schemes.test(scheme)) ?? [];
  if (what !== undefined) {
    throw usageFailure(`${option} names ${what}: give the URL of one such as ${EXAMPLES}`);
  }
  if (!url || !/^(?:https?|socks5h?):$/.test(url.protocol) || url.hostname === '') {
    throw usageFailure(`${option} is not the URL of a proxy: give one such as ${EXAMPLES}`);
  }
  rememberSecretsOf(url);
  checkLogin(url, option);
  return url;
}

function checkLogin({ protocol, username, password }: URL, option: string): void {
  for (const text of [username, password]) {
    let plain: string;
    try {
      plain = decodeURIComponent(text);
    } catch (cause) {
      throw usageFailure(
        `${option} holds a percent sign that begins no escape in its user or password: write it as %25`,
        cause,
      );
    }
    if (protocol.startsWith('socks') && Buffer.byteLength(plain) > LONGEST_LOGIN) {
      throw usageFailure(
        `${option} holds a user or password of more than ${String(LONGEST_LOGIN)} bytes, which SOCKS cannot carry`,
      );
    }
  }
  // As it goes to an HTTP proxy, which may send it back.
  if (password !== '') rememberSecrets(Buffer.from(`${username}:${password}`).toString('base64'));
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
