/** All parts, in the order in which they run. */
import { model } from './model/model.ts';
import type { Part } from './part.ts';

export const parts: readonly Part[] = [model];
