import { startProfile, stopProfile } from './profiler.ts';

/** Processor time in seconds, of it in the kernel, and the peak of memory in MiB, of this process so far. */
export function usage(): { cpu: number; kernel: number; peak: number } {
  const { user, system } = process.cpuUsage();
  return {
    cpu: (user + system) / 1e6,
    kernel: system / 1e6,
    peak: process.resourceUsage().maxRSS / 1024,
  };
}

/**
 * Answers what is asked of both ends: `usage`, or `profile` and later `profiled`, whose answer is
 * whose code ran between the two.
 */
export function answerOfBoth(question: string): object | Promise<object> {
  switch (question) {
    case 'usage':
      return usage();
    case 'profile':
      return startProfile();
    case 'profiled':
      return stopProfile();
    default:
      throw new Error(`no question is called ${question}`);
  }
}
