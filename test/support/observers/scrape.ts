import http from 'node:http';

import { describeWithFile } from '../programs/program.ts';
import { run } from '../programs/watched-program.ts';

/** Debian's, for which its package of the client library of Prometheus is. */
const PYTHON = '/usr/bin/python3';
const LIBRARY = '/usr/lib/python3/dist-packages/prometheus_client/parser.py';

/** Reads the text format from stdin by the parser of Prometheus' own client library. */
const PARSER = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([
  {'name': f.name, 'type': f.type, 'help': f.documentation,
   'samples': [{'name': s.name, 'labels': s.labels, 'value': str(s.value)} for s in f.samples]}
  for f in text_string_to_metric_families(sys.stdin.read())]))
`;

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Where a server listens: on a port of 127.0.0.1, or on a unix socket. */
export type At = { readonly port: number } | { readonly socketPath: string };

/** Asks an HTTP server for a page. */
export function ask(at: At, path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', ...at, path, method, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (part: string) => (body += part));
        response.once('error', reject);
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      },
    );
    request.once('error', reject);
    request.end();
  });
}

/** A metric with its samples. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: string;
  }[];
}

/** What a server shows Prometheus, parsed. */
export class Scrape {
  readonly text: string;
  readonly families: readonly Family[];

  constructor(text: string, families: readonly Family[]) {
    this.text = text;
    this.families = families;
  }

  /** Returns the value of the one sample with this name and these labels; undefined for none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const wanted = JSON.stringify(Object.entries(labels).toSorted());
    const found = this.families
      .flatMap(({ samples }) => samples)
      .filter((sample) => sample.name === name)
      .filter((sample) => JSON.stringify(Object.entries(sample.labels).toSorted()) === wanted);
    if (found.length > 1) throw new Error(`${name} has the same labels twice`);
    return found[0] && Number(found[0].value);
  }
}

/** Reads the figures as Prometheus would. */
export async function scrape(at: At): Promise<Scrape> {
  const { status, body } = await ask(at, '/metrics');
  const { code, stdout, stderr } = await run(PYTHON, ['-c', PARSER], { input: body });
  if (status !== 200 || code !== 0) throw new Error(`status ${String(status)}: ${body}\n${stderr}`);
  return new Scrape(body, JSON.parse(stdout) as Family[]);
}

/** Describes tests that scrape. */
export function describeWithPrometheus(title: string, tests: () => void): void {
  describeWithFile(LIBRARY, 'python3-prometheus-client', title, tests);
}
