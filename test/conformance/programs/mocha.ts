import type { TestRunner } from '../../../src/conformance/index.ts';
import { describeSubject } from './subject.ts';

// Mocha puts its functions there.
describeSubject(globalThis as unknown as TestRunner);
