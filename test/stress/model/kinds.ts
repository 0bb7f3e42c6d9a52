/** All kinds of connection that histories run over, and what each can do. */
import { chain, type MakePair, overConnect, overOwnWebSockets, revdial } from './pairs.ts';
import { resumable, resumableOverCuts, rotating, rotatingOverCuts } from './resumable-pairs.ts';
import { yamuxOverAdapter, yamuxOverTcp } from './yamux-pairs.ts';

export interface Kind {
  /** How often it is taken, against the others. */
  readonly weight: number;
  readonly make: MakePair;
  /** Whether the ends are net.Sockets, which show less of an end than this package's sockets. */
  readonly bare: boolean;
  /** Whether one direction can end alone, by the option of that name. */
  readonly halfCloses: (option: boolean | undefined) => boolean;
  /** Whether the option `tcpEndIsEof` counts: then a cut by FIN may look like an end. */
  readonly takesTcpEnds: boolean;
}

const always = (): boolean => true;
const byOption = (option: boolean | undefined): boolean => option !== false;

/** All kinds of connection. */
export const KINDS: Readonly<Record<string, Kind>> = {
  connect: { weight: 4, make: overConnect, bare: false, halfCloses: byOption, takesTcpEnds: true },
  adapter: {
    weight: 3,
    make: overOwnWebSockets,
    bare: false,
    halfCloses: byOption,
    takesTcpEnds: true,
  },
  'yamux over the adapter': {
    weight: 3,
    make: yamuxOverAdapter,
    bare: false,
    halfCloses: always,
    takesTcpEnds: false,
  },
  'yamux over TCP': {
    weight: 2,
    make: yamuxOverTcp,
    bare: false,
    halfCloses: always,
    takesTcpEnds: false,
  },
  revdial: { weight: 1, make: revdial, bare: false, halfCloses: byOption, takesTcpEnds: true },
  resumable: {
    weight: 3,
    make: resumable,
    bare: false,
    halfCloses: byOption,
    takesTcpEnds: true,
  },
  'resumable over cuts': {
    weight: 3,
    make: resumableOverCuts,
    bare: false,
    halfCloses: byOption,
    takesTcpEnds: true,
  },
  'resumable, rotating': {
    weight: 2,
    make: rotating,
    bare: false,
    halfCloses: byOption,
    takesTcpEnds: true,
  },
  'resumable over cuts, rotating': {
    weight: 1,
    make: rotatingOverCuts,
    bare: false,
    halfCloses: byOption,
    takesTcpEnds: true,
  },
  chain: { weight: 2, make: chain, bare: true, halfCloses: byOption, takesTcpEnds: false },
};
