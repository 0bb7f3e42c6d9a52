import { type Connection, createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { bytesOf } from '../../src/conformance/frame/bytes.ts';
import { type Tunnel, tunnelTo } from '../support/pairs/tunnel.ts';
import { type Database, startMariaDb } from '../support/programs/databases.ts';
import { describeWith } from '../support/programs/program.ts';

const MIB = 1024 * 1024;

describeWith('mariadbd', 'mysql2 through an adapter to a real MariaDB', (mariadbd) => {
  let database: Database;
  let tunnel: Tunnel;

  beforeAll(async () => {
    database = await startMariaDb(mariadbd);
    tunnel = await tunnelTo(database.target);
  });
  afterAll(async () => {
    await tunnel.stop();
    await database.stop();
  });

  function connect(): Promise<Connection> {
    return createConnection({ stream: tunnel.open(), user: 'root', database: 'test' });
  }

  test('a parameter of 1 MiB goes in and comes back', async () => {
    const connection = await connect();
    const value = bytesOf(1, MIB);
    const [rows] = await connection.execute('select ? as value', [value]);
    const [row] = rows as { value: Buffer }[];
    expect(row?.value.equals(value)).toBe(true);
    await connection.end();
    await tunnel.quiet();
  });

  test('a result of 20 000 rows and 20 MB arrives whole', async () => {
    const connection = await connect();
    const [rows] = await connection.query(
      `select seq, repeat('x', 1000) as pad from seq_1_to_20000`,
    );
    const numbers = (rows as { seq: number; pad: string }[]).map(({ seq }) => seq);
    expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 1));
    await connection.end();
    await tunnel.quiet();
  });
});
