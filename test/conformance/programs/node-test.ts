import { describe, it } from 'node:test';

import { describeSubject } from './subject.ts';

describeSubject({ describe, it });
