import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { bytesOf } from '../../src/conformance/frame/bytes.ts';
import { next } from '../support/events.ts';
import { type Tunnel, tunnelTo } from '../support/pairs/tunnel.ts';
import { type Database, startPostgres } from '../support/programs/databases.ts';
import { describeWith } from '../support/programs/program.ts';

const MIB = 1024 * 1024;

describeWith('postgres', 'pg through an adapter to a real PostgreSQL', (postgres) => {
  let database: Database;
  let tunnel: Tunnel;

  beforeAll(async () => {
    database = await startPostgres(postgres);
    tunnel = await tunnelTo(database.target);
  });
  afterAll(async () => {
    await tunnel.stop();
    await database.stop();
  });

  function options(): pg.ClientConfig {
    return { stream: () => tunnel.open(), user: 'postgres', database: 'postgres', keepAlive: true };
  }

  test('a parameter of 1 MiB goes in and comes back', async () => {
    const client = new pg.Client(options());
    await client.connect();
    const value = bytesOf(1, MIB);
    const { rows } = await client.query<{ value: Buffer }>('select $1::bytea as value', [value]);
    expect(rows[0]?.value.equals(value)).toBe(true);
    await client.end();
    await tunnel.quiet();
  });

  test('a result of 20 000 rows and 20 MB arrives whole', async () => {
    const client = new pg.Client(options());
    await client.connect();
    const { rows } = await client.query<{ i: number; pad: string }>(
      `select i, repeat('x', 1000) as pad from generate_series(1, 20000) as i`,
    );
    expect(rows.map(({ i }) => i)).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 1));
    expect(rows.every(({ pad }) => pad.length === 1000)).toBe(true);
    await client.end();
    await tunnel.quiet();
  });

  test('a pool shares its connections among a hundred queries', async () => {
    const pool = new pg.Pool({ ...options(), max: 5 });
    const queries = Array.from({ length: 100 }, async (_, i) => {
      const { rows } = await pool.query<{ twice: number }>('select $1::int * 2 as twice', [i]);
      return rows[0]?.twice;
    });
    expect(await Promise.all(queries)).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i));
    await pool.end();
    await tunnel.quiet();
  });

  test('a session that the server ends is an error of the client, not of the process', async () => {
    const client = new pg.Client(options());
    await client.connect();
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    const ended = next(client, 'end');
    const termination = client.query('select pg_terminate_backend(pg_backend_pid())');
    await expect(termination).rejects.toMatchObject({ code: '57P01' });
    await ended;
    await tunnel.quiet();
    expect(errors).toHaveLength(1);
  });
});
