import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import net from 'node:net';

import { Agent, type AgentConnectOpts } from 'agent-base';
import { SocksClient } from 'socks';

import type { HostPort } from '../../console/place.ts';
import { overTls } from './over-tls.ts';
import { PROXY_TIMEOUT, type ProxyFailures } from './proxy-failures.ts';
import { SocksAnswers } from './socks-answers.ts';

const DEFAULT_PORT = 1080;

/**
 * Goes through a SOCKS 5 proxy. As in curl, `socks5:` looks up the name of the server here, and
 * `socks5h:` leaves that to the proxy.
 */
export class SocksAgent extends Agent {
  readonly #url: URL;
  readonly #failures: ProxyFailures;

  constructor(url: URL, failures: ProxyFailures) {
    super();
    this.#url = url;
    this.#failures = failures;
  }

  override async connect(_request: ClientRequest, options: AgentConnectOpts): Promise<net.Socket> {
    const { host = 'localhost', port } = options as { readonly host?: string; port: unknown };
    const addresses = await this.#addressesOf(host);
    const limit = AbortSignal.timeout(PROXY_TIMEOUT);
    return overTls(await this.#openAny(addresses, Number(port), limit), options);
  }

  async #addressesOf(host: string): Promise<readonly string[]> {
    if (this.#url.protocol === 'socks5h:' || net.isIP(host) !== 0) return [host];
    // A name without an address fails as it does without a proxy.
    return (await lookup(host, { all: true })).map(({ address }) => address);
  }

  /** Tries the addresses in turn: a proxy may reach those of one family only. */
  async #openAny(
    [host = '', ...others]: readonly string[],
    port: number,
    limit: AbortSignal,
  ): Promise<net.Socket> {
    try {
      return await this.#open({ host, port }, limit);
    } catch (error) {
      if (others.length === 0 || limit.aborted) throw error;
      return this.#openAny(others, port, limit);
    }
  }

  async #open(destination: HostPort, limit: AbortSignal): Promise<net.Socket> {
    const socket = await this.#reachProxy(limit);
    const answers = new SocksAnswers(socket);
    const giveUp = (): void => {
      socket.destroy();
    };
    limit.addEventListener('abort', giveUp);
    const { hostname, username, password } = this.#url;
    try {
      await SocksClient.createConnection({
        command: 'connect',
        destination,
        existing_socket: socket,
        proxy: {
          // It has been reached already; what checks the options wants to know it all the same.
          host: hostname,
          port: DEFAULT_PORT,
          type: 5,
          userId: decodeURIComponent(username),
          password: decodeURIComponent(password),
        },
      });
    } catch (error) {
      if (limit.aborted) throw this.#failures.late();
      const refusal = answers.refusal(username !== '' || password !== '');
      throw refusal === undefined
        ? this.#failures.unusable(error)
        : this.#failures.refused(refusal, error);
    } finally {
      limit.removeEventListener('abort', giveUp);
      answers.stop();
    }
    return socket;
  }

  async #reachProxy(limit: AbortSignal): Promise<net.Socket> {
    const host = this.#url.hostname.replace(/^\[(.*)\]$/, '$1');
    const socket = net.connect({ host, port: Number(this.#url.port) || DEFAULT_PORT });
    try {
      await once(socket, 'connect', { signal: limit });
    } catch (error) {
      socket.destroy();
      throw limit.aborted ? this.#failures.late() : this.#failures.unusable(error);
    }
    return socket;
  }
}
