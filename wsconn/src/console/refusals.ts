import { STATUS_CODES } from 'node:http';

import type { WsConnError } from 'ws-conn-adapter';

import { quoted } from './escape.ts';

/** What an HTTP status means in answer to the handshake of a WebSocket. */
const STATUSES: Readonly<Record<number, string>> = {
  400: 'the server did not understand the handshake (400): check the URL',
  401: 'the server requires a valid token (401): check that of --token-file or WSCONN_TOKEN',
  403: 'the server denies access (403): check token, address and path, and send it no Origin',
  404: 'the server has nothing at that path (404): check the path of the URL',
  426: 'the server requires another protocol (426): check whether a proxy drops the Upgrade header',
  429: 'too many requests to the server (429): try again later',
  502: 'the proxy in front of the server cannot reach it (502): check that the server runs',
  503: 'the server is full or shutting down (503): try again later',
  504: 'the proxy in front of the server got no answer from it (504): check that the server runs',
};

/** Explains why a server refused a handshake, with what it said itself. */
export function explainRefusal(error: WsConnError, status: number): string {
  const { statusMessage, location, retryAfter, bodyLine } = error;
  const usual = STATUS_CODES[status];
  const parts = [STATUSES[status] ?? explainOther(status, location)];
  if (location !== undefined) {
    parts.push(`it redirects to ${location}: give that URL, or --follow-redirects`);
  }
  if (retryAfter !== undefined) {
    const when = /^\d+$/.test(retryAfter) ? `in ${retryAfter} s` : `after ${retryAfter}`;
    parts.push(`it may be tried again ${when}`);
  }
  if (statusMessage && statusMessage !== usual)
    parts.push(`its reason is ${quoted(statusMessage)}`);
  if (bodyLine !== undefined && bodyLine !== usual && bodyLine !== statusMessage) {
    parts.push(`it says ${quoted(bodyLine)}`);
  }
  return parts.join('; ');
}

function explainOther(status: number, location: string | undefined): string {
  const answered = `the server answered with HTTP status ${String(status)}`;
  return location === undefined ? `${answered}: check the URL` : answered;
}
