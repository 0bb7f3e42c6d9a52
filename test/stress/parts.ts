/** All parts, in the order in which they run. */
import { cuts } from './cuts/cuts.ts';
import { fuzz } from './fuzz/fuzz.ts';
import { keepalive } from './keepalive/keepalive.ts';
import { load } from './load/load.ts';
import { model } from './model/model.ts';
import type { Part } from './part.ts';
import { sessions } from './sessions/sessions.ts';

export const parts: readonly Part[] = [model, sessions, cuts, keepalive, load, fuzz];
